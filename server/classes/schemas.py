"""What class routes and forms take and give."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel, Field

from server.schools.schemas import Body, Id


class ClassBody(Body):
    phase: Literal["primary", "junior"]
    entry_year: int = Field(ge=2000, le=2100, description="入学年: school year in which it began its first grade")
    number: int = Field(ge=1, le=60, description="班号")
    name: str | None = Field(default=None, min_length=1, max_length=24)
    pupils: int = Field(ge=0, le=120)


class ClassCreate(ClassBody):
    school_id: Id


class ClassEdit(Body):
    name: str | None = Field(default=None, min_length=1, max_length=24)
    pupils: int = Field(ge=0, le=120)
    head_id: Id | None = Field(default=None, description="班主任: one of the school's teachers")
    consent_on: date | None = Field(default=None, strict=False, description="Guardians' consent to recording")


class ClassSeen(BaseModel):
    id: str
    school_id: str
    school: str
    phase: str
    entry_year: int
    number: int
    grade: int | None
    name: str | None
    pupils: int
    head_id: str | None
    consent_on: date | None
    closed_on: date | None


class ClassesSeen(BaseModel):
    items: list[ClassSeen]
    count: int
    page: int
    pages: int
