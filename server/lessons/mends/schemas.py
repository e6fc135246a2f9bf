"""What 补签 takes and gives, and the school days it has."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from server.lessons.registering import DAYS_TO_MEND
from server.timetable.terms import SpecialDay, is_school_day, school_days_after

Reason = Literal["forgot", "code", "phone", "network", "other"]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Texts are lessons.mend.reason.<key>. "other" is said in words."""


class AskBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    room_id: str = Field(max_length=24)
    reason: Reason
    note: str = Field(default="", max_length=200)
    person_id: str | None = Field(default=None, max_length=24)
    """Who was with the class; None: the receipt's assistant."""


class AnswerBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answer: Literal["approve", "refuse"]
    why: str = Field(default="", max_length=200)


class MendOut(BaseModel):
    id: str
    lesson: str
    room: str
    person: str
    reason: str
    note: str
    asked_at: datetime
    asked_by: str
    answer: str
    answered_at: datetime | None
    answered_by: str | None
    why: str


class MissingOut(BaseModel):
    """A receipt that only lacks its sign-in."""

    lesson: str
    title: str
    starts_at: datetime
    room: str
    room_name: str
    school: str
    assistant: str | None
    days_left: int
    """School days, today among them."""
    asked: MendOut | None


def days_left(closed: date, today: date, special: Mapping[date, SpecialDay]) -> int:
    """School days that are left to make a sign-in good, today among them; the day of the lesson itself is none."""
    last = school_days_after(closed, DAYS_TO_MEND, special)
    first = max(today, closed + timedelta(days=1))
    return sum(is_school_day(first + timedelta(days=step), special) for step in range((last - first).days + 1))
