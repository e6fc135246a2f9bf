"""A school's line as a resource, pure: what it was measured to carry, and which lessons at once are too much for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

RECENT = timedelta(days=30)
MEASURES = 10
"""The median of so many: one bad morning is no narrow line, one good night no wide one."""

LEADS_UP, LEADS_DOWN = 2000, 500
"""kbit/s of a led lesson: two layers and the slides out; a tile in for each receiving room."""
RECEIVES_UP, RECEIVES_DOWN = 500, 1500
"""kbit/s of a received lesson: its picture out while on stage; the teacher's middle layer and a shared screen in."""


@dataclass(frozen=True, slots=True)
class Line:
    up: int
    down: int
    measures: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Use:
    """What one lesson takes of one school's line."""

    lesson: str
    starts_at: datetime
    ends_at: datetime
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """``wanted`` and ``others`` at once are more than the line carries."""

    wanted: Use
    others: tuple[Use, ...]


def measured(rows: Sequence[tuple[int, int, datetime]]) -> Line | None:
    """(up, down, at), the newest first."""
    some = rows[:MEASURES]
    if not some:
        return None
    return Line(median_low([up for up, _, _ in some]), median_low([down for _, down, _ in some]), len(some), some[0][2])


def carries(line: Line, *, leads: bool) -> int:
    """So many lessons at once, all led here or all received here."""
    up, down = (LEADS_UP, LEADS_DOWN) if leads else (RECEIVES_UP, RECEIVES_DOWN)
    return min(line.up // up, line.down // down)


def leading(lesson: str, starts_at: datetime, ends_at: datetime, receivers: int) -> Use:
    return Use(lesson, starts_at, ends_at, LEADS_UP, LEADS_DOWN * max(1, receivers))


def receiving(lesson: str, starts_at: datetime, ends_at: datetime, rooms: int) -> Use:
    return Use(lesson, starts_at, ends_at, RECEIVES_UP * rooms, RECEIVES_DOWN * rooms)


def crowds(wanted: Iterable[Use], held: Iterable[Use], line: Line) -> list[Crowd]:
    """Lessons that newly crowd the line. One lesson alone never does: it goes on with less picture."""
    new = list(wanted)
    ids = {one.lesson for one in new}
    every = sorted([*new, *(one for one in held if one.lesson not in ids)], key=lambda one: (one.starts_at, one.lesson))
    found = (_crowd(one, every, line) for one in sorted(new, key=lambda one: (one.starts_at, one.lesson)))
    return [one for one in found if one is not None]


def _crowd(wanted: Use, every: Sequence[Use], line: Line) -> Crowd | None:
    """The fullest moment of the wanted lesson: it begins when some lesson begins (half-open spans, as everywhere)."""
    near = [one for one in every if one.starts_at < wanted.ends_at and wanted.starts_at < one.ends_at]
    moments = sorted({max(one.starts_at, wanted.starts_at) for one in near})
    for moment in moments:
        there = [one for one in near if one.starts_at <= moment < one.ends_at]
        too_much = sum(one.up for one in there) > line.up or sum(one.down for one in there) > line.down
        if too_much and len(there) > 1:
            return Crowd(wanted, tuple(one for one in there if one.lesson != wanted.lesson))
    return None
