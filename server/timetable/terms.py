"""The school calendar, pure: teaching weeks, and on which days a weekly slot falls, with holidays, 调休 and 单双周.

Days are half-open nowhere: a term's two ends both belong to it, as 校历 print them. Moments are half-open everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from server.clock import CITY

Weeks = Literal["all", "odd", "even"]
"""每周, 单周, 双周: by the number of the teaching week."""
SATURDAY = 6


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A holiday, or (``runs_weekday`` set) a day that runs the timetable of another weekday; 1 = Monday.

    ``stands_for``: the very day whose lessons a make-up day runs, where the 校历 says it; 单双周 follow that day too.
    """

    holiday: bool
    runs_weekday: int | None = None
    stands_for: date | None = None


def school_year(day: date) -> int:
    """School year 2026 runs from September 2026 to August 2027."""
    return day.year if day.month >= 9 else day.year - 1


def teaching_week(starts_on: date, day: date) -> int:
    """第 n 周: week 1 is the calendar week (from Monday) in which the term starts. Before it: 0 and below."""
    return (_monday(day) - _monday(starts_on)).days // 7 + 1


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def runs(day: date, special: Mapping[date, SpecialDay]) -> int | None:
    """Whose weekday's timetable a day runs; None on holidays. An ordinary Saturday runs Saturday's, mostly empty."""
    what = special.get(day)
    if what is None:
        return day.isoweekday()
    if what.holiday:
        return None
    if what.stands_for is not None:
        return what.stands_for.isoweekday()
    return what.runs_weekday or day.isoweekday()


def week_run(starts_on: date, day: date, special: Mapping[date, SpecialDay]) -> int:
    """The teaching week whose timetable a day runs: its own, or that of the day it stands for."""
    what = special.get(day)
    stands_for = what.stands_for if what is not None and not what.holiday else None
    return teaching_week(starts_on, stands_for or day)


def in_weeks(weeks: str, week: int) -> bool:
    """Whether 每周, 单周 or 双周 lessons are held in the n-th teaching week."""
    return weeks == "all" or (weeks == "odd") == (week % 2 == 1)


def days_of(
    weekday: int,
    first: date,
    last: date,
    special: Mapping[date, SpecialDay],
    weeks: str = "all",
    starts_on: date | None = None,
) -> Iterator[date]:
    """Days in [first, last] that run ``weekday``'s timetable; of odd or even weeks counted from ``starts_on``."""
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if runs(day, special) == weekday and in_weeks(weeks, week_run(starts_on or first, day, special)):
            yield day


def is_school_day(day: date, special: Mapping[date, SpecialDay]) -> bool:
    """Monday to Friday but holidays, and every make-up day."""
    what = special.get(day)
    return day.isoweekday() < SATURDAY if what is None else not what.holiday


def school_days_after(day: date, count: int, special: Mapping[date, SpecialDay]) -> date:
    """The ``count``-th school day after ``day``: until its end a school has time to answer."""
    if count < 1:
        raise ValueError("count school days from 1")
    while count:
        day += timedelta(days=1)
        count -= is_school_day(day, special)
    return day


def lesson_span(day: date, starts: time, minutes: int) -> tuple[datetime, datetime]:
    """A slot on a day as aware moments: bells ring by the city's wall clock."""
    start = datetime.combine(day, starts, CITY)
    return start, start + timedelta(minutes=minutes)
