"""Two schools with different bells: a legal common slot is proposed, or the obstacle named."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from server.clock import CITY
from server.timetable.bells import Bell, Schedule, cut, in_force
from server.timetable.conflicts import Resource, clashes, entry
from server.timetable.finder import Away, Side, Term, Wish, find
from server.timetable.terms import SpecialDay, days_of

MONDAY = date(2026, 11, 16)
TERM = Term(date(2026, 9, 1), MONDAY, date(2026, 12, 20), {date(2026, 11, 17): SpecialDay(True)})


def bells(*starts: tuple[int, int], minutes: int = 40, begins: tuple[int, int] = (1, 1)) -> Schedule:
    return Schedule(begins, tuple(Bell(n, time(*one), minutes) for n, one in enumerate(starts, 1)))


def side(name: str, *schedules: Schedule, away: tuple[Away, ...] = ()) -> Side:
    return Side(name, schedules, frozenset({Resource("room", f"room {name}")}), away)


TOWN = side("town", bells((8, 20), (9, 15), (10, 10)))
VILLAGE = side("village", bells((8, 0), (8, 50), (9, 30), (10, 15)))


def test_the_common_time_beside_both_bells_is_proposed_first() -> None:
    found = find([TOWN, VILLAGE], TERM, Wish(40), [])
    best = found.proposals[0]
    assert (best.weekday, best.starts) == (1, time(10, 10))
    assert [(fit.school, fit.period, fit.shift) for fit in best.fits] == [("town", 3, 0), ("village", 4, -5)]
    # 08:20 to 09:00 would cost the village its first and its second lesson
    early = next(one for one in found.refusals if (one.weekday, one.starts) == (1, time(8, 20)))
    assert [(one.cause, one.school, one.periods) for one in early.obstacles] == [("two_periods", "village", (1, 2))]


def test_where_no_time_is_legal_the_commonest_obstacle_is_named() -> None:
    other = side("other", bells((13, 0), (14, 0)))
    found = find([TOWN, other], TERM, Wish(40), [])
    assert found.proposals == ()
    assert {one.cause for one, _ in found.blame} == {"no_bell"}
    assert found.blame[0][1] == 15


def test_one_taken_day_of_the_term_refuses_the_slot_and_names_the_lesson() -> None:
    start = datetime.combine(date(2026, 12, 2), time(10, 30), CITY)
    taken = entry("the choir", start, start + timedelta(minutes=40), rooms=["room village"])
    found = find([TOWN, VILLAGE], TERM, Wish(40), [taken])
    assert 3 not in {one.weekday for one in found.proposals if one.starts == time(10, 10)}
    refused = next(one for one in found.refusals if (one.weekday, one.starts) == (3, time(10, 10)))
    [obstacle] = refused.obstacles
    assert (obstacle.cause, obstacle.days) == ("busy", 1)
    assert obstacle.clash is not None and obstacle.clash.held.id == "the choir"


def test_wishes_and_days_that_are_taken_rank() -> None:
    wish = Wish(40, prefer=frozenset({3, 4}), taken_weekdays=frozenset({3}))
    found = find([TOWN, VILLAGE], TERM, wish, [])
    assert [one.weekday for one in found.proposals[:3]] == [4, 3, 1]
    assert find([TOWN, VILLAGE], TERM, Wish(40), []).proposals[1].days == 4, "the holiday costs Tuesday one"


def test_a_season_that_does_not_fit_refuses_and_sports_days_are_lost() -> None:
    winter = side("village", VILLAGE.schedules[0], bells((8, 0), (13, 0), begins=(12, 1)))
    assert find([TOWN, winter], TERM, Wish(40), []).proposals == ()
    sports = replace(VILLAGE, away=(Away(date(2026, 11, 18), date(2026, 11, 20), "运动会"),))
    found = find([TOWN, sports], TERM, Wish(40), [])
    assert {one.weekday: one.lost for one in found.proposals}[3] == 1
    always = replace(VILLAGE, away=(Away(TERM.first, TERM.last, "停用"),))
    assert {one.cause for one, _ in find([TOWN, always], TERM, Wish(40), []).blame} >= {"no_day"}


schedules = st.lists(st.integers(0, 20), min_size=1, max_size=6, unique=True).map(
    lambda steps: Schedule(
        (1, 1), tuple(Bell(n, time(8 + step // 2, step % 2 * 30), 30) for n, step in enumerate(sorted(steps), 1))
    )
)


@settings(max_examples=40)
@given(st.lists(schedules, min_size=2, max_size=3), st.integers(20, 60), st.lists(st.integers(0, 60), max_size=3))
def test_every_proposal_is_legal(given_schedules: list[Schedule], minutes: int, taken: list[int]) -> None:
    sides = [side(f"s{n}", one) for n, one in enumerate(given_schedules)]
    held = []
    for number, step in enumerate(taken):
        start = datetime.combine(MONDAY, time(8), CITY) + timedelta(days=step % 5, minutes=step * 10)
        held.append(entry(f"h{number}", start, start + timedelta(minutes=40), rooms=["room s0"]))
    for one in find(sides, TERM, Wish(minutes), held).proposals:
        begin = one.starts.hour * 60 + one.starts.minute
        for place in sides:
            schedule = in_force(place.schedules, MONDAY)
            assert schedule is not None
            assert len(cut(schedule.bells, begin, begin + minutes)) == 1
        assert all(abs(fit.shift) <= 10 for fit in one.fits)
        for day in days_of(one.weekday, TERM.first, TERM.last, TERM.special):
            start = datetime.combine(day, one.starts, CITY)
            mine = entry("mine", start, start + timedelta(minutes=minutes), rooms=["room s0"])
            assert clashes([mine], held) == []
