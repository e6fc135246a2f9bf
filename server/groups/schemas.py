"""What group routes and forms take and give."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from server.schools.schemas import Body, DistrictId, Id

KINDS = ("education_group", "area", "community", "direct")


class GroupBody(Body):
    name: str = Field(min_length=2, max_length=80)
    kind: Literal["education_group", "area", "community", "direct"]
    district_id: DistrictId | None = Field(default=None, description="The district that keeps it; None: the city")
    starts_on: date = Field(strict=False)
    about: str = Field(default="", max_length=400)


class GroupEdit(Body):
    name: str = Field(min_length=2, max_length=80)
    about: str = Field(default="", max_length=400)


class MemberBody(Body):
    school_id: Id
    role: Literal["lead", "member"] = "member"
    starts_on: date = Field(strict=False)


class GroupEnd(Body):
    ends_on: date = Field(strict=False)


class MemberSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    school_id: str
    role: str
    starts_on: date
    ends_on: date | None


class GroupSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    kind: str
    district_id: str | None
    starts_on: date
    ends_on: date | None
    about: str
    members: list[MemberSeen]


class GroupsSeen(BaseModel):
    items: list[GroupSeen]
    count: int
    page: int
    pages: int
