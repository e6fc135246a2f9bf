"""What routes and forms of ordinary timetables take and give."""

from __future__ import annotations

from datetime import time
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from server.classrooms.schemas import SUBJECTS as TAUGHT
from server.schools.schemas import Body, Id
from server.timetable.bells import MOST_BELLS

SUBJECTS = (*TAUGHT, "class_meeting", "self_study", "club", "other")
"""What a school's own timetable holds beside subjects; texts are common.subject.<key>."""
TermId = Annotated[str, Field(pattern=r"^\d{4}-[12]$")]


class HourBody(Body):
    """One hour a week; a class, a teacher or a room, or more of them."""

    term: TermId
    weekday: int = Field(ge=1, le=7)
    period: int = Field(ge=1, le=MOST_BELLS)
    weeks: Literal["all", "odd", "even"] = "all"
    """每周, 单周, 双周"""
    subject: Annotated[str, Field(pattern="^(" + "|".join(SUBJECTS) + ")$")]
    class_id: Id | None = None
    teacher_id: Id | None = None
    room_id: Id | None = None
    starts: time | None = Field(default=None, strict=False)
    minutes: int | None = Field(default=None, ge=10, le=120)
    """Left out, both are those of the school's bell."""
    follows_bell: bool = Field(default=True, strict=False)
    """Times by the school's bell of the season; ``starts`` where it has none for this 节次."""


class HourCreate(HourBody):
    school_id: Id


class HourSeen(BaseModel):
    id: str
    school_id: str
    school: str
    term: str
    weekday: int
    period: int
    weeks: str
    starts: time
    minutes: int
    follows_bell: bool
    subject: str
    class_id: str | None
    school_class: str | None
    teacher_id: str | None
    teacher: str | None
    room_id: str | None
    room: str | None


class HoursSeen(BaseModel):
    items: list[HourSeen]
    count: int
    page: int
    pages: int


class BesideSeen(BaseModel):
    """An hour that lies where a synchronous classroom has its weekly slot: the synchronous lesson stands."""

    hour: HourSeen
    kind: str
    """class | person | room"""
    name: str
    """Who or what is asked for twice."""
    classroom_id: str
    classroom: str
    starts: time
    minutes: int
