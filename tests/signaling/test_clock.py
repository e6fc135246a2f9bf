"""Room time goes on over restarts and never back."""

from __future__ import annotations

from signaling.clock import RoomClock


def test_fresh() -> None:
    clock = RoomClock.fresh(1_000_000, 50.0)
    assert (clock.room_ms(50.0), clock.room_ms(51.25), clock.at_ms(51.25)) == (0, 1250, 1_001_250)
    assert clock.origin() == 50.0


def test_continued_counts_the_time_away() -> None:
    clock = RoomClock.continued(1_000_000, 3_000, 1_010_000, 7.0)
    assert clock.room_ms(7.0) == 10_000 and clock.at_ms(8.0) == 1_011_000 and clock.origin() == -3.0


def test_a_clock_that_is_behind_does_not_turn_time_back() -> None:
    clock = RoomClock.continued(1_000_000, 60_000, 1_010_000, 7.0)
    assert clock.room_ms(7.0) == 60_001
