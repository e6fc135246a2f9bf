"""What studio routes give."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel


class StudioSeen(BaseModel):
    id: str
    name: str
    subject: str
    phase: str
    school: str
    host: str
    members: int
    accepted_on: date | None


class StudiosSeen(BaseModel):
    items: list[StudioSeen]
    count: int
    page: int
    pages: int


class MemberSeen(BaseModel):
    person_id: str
    name: str
    school: str | None
    role: str
    joined_on: date


class StudioHome(StudioSeen):
    about: str
    people: list[MemberSeen]
