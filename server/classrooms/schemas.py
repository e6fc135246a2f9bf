"""What classroom routes and forms take and give."""

from __future__ import annotations

from datetime import date, time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from server.schools.schemas import Body, Id

MOST_RECEIVERS = 3  # 1拖3: more flags quality (domain.md, F3)
MOST_SLOTS = 10

SUBJECTS = (
    "chinese",
    "maths",
    "english",
    "morality",
    "science",
    "physics",
    "chemistry",
    "biology",
    "history",
    "geography",
    "it",
    "music",
    "art",
    "dance",
    "calligraphy",
    "pe",
    "labour",
    "practice",
    "psychology",
)
"""Stable keys of ours (the official code list is not to be had); texts are common.subject.<key>."""

FORMS = ("delivery", "master", "open")
"""课堂类型: 专递, 名师, 名校网络; texts are common.lesson_form.<key>."""

Subject = Annotated[str, Field(pattern="^(" + "|".join(SUBJECTS) + ")$")]


class ReceiverBody(Body):
    room_id: Id
    assistant_id: Id | None = None
    class_id: Id | None = None


class SlotBody(Body):
    weekday: int = Field(ge=1, le=7)
    period: int = Field(ge=1, le=12)
    starts: time = Field(strict=False)
    minutes: int = Field(ge=20, le=90)
    weeks: Literal["all", "odd", "even"] = "all"
    """每周, 单周, 双周"""
    follows_bell: bool = Field(default=False, strict=False)
    """Times by the lead school's bell of the season; ``starts`` where it has none for this period."""


class ClassroomBody(Body):
    name: str = Field(min_length=2, max_length=80)
    subject: Subject
    grade: int = Field(ge=1, le=9)
    term: str = Field(pattern=r"^\d{4}-[12]$")
    lead_room_id: Id
    lead_teacher_id: Id
    lead_class_id: Id | None = Field(default=None, description="本班: the class that sits in the lead room")
    accepted_on: date | None = Field(default=None, strict=False, description="验收: counts towards the 30 of policy 1")
    receivers: list[ReceiverBody] = Field(min_length=1, max_length=MOST_RECEIVERS)
    slots: list[SlotBody] = Field(default_factory=list, max_length=MOST_SLOTS)


class ReceiverSeen(BaseModel):
    room_id: str
    room: str
    school: str
    assistant: str | None
    class_id: str | None
    school_class: str | None
    expected: int
    """应到: of the class, else of the room."""


class SlotSeen(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    weekday: int
    period: int
    starts: time
    minutes: int
    weeks: str
    follows_bell: bool


class ClassroomSeen(BaseModel):
    id: str
    name: str
    subject: str
    grade: int
    term: str
    lead_school: str
    lead_room: str
    lead_teacher: str
    lead_class_id: str | None
    lead_class: str | None
    """本班: the class that sits in the lead room; None: not said."""
    receivers: list[ReceiverSeen]
    slots: list[SlotSeen]
    form: str
    """课堂类型"""
    accepted_on: date | None
    archived: bool


class ClassroomsSeen(BaseModel):
    items: list[ClassroomSeen]
    count: int
    page: int
    pages: int
