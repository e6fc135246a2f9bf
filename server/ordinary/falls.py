"""On which days and when the hours of an ordinary timetable fall, and which of them stand in each other's way. Pure.

The days are those of ``timetable.terms``, the bells those of ``timetable.bells``, as publishing reckons them: holidays
off, make-up days by the weekday they run, 单双周, a school's days away. Reckoned once for all hours that share them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cache
from typing import Protocol

from server.timetable.bells import Schedule, bell, in_force
from server.timetable.conflicts import Entry, Kind, Resource
from server.timetable.terms import SpecialDay, days_of, lesson_span

MARK = "ordinary/"
"""Begins the id of every entry of an ordinary hour; ids of lessons have no slash."""


class Weekly(Protocol):
    """An hour of the week, of a classroom or of an ordinary timetable."""

    @property
    def weekday(self) -> int: ...
    @property
    def period(self) -> int: ...
    @property
    def starts(self) -> time: ...
    @property
    def minutes(self) -> int: ...
    @property
    def weeks(self) -> str: ...


class Held(Protocol):
    """Whom and what an hour keeps busy."""

    @property
    def class_id(self) -> str | None: ...
    @property
    def teacher_id(self) -> str | None: ...
    @property
    def room_id(self) -> str | None: ...


class Ringing(Weekly, Protocol):
    @property
    def follows_bell(self) -> bool: ...
    @property
    def phase(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Hour:
    """One hour of the week as ``store.hours`` reads it; ``phase``: by whose bells of the school."""

    id: str
    school: str
    weekday: int
    period: int
    starts: time
    minutes: int
    weeks: str
    follows_bell: bool
    class_id: str | None
    teacher_id: str | None
    room_id: str | None
    phase: str
    first: date
    """The term's first day, from which 单双周 are counted."""
    last: date


@dataclass(frozen=True, slots=True)
class Calendar:
    """What decides on which days a school holds ordinary lessons."""

    special: Mapping[date, SpecialDay]
    away: Mapping[str, Sequence[tuple[date, date]]] = field(default_factory=dict)
    """School -> [first, last] of its days away (运动会, 考试)."""
    bells: Mapping[tuple[str, str], Sequence[Schedule]] = field(default_factory=dict)
    """(school, phase) -> seasons."""


def fall(hours: Iterable[Hour], calendar: Calendar, first: date, last: date) -> Iterator[Entry]:
    """Every hour on each of its days in [first, last], as what it needs and when."""

    @cache
    def days(school: str, weekday: int, weeks: str, begins: date, ends: date) -> list[date]:
        away = calendar.away.get(school, ())
        found = days_of(weekday, max(first, begins), min(last, ends), calendar.special, weeks, begins)
        return [day for day in found if not any(one <= day <= other for one, other in away)]

    @cache
    def rung(school: str, phase: str, period: int, day: date) -> tuple[datetime, datetime] | None:
        found = bell(in_force(calendar.bells.get((school, phase), ()), day), period)
        return found.on(day) if found else None

    moment = cache(lesson_span)
    for hour in hours:
        needs = needs_of(hour)
        for day in days(hour.school, hour.weekday, hour.weeks, hour.first, hour.last):
            span = rung(hour.school, hour.phase, hour.period, day) if hour.follows_bell else None
            start, end = span or moment(day, hour.starts, hour.minutes)
            yield Entry(f"{MARK}{hour.id}/{day}", start, end, needs)


def needs_of(hour: Held) -> frozenset[Resource]:
    named: tuple[tuple[Kind, str | None], ...] = (
        ("class", hour.class_id),
        ("person", hour.teacher_id),
        ("room", hour.room_id),
    )
    return frozenset(Resource(kind, id_) for kind, id_ in named if id_)


def slot_of(entry_id: str) -> str | None:
    """Which hour an entry comes from; None for lessons and activities."""
    return entry_id.split("/")[1] if entry_id.startswith(MARK) else None


def minute(moment: time) -> int:
    return moment.hour * 60 + moment.minute


def meet(one: Weekly, other: Weekly) -> bool:
    """Whether two hours of the week take something of the same time in some week."""
    if one.weekday != other.weekday or {one.weeks, other.weeks} == {"odd", "even"}:
        return False
    start, end = minute(one.starts), minute(one.starts) + one.minutes
    return start < minute(other.starts) + other.minutes and minute(other.starts) < end


def in_the_way(one: Ringing, other: Ringing) -> bool:
    """The same of two hours of one school: those that follow the same bells meet in the same 节次, whatever clock time
    was noted when they were written down."""
    if one.follows_bell and other.follows_bell and one.phase == other.phase:
        together = one.weekday == other.weekday and {one.weeks, other.weeks} != {"odd", "even"}
        return together and one.period == other.period
    return meet(one, other)
