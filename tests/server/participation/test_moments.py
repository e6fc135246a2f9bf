"""Wrong clocks are mended; right ones are left alone."""

from __future__ import annotations

import pytest

from server.participation.moments import Entry, corrected
from signaling.facts import Fact
from tests.server.participation.test_receipts import ROOM, held, plan, receive, story
from tests.support.ledger import MINUTE, Story

AN_HOUR = 60 * MINUTE


def received(facts: list[Fact], truth: Story, later_ms: int = 800) -> list[Entry]:
    """Shipped ``later_ms`` after they truly happened."""
    real = {fact.id: fact.at_ms for fact in truth.facts}
    return [Entry(fact, real[fact.id] + later_ms) for fact in facts]


def told() -> Story:
    return held().hears(ROOM, 0, 40)


def test_right_clocks_are_left_alone() -> None:
    tale = told()
    mended = corrected(received(tale.facts, tale))
    assert sorted(mended, key=lambda fact: fact.id) == sorted(tale.facts, key=lambda fact: fact.id)


def test_facts_that_come_a_day_late_are_left_alone() -> None:
    tale = told()
    assert receive(corrected(received(tale.facts, tale, 24 * AN_HOUR)), ROOM, plan()).heard_ms == 40 * MINUTE


@pytest.mark.parametrize("ahead_ms", [AN_HOUR, 8 * AN_HOUR])
def test_a_node_that_is_ahead_changes_no_figure(ahead_ms: int) -> None:
    tale = told()
    right = receive(tale.facts, ROOM, plan())
    mended = receive(corrected(received(tale.skewed(ahead_ms), tale)), ROOM, plan())
    assert mended.effective
    assert abs(mended.heard_ms - right.heard_ms) <= 1_000
    assert not receive(tale.skewed(ahead_ms), ROOM, plan()).effective  # without mending it would


@pytest.mark.parametrize("by_ms", [AN_HOUR, -AN_HOUR])
def test_a_clock_set_in_mid_lesson_changes_no_figure(by_ms: int) -> None:
    tale = told()
    mended = receive(corrected(received(tale.skewed(by_ms, since_minute=25), tale)), ROOM, plan())
    assert mended.effective
    assert abs(mended.heard_ms - 40 * MINUTE) <= 1_000


def test_epochs_have_clocks_of_their_own() -> None:

    first, second = (
        story(1).open(0).sign_in(ROOM, 1).hears(ROOM, 0, 20),
        story(2).open(20).hears(ROOM, 20, 40).close(40),
    )
    entries = received(first.facts, first) + received(second.skewed(AN_HOUR), second)
    got = receive(corrected(entries), ROOM, plan())
    assert got.effective
    assert abs(got.heard_ms - 40 * MINUTE) <= 1_000
