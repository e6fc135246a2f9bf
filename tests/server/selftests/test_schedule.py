"""When a screen tests itself: 07:30, breaks, a quarter of an hour before a lesson; and when it must not."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest

from server.clock import CITY
from server.selftests.schedule import Done, Due, Held, Span, due
from server.timetable.bells import USUAL

DAY = date(2026, 11, 16)
BELLS: list[Span] = [bell.on(DAY) for bell in USUAL["primary"].bells]
"""8:20–9:00 9:15–9:55 10:10–10:50 11:00–11:40 14:00–14:40 14:55–15:35"""


def at(clock: str) -> datetime:
    return datetime.combine(DAY, time.fromisoformat(clock), CITY)


def lesson(start: str, end: str, *, running: bool = False) -> Held:
    return Held("L", at(start), at(end), running)


def ask(clock: str, *lessons: Held, done: tuple[Done, ...] = (), bells: list[Span] | None = None) -> Due | None:
    return due(BELLS if bells is None else bells, at("07:30"), lessons, done, at(clock))


@pytest.mark.parametrize(
    ("clock", "loud"),
    [
        ("07:29", False),
        ("07:30", True),
        ("08:17", True),
        ("08:18", False),  # the class is coming in
        ("08:40", False),
        ("09:00", False),
        ("09:01", True),
        ("09:13", False),
        ("10:52", True),
        ("12:30", False),  # noon: pupils sleep
        ("13:49", False),
        ("13:50", True),
        ("13:58", False),
        ("15:40", False),
    ],
)
def test_aloud_in_the_morning_and_in_breaks_only(clock: str, loud: bool) -> None:
    assert ask(clock) == (Due("loud", None) if loud else None)


def test_once_in_each_break() -> None:
    done = (Done("loud", at("09:01")),)
    assert ask("09:05", done=done) is None
    assert ask("10:00", done=done) == Due("loud", None)
    assert ask("10:00", done=(*done, Done("silent", at("09:58")))) == Due("loud", None), "a silent one is no chirp"


def test_a_day_without_school_has_no_chirp() -> None:
    assert ask("09:05", bells=[]) is None
    assert ask("09:05", lesson("09:15", "09:55"), bells=[]) == Due("silent", "L"), "but its lesson is tested for"


def test_never_into_a_lesson_that_runs() -> None:
    """Its teacher opened early, or it runs on into the break."""
    assert ask("09:05", lesson("09:15", "09:55", running=True), done=(Done("silent", at("09:02"), "L"),)) is None
    assert ask("09:58", lesson("09:15", "09:55", running=True)) is None
    assert ask("09:13", lesson("09:14", "09:50")) is None


@pytest.mark.parametrize(
    ("clock", "silent"), [("08:59", False), ("09:00", True), ("09:12", True), ("09:13", False), ("09:20", False)]
)
def test_silently_a_quarter_of_an_hour_before(clock: str, silent: bool) -> None:
    found = ask(clock, lesson("09:15", "09:55"), done=(Done("loud", at("09:01")),))
    assert found == (Due("silent", "L") if silent else None)


def test_a_chirp_for_a_lesson_spares_the_silent_test() -> None:
    assert ask("09:05", lesson("09:15", "09:55")) == Due("loud", "L")
    assert ask("09:06", lesson("09:15", "09:55"), done=(Done("loud", at("09:05"), "L"),)) is None


def test_a_screen_waits_its_own_little_while() -> None:
    wait = timedelta(seconds=90)
    assert due(BELLS, at("07:30"), [], [], at("07:31"), wait) is None
    assert due(BELLS, at("07:30"), [], [], at("07:32"), wait) == Due("loud", None)
    assert due([], at("07:30"), [lesson("09:15", "09:55")], [], at("09:14"), wait) is None, (
        "never into the last minutes"
    )


def test_a_house_with_two_phases_is_quiet_only_when_both_are() -> None:
    both = [*BELLS, *(bell.on(DAY) for bell in USUAL["junior"].bells)]
    assert ask("09:05", bells=both) is None, "the juniors sit in their second period"
    assert ask("13:55", bells=both) == Due("loud", None)
