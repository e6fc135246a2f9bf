"""What the account routes take and give."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from server.accounts.agents import device_name
from server.security import MAX_PASSWORD_CHARS


class _Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class SignInBody(_Body):
    login: str = Field(min_length=1, max_length=64)
    password: str = Field(min_length=1, max_length=MAX_PASSWORD_CHARS)


class PasswordBody(_Body):
    current: str = Field(min_length=1, max_length=MAX_PASSWORD_CHARS)
    new: str = Field(min_length=1, max_length=MAX_PASSWORD_CHARS)


class Me(BaseModel):
    person: str | None
    name: str | None
    posts: list[str]
    school: str | None
    device: str | None
    rooms: list[str]


class SignInSeen(BaseModel):
    """One sign-in of mine. ``id`` is a prefix of the token's hash: enough to revoke it, useless to steal it."""

    id: str
    current: bool
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    user_agent: str

    @property
    def device(self) -> str:
        return device_name(self.user_agent)
