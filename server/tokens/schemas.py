"""What token routes and forms take and give. The token itself is given once."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from server.schools.places import PLACE
from server.schools.schemas import Body

MOST_TOKENS = 10
"""Of one place."""
MOST_DAYS = 366


class TokenBody(Body):
    name: str = Field(min_length=1, max_length=40, description="Which system holds it")
    place: str = Field(pattern=PLACE, description="school:<id>, district:<code> or city: what it reads")
    days: int = Field(default=365, ge=1, le=MOST_DAYS, description="It stops by itself after so many days")


class TokenSeen(BaseModel):
    id: str
    name: str
    place: str
    created_at: datetime
    expires_at: datetime
    seen_at: datetime | None


class TokenMade(TokenSeen):
    token: str
    """Shown this once; sent as ``Authorization: Bearer <token>``."""
