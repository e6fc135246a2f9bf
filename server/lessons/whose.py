"""Which lessons are whose: a room's if it leads from there or is received there, a person's if they teach or assist.

Found by index from rooms and people within a span of time, not lesson by lesson: a receipt knows its lesson's start.
An "or" over both would make PostgreSQL read every lesson of the span, and SQLite every one there is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, false, select, union_all
from sqlalchemy.orm import InstrumentedAttribute, aliased

from server.lessons.models import Lesson, Receipt

LONGEST = timedelta(hours=6)
"""No lesson lasts longer: one that began earlier is over, whatever its state says."""

Ids = Select[str] | Collection[str]
Ways = list[Select[str]]
"""Queries for ids of lessons; the same lesson may come twice."""


@dataclass(frozen=True, slots=True)
class Span:
    """Lessons that start in [since, before); None: at any time."""

    since: datetime | None = None
    before: datetime | None = None

    @classmethod
    def touching(cls, start: datetime, end: datetime) -> Span:
        """Whoever runs in [start, end) starts here; their end is still to be asked for."""
        return cls(start - LONGEST, end)

    def holds(self, starts_at: InstrumentedAttribute[datetime]) -> Iterator[ColumnElement[bool]]:
        if self.since is not None:
            yield starts_at >= self.since
        if self.before is not None:
            yield starts_at < self.before


ALWAYS = Span()


def led_or_received(rooms: Ids, span: Span = ALWAYS) -> Ways:
    led = aliased(Lesson)  # else it would be taken for the lesson outside
    return [_lessons(led, led.lead_room_id, rooms, span), _receipts(Receipt.room_id, rooms, span)]


def taught_or_assisted(people: Ids, span: Span = ALWAYS) -> Ways:
    led = aliased(Lesson)
    return [_lessons(led, led.teacher_id, people, span), _receipts(Receipt.assistant_id, people, span)]


def attended(classes: Ids, span: Span = ALWAYS) -> Ways:
    """By a class in its own lead room as by one that receives."""
    led = aliased(Lesson)
    return [_lessons(led, led.lead_class_id, classes, span), _receipts(Receipt.class_id, classes, span)]


def one_of(ways: Ways) -> ColumnElement[bool]:
    return Lesson.id.in_(union_all(*ways)) if ways else false()


def _lessons(led: type[Lesson], column: InstrumentedAttribute[Any], wanted: Ids, span: Span) -> Select[str]:
    return select(led.id).where(column.in_(wanted), *span.holds(led.starts_at))


def _receipts(column: InstrumentedAttribute[Any], wanted: Ids, span: Span) -> Select[str]:
    return select(Receipt.lesson_id).where(column.in_(wanted), *span.holds(Receipt.starts_at))
