"""Seasons without gap or overlap, periods that may touch."""

from __future__ import annotations

from datetime import date, time

from hypothesis import given
from hypothesis import strategies as st

from server.timetable.bells import MINUTES, USUAL, Bell, Schedule, bell, cut, in_force, overlap, phase_of

SUMMER = Schedule((5, 1), (Bell(1, time(8, 0), 40),))
WINTER = Schedule((10, 1), (Bell(1, time(8, 30), 40),))


def test_a_season_lasts_until_the_next_begins_around_the_new_year_too() -> None:
    both = [WINTER, SUMMER]
    days = [(4, 30), (5, 1), (9, 30), (10, 1), (12, 31), (1, 1)]
    assert [in_force(both, date(2026, *day)) for day in days] == [WINTER, SUMMER, SUMMER, WINTER, WINTER, WINTER]
    assert in_force([], date(2026, 1, 1)) is None
    assert in_force([SUMMER], date(2026, 1, 1)) is SUMMER


seasons = st.lists(st.dates(date(2026, 1, 1), date(2026, 12, 31)), min_size=1, max_size=4, unique=True)


@given(seasons, st.dates(date(2024, 1, 1), date(2028, 12, 31)))
def test_on_every_day_exactly_one_season_holds(begins: list[date], day: date) -> None:
    schedules = [Schedule((one.month, one.day), (Bell(1, time(8), 40),)) for one in begins]
    held = in_force(schedules, day)
    assert held in schedules
    today = (day.month, day.day)
    later = [one.begins for one in schedules if held is not None and held.begins < one.begins <= today]
    assert later == [], "one that began since would hold instead"


def test_usual_bells_do_not_ring_into_each_other_and_have_the_standard_length() -> None:
    for phase, schedule in USUAL.items():
        assert overlap(schedule.bells) is None
        assert {one.minutes for one in schedule.bells} == {MINUTES[phase]}
    assert (phase_of(6), phase_of(7)) == ("primary", "junior")


def test_periods_touch_but_do_not_overlap() -> None:
    first, second = Bell(1, time(8), 40), Bell(2, time(8, 40), 40)
    assert overlap((second, first)) is None
    assert overlap((first, Bell(2, time(8, 39), 40))) is not None
    assert cut((first, second), 480, 520) == [first]
    assert cut((first, second), 500, 540) == [first, second]
    assert cut((first, second), 560, 600) == []
    assert bell(Schedule((1, 1), (first, second)), 2) == second
    assert bell(None, 2) is None
