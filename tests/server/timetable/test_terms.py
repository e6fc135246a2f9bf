"""Teaching weeks and lesson days, with holidays and 调休."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

from hypothesis import given
from hypothesis import strategies as st

from server.timetable.national import KNOWN_UNTIL, known_days
from server.timetable.terms import (
    SpecialDay,
    days_of,
    in_weeks,
    is_school_day,
    lesson_span,
    runs,
    school_days_after,
    school_year,
    teaching_week,
    week_run,
)

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


def test_single_and_double_weeks_take_turns_and_a_makeup_day_takes_the_week_it_stands_for() -> None:
    starts, first, last = date(2026, 9, 1), date(2026, 9, 7), date(2026, 9, 30)
    makeup = {date(2026, 9, 20): SpecialDay(False, stands_for=date(2026, 9, 29))}  # a Sunday of week 3; Tuesday, week 5
    assert list(days_of(2, first, last, makeup, "odd", starts)) == [
        date(2026, 9, 15),
        date(2026, 9, 20),
        date(2026, 9, 29),
    ]
    assert list(days_of(2, first, last, makeup, "even", starts)) == [date(2026, 9, 8), date(2026, 9, 22)]
    assert (runs(date(2026, 9, 20), makeup), week_run(starts, date(2026, 9, 20), makeup)) == (2, 5)


@given(st.dates(date(2026, 9, 1), date(2027, 1, 20)), st.integers(0, 40))
def test_odd_and_even_weeks_are_all_weeks(first: date, days: int) -> None:
    last = date.fromordinal(first.toordinal() + days)
    for weekday in range(1, 8):
        odd, even = (set(days_of(weekday, first, last, SPECIAL, weeks, date(2026, 9, 1))) for weeks in ("odd", "even"))
        assert odd | even == set(days_of(weekday, first, last, SPECIAL)) and not odd & even
    assert all(in_weeks("all", week) for week in range(-2, 30))


def test_two_school_days_skip_weekend_and_holiday_but_not_a_makeup_saturday() -> None:
    assert school_days_after(date(2026, 11, 13), 2, {}) == date(2026, 11, 17)
    assert school_days_after(date(2026, 9, 30), 1, SPECIAL | {date(2026, 10, 2): SpecialDay(True)}) == date(2026, 10, 5)
    assert is_school_day(date(2026, 10, 10), SPECIAL) and not is_school_day(date(2026, 10, 11), SPECIAL)


@given(st.dates(date(2026, 8, 1), date(2027, 1, 20)), st.integers(1, 8))
def test_school_days_add_up(day: date, count: int) -> None:
    step = day
    for _ in range(count):
        step = school_days_after(step, 1, SPECIAL)
    assert school_days_after(day, count, SPECIAL) == step
    assert is_school_day(step, SPECIAL)


def test_the_seeded_calendar_says_how_far_it_knows_and_is_whole() -> None:
    days = list(known_days())
    by_day = {one.day: one for one in days}
    assert len(by_day) == len(days)
    assert max(by_day) <= KNOWN_UNTIL
    special = {one.day: SpecialDay(one.kind == "holiday", stands_for=one.stands_for) for one in days}
    for one in days:
        if one.kind == "makeup":
            assert one.day.isoweekday() >= 6, "only a weekend can make up"
            assert one.stands_for is not None and special[one.stands_for].holiday
            assert one.stands_for.isoweekday() <= 5, "a school day was lost"
    assert by_day[date(2026, 10, 10)].kind == "makeup"
