"""What gap routes and forms take and give."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from server.classrooms.schemas import Subject
from server.schools.schemas import Body, Id


class GapBody(Body):
    term: str = Field(pattern=r"^\d{4}-[12]$")
    grade: int = Field(ge=1, le=9)
    subject: Subject
    weekly: int = Field(default=1, ge=1, le=10, description="Lessons a week that are missing")
    note: str = Field(default="", max_length=200)


class GapCreate(GapBody):
    school_id: Id


class GapSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: str
    school_id: str
    term: str
    grade: int
    subject: str
    weekly: int
    note: str
    declared_on: date
    withdrawn_on: date | None


class GapsSeen(BaseModel):
    items: list[GapSeen]
    count: int
    page: int
    pages: int
