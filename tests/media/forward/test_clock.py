from __future__ import annotations

import random

import pytest

from media.forward.clock import PublisherClock, SenderClock


def test_a_wrong_clock_and_slow_packets_move_nothing() -> None:
    """The laptop is an hour off, reports are delayed by 20..500 ms: the offset is that of the quickest."""
    clock, chance = PublisherClock(), random.Random(1)
    for second in range(30):
        clock.note(3600.0 + second, second + 0.020 + chance.random() * 0.480)
    clock.note(3600.0 + 30, 30.020)
    assert clock.node_time(3600.0 + 31) == pytest.approx(31.020)


def test_the_window_forgets() -> None:
    clock = PublisherClock()
    clock.note(0.0, 0.010)
    for second in range(1, 60):
        clock.note(float(second), second + 0.050)
    assert clock.node_time(60.0) == pytest.approx(60.050)


def test_a_clock_that_is_set_counts_at_once() -> None:
    clock = PublisherClock()
    clock.note(100.0, 5.0)
    clock.note(100.0 - 3600, 6.0)
    assert clock.node_time(101.0 - 3600) == pytest.approx(7.0)


def test_timestamp_of_now() -> None:
    clock = PublisherClock()
    assert clock.timestamp_at(SenderClock(1, 50.0, 1000, 0, 7.0), 8.0, 90000) is None
    clock.note(50.0, 7.0)
    report = SenderClock(1, 50.0, 0xFFFFFFF0, 0, 7.0)
    assert clock.timestamp_at(report, 8.0, 90000) == 90000 - 16
