"""When to try for more, and how hard."""

from __future__ import annotations

import pytest

from media.forward.patience import Patience
from media.forward.probe import Prober

NEVER = float("-inf")


def test_a_line_that_is_enough_is_not_probed() -> None:
    assert Prober().due(10.0, 3_200_000, 2_500_000, 100_000, NEVER) is None


def test_not_right_after_the_line_got_worse() -> None:
    assert Prober().due(10.0, 100_000, 2_500_000, 50_000, 9.0) is None
    assert Prober().due(10.6, 100_000, 2_500_000, 50_000, 9.0) is not None


@pytest.mark.parametrize("estimate", [30_000, 50_000, 100_000, 250_000, 600_000, 2_000_000, 10_000_000])
def test_sound_waits_no_longer_than_a_third_of_a_second(estimate: float) -> None:
    probe = Prober().due(10.0, estimate, 50_000_000, estimate / 2, NEVER)
    assert probe is not None
    assert probe.size == 1500 or probe.size * 8 / estimate <= 0.26
    assert 0.0 < probe.end - probe.begin <= 0.25


def test_one_at_a_time_then_soon_after_success_later_after_failure() -> None:
    prober = Prober()
    assert prober.due(0.0, 100_000, 2_500_000, 50_000, NEVER)
    assert prober.due(0.1, 100_000, 2_500_000, 50_000, NEVER) is None
    prober.ended(0.5, 400_000)
    assert prober.due(0.8, 400_000, 2_500_000, 50_000, NEVER) is None
    assert prober.due(1.0, 400_000, 2_500_000, 50_000, NEVER)
    waits = []
    now = 1.0
    for _ in range(6):
        prober.ended(now, 400_000)
        began = now
        while prober.due(now, 400_000, 2_500_000, 50_000, NEVER) is None:
            now += 0.1
        waits.append(round(now - began, 1))
    assert waits == pytest.approx([1.0, 2.0, 3.0, 3.0, 3.0, 3.0], abs=0.2)


def test_patience_doubles_while_it_swings_and_ends_with_a_better_line() -> None:
    patience = Patience()
    waits = []
    now = 0.0
    for _ in range(5):
        patience.note(1, 0, 500_000, now)
        began = now
        while patience.waits(600_000, now):
            now += 0.1
        waits.append(round(now - began))
        patience.note(0, 1, 600_000, now)
        now += 1.0
    assert waits == [2, 4, 8, 16, 16]
    patience.note(1, 0, 500_000, now)
    assert patience.waits(600_000, now + 1) and not patience.waits(1_000_000, now + 1)
    now += 100
    patience.note(1, 0, 500_000, now)
    assert not patience.waits(500_000, now + 2.1), "after a calm time it is short again"
