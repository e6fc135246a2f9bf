"""What people administration takes and gives."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from server.schools.schemas import Body, DistrictId, Id, Telephone
from server.scope import Post

Login = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{2,63}$")]


class PersonBody(Body):
    login: Login
    name: str = Field(min_length=1, max_length=64)
    school_id: Id | None = None
    phone: Telephone | None = None
    subject: str | None = Field(default=None, pattern=r"^[a-z_]{2,32}$")


class PersonEdit(Body):
    name: str = Field(min_length=1, max_length=64)
    school_id: Id | None = Field(default=None, description="Moves there from today on; None: stays")
    phone: Telephone | None = None
    subject: str | None = Field(default=None, pattern=r"^[a-z_]{2,32}$")


class PostBody(Body):
    post: Post
    school_id: Id | None = None
    district_id: DistrictId | None = None
    starts_on: date = Field(strict=False)
    ends_on: date | None = Field(default=None, strict=False)


class PersonCreate(PersonBody):
    """A person with the first post, as the form asks for both at once."""

    post: Post
    district_id: DistrictId | None = None


class PostEnd(Body):
    ends_on: date = Field(strict=False)


class PostSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    post: str
    school_id: str | None
    district_id: str | None
    studio_id: str | None
    starts_on: date
    ends_on: date | None


class PersonSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    login: str
    name: str
    school_id: str | None
    subject: str | None
    disabled: bool
    posts: list[PostSeen]


class PeopleSeen(BaseModel):
    items: list[PersonSeen]
    count: int
    page: int
    pages: int


class OneTime(BaseModel):
    """Shown once, kept nowhere."""

    person: PersonSeen
    password: str
