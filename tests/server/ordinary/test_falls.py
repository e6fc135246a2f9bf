"""On which days the hours of an ordinary timetable fall: as those of publishing, for all that share them at once."""

from __future__ import annotations

import time as clocks
from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from server.clock import CITY
from server.ordinary.falls import Calendar, Hour, fall, in_the_way, meet, slot_of
from server.timetable.bells import Bell, Schedule
from server.timetable.terms import SpecialDay

FIRST, LAST = date(2026, 9, 1), date(2026, 12, 11)
THURSDAY_OFF, SATURDAY = date(2026, 11, 26), date(2026, 11, 28)
SPECIAL = {THURSDAY_OFF: SpecialDay(True), SATURDAY: SpecialDay(False, stands_for=THURSDAY_OFF)}
PLAIN = Calendar(SPECIAL)


def hour(weekday: int = 4, **more: Any) -> Hour:
    plain: dict[str, Any] = {
        "id": "h", "school": "s", "weekday": weekday, "period": 2, "starts": time(9, 15), "minutes": 40, "weeks": "all",
        "follows_bell": False, "class_id": "c", "teacher_id": "t", "room_id": None, "phase": "primary",
        "first": FIRST, "last": LAST,
    }  # fmt: skip
    return Hour(**{**plain, **more})


def days(one: Hour, calendar: Calendar = PLAIN, first: date = date(2026, 11, 16), last: date = LAST) -> list[date]:
    return [held.starts_at.astimezone(CITY).date() for held in fall([one], calendar, first, last)]


def test_a_holiday_is_off_and_the_day_that_makes_up_for_it_runs_its_hours() -> None:
    november = [date(2026, 11, 19), SATURDAY, date(2026, 12, 3), date(2026, 12, 10)]
    assert days(hour()) == november
    assert days(hour(6)) == [date(2026, 11, 21), date(2026, 12, 5)], "that Saturday runs a Thursday"


def test_odd_and_even_weeks_share_the_days_and_a_make_up_day_follows_the_week_it_stands_for() -> None:
    odd, even = days(hour(weeks="odd")), days(hour(weeks="even"))
    assert sorted([*odd, *even]) == days(hour()) and odd and even and not set(odd) & set(even)
    assert SATURDAY in odd, "of the 13th week"


def test_days_away_of_the_school_and_days_beyond_the_term_are_free() -> None:
    away = replace(PLAIN, away={"s": [(date(2026, 11, 19), date(2026, 11, 28))], "other": [(FIRST, LAST)]})
    assert days(hour(), away) == [date(2026, 12, 3), date(2026, 12, 10)]
    assert days(hour(), PLAIN, date(2026, 12, 4), date(2027, 1, 31)) == [date(2026, 12, 10)]
    assert days(hour(), PLAIN, date(2026, 7, 1), date(2026, 8, 31)) == []


def test_times_follow_the_season_s_bell_where_the_hour_does() -> None:
    autumn = Schedule((9, 1), (Bell(2, time(9, 15), 40),))
    winter = Schedule((12, 1), (Bell(2, time(9, 25), 35), Bell(3, time(10, 20), 40)))
    bells = replace(PLAIN, bells={("s", "primary"): (autumn, winter)})
    held = list(fall([hour(follows_bell=True)], bells, date(2026, 11, 16), LAST))
    said = [f"{one.starts_at.astimezone(CITY):%m-%d %H:%M}–{one.ends_at.astimezone(CITY):%H:%M}" for one in held]
    assert said == ["11-19 09:15–09:55", "11-28 09:15–09:55", "12-03 09:25–10:00", "12-10 09:25–10:00"]
    fixed = list(fall([hour(period=9, follows_bell=True)], bells, SATURDAY, SATURDAY))
    assert [f"{one.starts_at.astimezone(CITY):%H:%M}" for one in fixed] == ["09:15"], "no such bell: as written down"


def test_an_entry_is_told_from_a_lesson() -> None:
    held = next(fall([hour()], PLAIN, FIRST, LAST))
    assert held.id == "ordinary/h/2026-09-03" and slot_of(held.id) == "h"
    assert slot_of("0123456789abcdef") is None and slot_of("new c/20260903/2") is None
    assert {need.key for need in held.needs} == {"class:c", "person:t"}


@pytest.mark.parametrize(
    ("other", "meets", "in_way"),
    [
        (hour(), True, True),
        (hour(3), False, False),
        (hour(starts=time(9, 55), period=3), False, False),
        (hour(starts=time(9, 54), period=3), True, True),
        (hour(follows_bell=True, starts=time(9, 30)), True, True),
        (hour(follows_bell=True, starts=time(14)), False, False),
    ],
)
def test_two_hours_meet(other: Hour, meets: bool, in_way: bool) -> None:
    assert (meet(hour(), other), in_the_way(hour(), other)) == (meets, in_way)


def test_odd_and_even_never_meet() -> None:
    assert not meet(hour(weeks="odd"), hour(weeks="even"))
    assert meet(hour(weeks="odd"), hour())
    assert not in_the_way(hour(weeks="odd", follows_bell=True), hour(weeks="even", follows_bell=True))


def test_hours_of_one_bell_meet_by_their_number_not_by_the_time_noted() -> None:
    """The bells were changed between one hour's entry and the next."""
    old, new = hour(follows_bell=True), hour(follows_bell=True, starts=time(9, 30))
    assert in_the_way(old, replace(new, starts=time(14)))
    assert not in_the_way(old, replace(new, period=3))
    assert in_the_way(old, replace(new, period=3, phase="junior")), "other bells: only the clock can say"


def test_a_term_of_the_hours_of_few_is_reckoned_in_milliseconds() -> None:
    """Publishing asks for a lead teacher, an assistant, two rooms and a class: twenty hours a week each."""
    many = [hour(1 + n % 5, id=f"h{n}", period=1 + n % 6, follows_bell=True) for n in range(100)]
    bells = replace(PLAIN, bells={("s", "primary"): (Schedule((1, 1), (Bell(2, time(9, 15), 40),)),)})
    best = 1.0
    for _ in range(5):
        start = clocks.process_time()
        held = list(fall(many, bells, FIRST, LAST))
        best = min(best, clocks.process_time() - start)
    assert len(held) > 1400
    assert best < 0.1, f"{best * 1000:.1f} ms"
