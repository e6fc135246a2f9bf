"""Token buckets."""

from __future__ import annotations

from signaling.limits import Bucket


def test_a_burst_then_the_rate() -> None:
    bucket = Bucket.full(2.0, 3.0, 0.0)
    assert [bucket.take(0.0) for _ in range(3)] == [0, 0, 0]
    assert bucket.take(0.0) == 500 and bucket.refused == 1
    assert bucket.take(0.25) == 250 and bucket.refused == 2
    assert bucket.take(0.5) == 0 and bucket.refused == 0


def test_it_fills_no_further_than_the_burst() -> None:
    bucket = Bucket.full(10.0, 2.0, 0.0)
    assert [bucket.take(100.0) == 0 for _ in range(3)] == [True, True, False]
