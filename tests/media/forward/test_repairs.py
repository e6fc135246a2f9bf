"""How many packets a thin line gets again."""

from __future__ import annotations

import pytest

from media.forward.repairs import ENOUGH, Repairs

K = 1000.0


@pytest.mark.parametrize(
    ("asked", "line", "allowed"),
    [
        (40, None, 40),  # nobody knows a limit: the engine's guard does
        (40, ENOUGH, 40),
        (40, 100 * K, 3),  # a gust's packets one after another kept the queue full
        (2, 100 * K, 2),
        (0, 100 * K, 0),
    ],
)
def test_of_one_request(asked: int, line: float | None, allowed: int) -> None:
    assert Repairs().allow(asked, line, 100.0) == allowed


def test_a_fifth_of_the_line_over_time() -> None:
    repairs = Repairs()
    sent = sum(repairs.allow(5, 96 * K, 100.0 + n / 10) for n in range(300))
    assert sent == 3 + 59, "two packets of 1200 bytes a second, after the first three"


def test_a_pause_saves_no_more_than_three() -> None:
    repairs = Repairs()
    repairs.allow(5, 96 * K, 100.0)
    assert repairs.allow(5, 96 * K, 400.0) == 3
