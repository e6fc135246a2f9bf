"""When a screen tests itself, pure: aloud at 07:30 and in breaks, silently before each lesson, never into a lesson.

The web says when; the screen obeys. A break is what the school's bells leave free; nobody chirps into a noon's sleep.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal

Kind = Literal["loud", "silent"]

MORNING = time(7, 30)
SHORT_BREAK = timedelta(minutes=30)
"""In a longer one only its end is used: pupils sleep at noon."""
LAST_OF_LONG = timedelta(minutes=10)
AFTER_BELL, BEFORE_BELL = timedelta(minutes=1), timedelta(minutes=2)
"""The class before is still going out, the one after is coming in."""
SILENT_AHEAD = timedelta(minutes=15)
TAKES_SCREEN = timedelta(minutes=2)
"""As long before its bell a lesson has the screen (server/lessons/devices.py)."""
OVERTIME = timedelta(minutes=30)
"""A lesson that nobody closed does not hold its school's line and its room's screen all day."""
SPREAD = timedelta(minutes=2)
"""Screens of one city do not all begin in the same second."""


@dataclass(frozen=True, slots=True)
class Held:
    """A lesson of the room. ``running``: its room is open, whatever the plan says."""

    id: str
    starts_at: datetime
    ends_at: datetime
    running: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    kind: str
    at: datetime
    lesson: str | None = None


@dataclass(frozen=True, slots=True)
class Due:
    kind: Kind
    lesson: str | None


Span = tuple[datetime, datetime]


def quiet(periods: Iterable[Span], morning: datetime) -> Iterator[Span]:
    """When a chirp is nobody's trouble, given a day's periods (of all phases that ring in the house)."""
    end = morning
    for number, (start, until) in enumerate(sorted(periods)):
        if start - end > SHORT_BREAK and number:
            yield start - LAST_OF_LONG, start - BEFORE_BELL
        elif start > end:
            yield (end + AFTER_BELL if number else end), start - BEFORE_BELL
        end = max(end, until)


def busy(lessons: Iterable[Held], now: datetime) -> bool:
    """Whether a lesson has the screen, or is about to."""
    return any(one.running or one.starts_at - TAKES_SCREEN <= now < one.ends_at for one in lessons)


def loud_due(
    periods: Sequence[Span], morning: datetime, done: Sequence[Done], now: datetime, wait: timedelta = timedelta()
) -> bool:
    """Once in each quiet time."""
    for start, until in quiet(periods, morning):
        if start + wait <= now < until:
            return not any(one.kind == "loud" and one.at >= start for one in done)
    return False


def coming(lessons: Iterable[Held], now: datetime, wait: timedelta = timedelta()) -> Held | None:
    """The next lesson that is near enough to be tested for."""
    near = [one for one in lessons if one.starts_at - SILENT_AHEAD + wait <= now < one.starts_at - TAKES_SCREEN]
    return min(near, key=lambda one: one.starts_at, default=None)


def due(
    periods: Sequence[Span],
    morning: datetime,
    lessons: Sequence[Held],
    done: Sequence[Done],
    now: datetime,
    wait: timedelta = timedelta(),
) -> Due | None:
    """``wait``: this screen's own small delay, less than ``SPREAD``. No periods: no school today, no chirp."""
    near = coming(lessons, now, wait)
    if periods and not busy(lessons, now) and loud_due(periods, morning, done, now, wait):
        return Due("loud", near.id if near else None)
    if near and not any(one.lesson == near.id for one in done):
        return Due("silent", near.id)
    return None
