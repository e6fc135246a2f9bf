"""The gate by its table: which packets pass in which state."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media.engine import Detail
from media.forward.gate import Gate, Verdict, add_clocks

AWAY, PASSES, BEGINS = Verdict.TURNED_AWAY, Verdict.PASSES, Verdict.BEGINS


def opened(detail: Detail = Detail.ALL) -> Gate:
    """It began with number 100 at timestamp 9000."""
    gate = Gate()
    gate.begin(100, 9000)
    gate.limit(detail, 9000)
    return gate


@pytest.mark.parametrize(
    ("gate", "number", "timestamp", "start", "verdict"),
    [
        (Gate(), 5, 1, False, AWAY),
        (Gate(), 5, 1, True, BEGINS),
        (opened(), 100, 9000, True, PASSES),
        (opened(), 101, 12000, False, PASSES),
        (opened(), 99, 6000, True, AWAY),  # of before
        (opened(Detail.STILLS), 101, 9000, False, PASSES),  # the rest of what began
        (opened(Detail.STILLS), 101, 9000, True, PASSES),  # an IDR slice behind its SPS
        (opened(Detail.STILLS), 102, 12000, False, AWAY),
        (opened(Detail.STILLS), 102, 12000, True, BEGINS),
        (opened(Detail.STILLS), 98, 3000, True, AWAY),  # a key frame of before, repaired
        (opened(Detail.NOTHING), 101, 9000, False, AWAY),
        (opened(Detail.NOTHING), 102, 12000, True, AWAY),
    ],
)
def test_verdicts(gate: Gate, number: int, timestamp: int, start: bool, verdict: Verdict) -> None:
    assert gate.judge(number, timestamp, start) is verdict


def test_stills_open_one_picture_at_a_time() -> None:
    gate = opened(Detail.STILLS)
    assert gate.begin(200, 20000) == 0, "the same clock"
    assert (gate.open, gate.picture, gate.flows, gate.waiting) == (False, 20000, True, False)
    gate.limit(Detail.ALL, 20000)
    assert not gate.flows and not gate.open
    gate.begin(300, 30000)
    assert gate.open and gate.flows


def test_what_was_shut_remembers_its_clock() -> None:
    gate = opened()
    assert gate.clock == 0
    gate.shut(add_clocks(gate.clock, 500))
    gate.shut(add_clocks(gate.clock, 0xFFFFFFFF))
    assert (gate.clock, gate.waiting, gate.flows) == (499, True, False)
    gate.shut(None)
    assert gate.clock is None
    assert Gate().clock is None, "nothing passed yet: there is no clock to go on from"


@given(st.lists(st.one_of(st.none(), st.integers(0, 0xFFFFFFFF)), max_size=6))
def test_clocks_add_up_unless_one_is_unknown(clocks: list[int | None]) -> None:
    total: int | None = 0
    for clock in clocks:
        total = add_clocks(total, clock)
    known = [c for c in clocks if c is not None]
    assert total == (sum(known) % (1 << 32) if len(known) == len(clocks) else None)
