"""Teaching weeks and lesson days, with holidays and 调休."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from hypothesis import given
from hypothesis import strategies as st

from server.timetable.terms import SpecialDay, days_of, lesson_span, runs, school_year, teaching_week

SPECIAL = {
    date(2026, 10, 1): SpecialDay(holiday=True),
    date(2026, 10, 10): SpecialDay(holiday=False, runs_weekday=3),  # a Saturday that runs Wednesday's timetable
    date(2026, 10, 17): SpecialDay(holiday=False),
}


def test_a_holiday_has_no_lessons_and_a_makeup_day_has_anothers() -> None:
    first, last = date(2026, 9, 28), date(2026, 10, 11)
    assert list(days_of(4, first, last, SPECIAL)) == [date(2026, 10, 8)]
    assert list(days_of(3, first, last, SPECIAL)) == [date(2026, 9, 30), date(2026, 10, 7), date(2026, 10, 10)]
    assert list(days_of(6, first, last, SPECIAL)) == [date(2026, 10, 3)]
    assert runs(date(2026, 10, 17), SPECIAL) == 6


def test_weeks_count_from_the_monday_of_the_first_day() -> None:
    starts = date(2026, 9, 1)  # a Tuesday
    assert teaching_week(starts, date(2026, 8, 31)) == 1
    assert teaching_week(starts, date(2026, 9, 6)) == 1
    assert teaching_week(starts, date(2026, 9, 7)) == 2
    assert teaching_week(starts, date(2026, 8, 30)) == 0


def test_school_years_turn_in_september() -> None:
    assert school_year(date(2026, 8, 31)) == 2025
    assert school_year(date(2026, 9, 1)) == 2026
    assert school_year(date(2027, 1, 15)) == 2026


def test_bells_ring_by_the_citys_clock() -> None:
    start, end = lesson_span(date(2026, 11, 16), time(8, 20), 40)
    assert start == datetime(2026, 11, 16, 0, 20, tzinfo=UTC)
    assert (end - start).total_seconds() == 40 * 60


@given(st.dates(date(2026, 9, 1), date(2026, 12, 1)), st.integers(0, 60))
def test_every_day_runs_one_weekday_or_none(first: date, days: int) -> None:
    last = date.fromordinal(first.toordinal() + days)
    found = [day for weekday in range(1, 8) for day in days_of(weekday, first, last, SPECIAL)]
    holidays = sum(what.holiday and first <= day <= last for day, what in SPECIAL.items())
    assert len(found) == len(set(found)) == days + 1 - holidays
