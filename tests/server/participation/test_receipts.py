"""The rule of the effective receipt and its traps, on stories of one lesson."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.clock import to_ms
from server.lessons.models import Lesson
from server.participation.intervals import length
from server.participation.receipts import LONGEST_PRESENCE_MS, Plan, judge, opened, receive
from tests.support.ledger import MINUTE, Story

BELL = datetime(2026, 11, 16, 1, 0, tzinfo=UTC)
ROOM = "room"


@dataclass
class Bare:
    """As much of a lesson as a story needs."""

    id: str
    starts_at: datetime


def story(epoch: int = 1) -> Story:
    return Story(cast(Lesson, Bare("lesson", BELL)), epoch)


def plan(minutes: int = 40) -> Plan:
    return Plan(to_ms(BELL), to_ms(BELL + timedelta(minutes=minutes)))


def held(close: float = 40) -> Story:
    return story().open(0).sign_in(ROOM).close(close)


def test_a_whole_lesson_is_effective() -> None:
    got = receive(held().hears(ROOM, -2, 41).facts, ROOM, plan())
    assert (got.effective, got.reason) == (True, None)
    assert got.heard_ms == got.online_ms == got.delivered_ms == 40 * MINUTE


@pytest.mark.parametrize(("minutes", "effective"), [(32.0, True), (31.5, False)])
def test_eighty_percent_is_the_border(minutes: float, effective: bool) -> None:
    got = receive(held().hears(ROOM, 0, minutes).facts, ROOM, plan())
    assert got.effective is effective
    assert got.reason == (None if effective else "short")


def test_two_devices_of_one_room_count_once() -> None:
    twice = held().hears(ROOM, 0, 20).hears(ROOM, 0, 20)
    got = receive(twice.facts, ROOM, plan())
    assert got.heard_ms == 20 * MINUTE
    assert got.reason == "short"


def test_a_device_that_rejoins_and_overlaps_itself_counts_once() -> None:
    got = receive(held().hears(ROOM, 0, 20).hears(ROOM, 15, 40).facts, ROOM, plan())
    assert got.heard == (plan().window,)


def test_the_devices_of_one_room_complete_each_other() -> None:
    got = receive(held().hears(ROOM, 0, 18).hears(ROOM, 17, 36).facts, ROOM, plan())
    assert got.heard_ms == 36 * MINUTE
    assert got.effective


def test_a_mute_screen_is_online_but_not_presence() -> None:
    got = receive(held().hears(ROOM, 0, 40, heard=False).facts, ROOM, plan())
    assert (got.online_ms, got.heard_ms, got.reason) == (40 * MINUTE, 0, "short")


def test_half_an_interval_of_sound_makes_it_heard() -> None:
    told = held()
    data = {"role": "class", "seat": "r-room", "connected": True, "saw_ms": 0}
    told.tell("Presence", 1, ROOM, from_at=told.start, to_at=told.start + 10_000, heard_ms=5_000, **data)
    told.tell("Presence", 1, ROOM, from_at=told.start + 10_000, to_at=told.start + 20_000, heard_ms=4_999, **data)
    assert receive(told.facts, ROOM, plan()).heard == ((told.start, told.start + 10_000),)


def test_the_phone_of_an_assistant_is_not_the_room() -> None:
    got = receive(held().hears(ROOM, 0, 40, role="assistant").facts, ROOM, plan())
    assert got.reason == "absent"


def test_another_room_is_another_receipt() -> None:
    told = held().hears("other", 0, 40)
    assert receive(told.facts, ROOM, plan()).reason == "absent"
    assert receive(told.facts, "other", plan()).reason == "unsigned"


def test_unsigned_and_absent_and_not_held() -> None:
    assert receive(story().open().close().hears(ROOM, 0, 40).facts, ROOM, plan()).reason == "unsigned"
    assert receive(held().facts, ROOM, plan()).reason == "absent"
    assert receive(story().sign_in(ROOM).hears(ROOM, 0, 40).facts, ROOM, plan()).reason == "not_held"
    assert receive([], ROOM, plan()).reason == "not_held"


def test_a_lesson_taught_wholly_outside_its_plan_was_not_held() -> None:
    told = story().open(-60).sign_in(ROOM).hears(ROOM, -60, -20).close(-20)
    assert receive(told.facts, ROOM, plan()).reason == "not_held"


def test_a_sign_in_after_the_lesson_or_of_another_day_does_not_count() -> None:
    late = story().open().hears(ROOM, 0, 40).close(42).sign_in(ROOM, 43)
    early = story().open().hears(ROOM, 0, 40).close().sign_in(ROOM, -3 * 60)
    overtime = story().open().hears(ROOM, 0, 40).close(42).sign_in(ROOM, 41)
    assert receive(late.facts, ROOM, plan()).reason == "unsigned"
    assert receive(early.facts, ROOM, plan()).reason == "unsigned"
    assert receive(overtime.facts, ROOM, plan()).effective


def mended(told: Story, room: str = ROOM) -> Story:
    """The school answers for the sign-in two days later, and the web is no node: its facts are of epoch 0."""
    good = Story(told.lesson, 0)
    good.tell("SignInMadeGood", 2 * 24 * 60, room, person="p", asked_by="p", approved_by="q", reason="forgot")
    told.facts += good.facts
    return told


def test_a_sign_in_that_was_made_good_counts_in_its_own_room() -> None:
    told = mended(story().open().close().hears(ROOM, 0, 40).hears("other", 0, 40))
    got = receive(told.facts, ROOM, plan())
    assert (got.effective, got.signed_in_ms) == (True, None) and got.made_good_ms == told.facts[-1].at_ms
    assert receive(told.facts, "other", plan()).reason == "unsigned"


def test_what_is_made_good_makes_nothing_heard_and_holds_no_lesson_open() -> None:
    assert receive(mended(story().open().close().hears(ROOM, 0, 20)).facts, ROOM, plan()).reason == "short"
    died = mended(story().open().hears(ROOM, 0, 30))
    assert opened(died.facts) == ((to_ms(BELL), to_ms(BELL) + 30 * MINUTE),)


def test_a_closed_and_reopened_lesson_delivers_both_parts() -> None:
    told = story().open(0).close(30).reopen(33).close(40)
    assert length(opened(told.facts)) == 37 * MINUTE
    assert receive(told.facts, ROOM, plan()).delivered_ms == 37 * MINUTE


def test_without_a_closing_the_last_sign_of_life_ends_it() -> None:
    told = story().open(0).hears(ROOM, 0, 25)
    assert length(opened(told.facts)) == 25 * MINUTE


def test_a_second_epoch_opens_nothing_twice() -> None:
    first, second = story(1).open(0).hears(ROOM, 0, 10), story(2).open(12).hears(ROOM, 12, 40).close(40)
    assert length(opened(first.facts + second.facts)) == 40 * MINUTE


def test_overtime_counts_for_nothing() -> None:
    got = receive(held(close=60).hears(ROOM, 30, 60).facts, ROOM, plan())
    assert got.delivered_ms == 40 * MINUTE
    assert got.heard_ms == 10 * MINUTE


def test_a_presence_that_spans_a_clock_jump_is_not_believed() -> None:
    told = held()
    data = {"role": "class", "seat": "r-room", "connected": True, "saw_ms": 0}
    too_long = LONGEST_PRESENCE_MS + 1
    told.tell("Presence", 1, ROOM, from_at=told.start, to_at=told.start + too_long, heard_ms=too_long, **data)
    told.tell("Presence", 1, ROOM, from_at=told.start + 10, to_at=told.start, heard_ms=10, **data)
    assert receive(told.facts, ROOM, plan()).reason == "absent"


def test_the_last_headcount_holds_and_hands_are_counted_when_raised() -> None:
    told = held()
    told.tell("Headcount", 1, ROOM, expected=30, present=28, absent_seats=[1, 2])
    told.tell("Headcount", 9, ROOM, expected=30, present=29, absent_seats=[1])
    for up in (True, False, True):
        told.tell("Hand", 10, ROOM, seat="r-room", up=up, pupil=3)
    got = receive(told.facts, ROOM, plan())
    assert (got.expected, got.present, got.hands) == (30, 29, 2)


@given(st.lists(st.tuples(st.integers(-5, 45), st.integers(0, 20)), max_size=6), st.randoms())
def test_order_and_repetition_of_facts_change_nothing(spans: list[tuple[int, int]], chance: object) -> None:
    told = held()
    for start, minutes in spans:
        told.hears(ROOM, start, start + minutes)
    mixed = told.facts + told.facts[: len(told.facts) // 2]
    chance.shuffle(mixed)  # type: ignore[attr-defined]
    assert receive(mixed, ROOM, plan()) == receive(told.facts, ROOM, plan())


@given(*[st.integers(0, 60 * MINUTE)] * 4, st.booleans())
def test_effective_means_heard_enough_and_signed(
    planned: int, delivered: int, online: int, heard: int, signed: bool
) -> None:
    reason = judge(planned, delivered, online, heard, signed)
    if reason is None:
        assert signed and delivered > 0 and heard * 5 >= planned * 4
