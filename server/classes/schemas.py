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


CHANNELS = ("paper", "online", "meeting")
"""How guardians said yes; texts are admin.classes.channel.<key>."""


class ConsentBody(Body):
    """监护人同意: who, to which text, until when (domain.md sections 5 and 9)."""

    consent_on: date | None = Field(default=None, strict=False, description="Guardians' consent to recording")
    consent_by: str | None = Field(default=None, max_length=40, description="Who took it and keeps the papers")
    consent_version: str | None = Field(default=None, max_length=40, description="Version of the text agreed to")
    consent_channel: Literal["paper", "online", "meeting"] | None = None
    consent_until: date | None = Field(default=None, strict=False, description="Its last day; none: no end")
    consent_withdrawn_on: date | None = Field(default=None, strict=False)


class ClassEdit(ConsentBody):
    name: str | None = Field(default=None, min_length=1, max_length=24)
    pupils: int = Field(ge=0, le=120)
    head_id: Id | None = Field(default=None, description="班主任: one of the school's teachers")


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
    consent_by: str | None
    consent_version: str | None
    consent_channel: str | None
    consent_until: date | None
    consent_withdrawn_on: date | None
    consent: str
    """none | withdrawn | ended | held"""
    closed_on: date | None


class ClassesSeen(BaseModel):
    items: list[ClassSeen]
    count: int
    page: int
    pages: int
