"""The table of who gets what."""

from __future__ import annotations

import pytest

from media.forward.allocate import OFF, STILLS, Demand, allocate

CAMERA = (150_000, 500_000, 2_000_000)
K = 1000


def camera(level: int = OFF, rank: int = 1, key: str = "camera", most: int = 2) -> Demand:
    return Demand(key, rank, CAMERA, most, level)


def screen(level: int = OFF) -> Demand:
    return Demand("screen", 0, (800_000,), 0, level)


# budget for pictures, what is wanted, what each gets
TABLE = [
    # one camera, coming from nothing: what fits with room to spare
    (None, [camera()], {"camera": 2}),
    (3000 * K, [camera()], {"camera": 2}),
    (2100 * K, [camera()], {"camera": 1}),
    (600 * K, [camera()], {"camera": 1}),
    (540 * K, [camera()], {"camera": 0}),
    (180 * K, [camera()], {"camera": 0}),
    (160 * K, [camera()], {"camera": 0}),
    (150 * K, [camera()], {"camera": STILLS}),
    (60 * K, [camera()], {"camera": STILLS}),
    (10 * K, [camera()], {"camera": OFF}),
    (-20 * K, [camera()], {"camera": OFF}),
    # hysteresis: who is up stays while it nearly fits
    (2000 * K, [camera(2)], {"camera": 2}),
    (1920 * K, [camera(2)], {"camera": 2}),
    (1890 * K, [camera(2)], {"camera": 1}),
    (145 * K, [camera(0)], {"camera": 0}),
    (140 * K, [camera(0)], {"camera": STILLS}),
    # the screen goes first, the camera keeps its lowest layer
    (3500 * K, [camera(), screen()], {"screen": 0, "camera": 2}),
    (1200 * K, [camera(), screen()], {"screen": 0, "camera": 0}),
    (950 * K, [camera(), screen()], {"screen": 0, "camera": STILLS}),
    # a screen that does not fit becomes stills, and the camera takes the line
    (700 * K, [camera(), screen()], {"screen": STILLS, "camera": 1}),
    (150 * K, [camera(), screen()], {"screen": STILLS, "camera": STILLS}),
    (100 * K, [camera(), screen()], {"screen": OFF, "camera": STILLS}),
    # stills stay where sound leaves anything, but begin only where there is room
    (20 * K, [camera()], {"camera": OFF}),
    (20 * K, [camera(STILLS)], {"camera": STILLS}),
    (8 * K, [camera(STILLS)], {"camera": STILLS}),
    (7 * K, [camera(STILLS)], {"camera": OFF}),
    # everybody's lowest layer before anybody's second
    (
        800 * K,
        [camera(), camera(rank=2, key="room1"), camera(rank=3, key="room2")],
        {"camera": 0, "room1": 0, "room2": 0},
    ),
    (
        1000 * K,
        [camera(rank=2, key="room1"), camera(), camera(rank=3, key="room2")],
        {"camera": 1, "room1": 0, "room2": 0},
    ),
    # a small tile never takes more than its cap
    (None, [camera(), camera(rank=2, key="room1", most=1)], {"camera": 2, "room1": 1}),
    (9000 * K, [camera(most=0)], {"camera": 0}),
    # nothing to show
    (100 * K, [], {}),
]


@pytest.mark.parametrize(("budget", "demands", "expected"), TABLE)
def test_table(budget: float | None, demands: list[Demand], expected: dict[str, int]) -> None:
    assert dict(allocate(budget, demands)) == expected


def test_never_more_than_the_budget_but_for_those_who_stay() -> None:
    for budget in range(0, 6_000_000, 37_000):
        demands = [screen(), camera(), camera(rank=2, key="room1"), camera(rank=3, key="room2")]
        levels = allocate(budget, demands)
        assert sum(one.price(levels[one.key]) for one in demands) <= budget


def test_more_budget_never_means_less_for_the_first() -> None:
    before = OFF
    for budget in range(0, 6_000_000, 11_000):
        level = allocate(budget, [camera(), camera(rank=2, key="room1")])["camera"]
        assert level >= before
        before = level


def test_what_it_has_settles() -> None:
    """The same budget again changes nothing: no picture swings between two levels."""
    for budget in range(0, 6_000_000, 23_000):
        demands = [screen(), camera(), camera(rank=2, key="room1")]
        for _ in range(3):
            levels = allocate(budget, demands)
            demands = [Demand(d.key, d.rank, d.prices, d.most, levels[d.key]) for d in demands]
        assert dict(allocate(budget, demands)) == dict(levels)
