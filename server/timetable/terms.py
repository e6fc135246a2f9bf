"""The school calendar, pure: teaching weeks, and on which days a weekly slot falls, with holidays and 调休 honoured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from server.clock import CITY


@dataclass(frozen=True, slots=True)
class SpecialDay:
    """A holiday, or (``runs_weekday`` set) a day that runs the timetable of another weekday; 1 = Monday."""

    holiday: bool
    runs_weekday: int | None = None


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
    return None if what.holiday else what.runs_weekday or day.isoweekday()


def days_of(weekday: int, first: date, last: date, special: Mapping[date, SpecialDay]) -> Iterator[date]:
    """Days in [first, last] that run ``weekday``'s timetable."""
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        if runs(day, special) == weekday:
            yield day


def lesson_span(day: date, starts: time, minutes: int) -> tuple[datetime, datetime]:
    """A slot on a day as aware moments: bells ring by the city's wall clock."""
    start = datetime.combine(day, starts, CITY)
    return start, start + timedelta(minutes=minutes)
