"""Bell schedules (作息时间), pure: which bells ring at a school on a day.

A school keeps one schedule a season, each named by the day of the year on which it begins; it holds until the next
begins, around the new year too. So there is neither a gap nor an overlap to be made by mistake.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal

from server.clock import CITY

Phase = Literal["primary", "junior"]
MINUTES: dict[str, int] = {"primary": 40, "junior": 45}
"""标准课时 by phase (domain.md section 4); a school may ring otherwise."""
LAST_PRIMARY_GRADE = 6
MOST_BELLS = 12


@dataclass(frozen=True, slots=True)
class Bell:
    """第 n 节: [starts, starts + minutes) by the wall clock."""

    period: int
    starts: time
    minutes: int

    @property
    def start_minute(self) -> int:
        return self.starts.hour * 60 + self.starts.minute

    @property
    def end_minute(self) -> int:
        return self.start_minute + self.minutes

    def on(self, day: date) -> tuple[datetime, datetime]:
        start = datetime.combine(day, self.starts, CITY)
        return start, start + timedelta(minutes=self.minutes)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The bells of one season. ``begins``: (month, day)."""

    begins: tuple[int, int]
    bells: tuple[Bell, ...]


def phase_of(grade: int) -> Phase:
    return "primary" if grade <= LAST_PRIMARY_GRADE else "junior"


def in_force(schedules: Iterable[Schedule], day: date) -> Schedule | None:
    """The schedule whose season began last; None where a school has none."""
    held = sorted(schedules, key=lambda one: one.begins)
    begun = [one for one in held if one.begins <= (day.month, day.day)]
    found = begun or held
    return found[-1] if found else None


def bell(schedule: Schedule | None, period: int) -> Bell | None:
    return next((one for one in schedule.bells if one.period == period), None) if schedule else None


def overlap(bells: Sequence[Bell]) -> tuple[Bell, Bell] | None:
    """Two periods of one schedule that ring into each other, if any; periods that only touch do not."""
    held = sorted(bells, key=lambda one: one.start_minute)
    return next(((a, b) for a, b in pairwise(held) if b.start_minute < a.end_minute), None)


def cut(bells: Iterable[Bell], start: int, end: int) -> list[Bell]:
    """The periods that [start, end), in minutes of the day, takes something of."""
    return [one for one in bells if one.start_minute < end and start < one.end_minute]


def _day(minutes: int, *starts: tuple[int, int]) -> tuple[Bell, ...]:
    return tuple(Bell(number, time(*start), minutes) for number, start in enumerate(starts, 1))


USUAL: dict[str, Schedule] = {
    "primary": Schedule((1, 1), _day(40, (8, 20), (9, 15), (10, 10), (11, 0), (14, 0), (14, 55))),
    "junior": Schedule((1, 1), _day(45, (8, 0), (8, 55), (10, 0), (10, 55), (14, 0), (14, 55), (15, 50))),
}
"""What a school is taken to ring until it has said what it rings."""
