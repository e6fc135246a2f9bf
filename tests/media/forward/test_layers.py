"""Prices, wishes, the ladder and the clock of layers."""

from __future__ import annotations

import pytest

from media.engine import Reception
from media.forward import layers
from media.forward.clock import SenderClock
from media.forward.ladder import ladder, most_level
from media.forward.layers import Layer
from media.parameters import Quality


def three(active: str = "qhf") -> tuple[Layer, ...]:
    made = layers.make([1, 2, 3], ("q", "h", "f"), True)
    for one in made:
        one.active = (one.rid or "") in active
    return made


def seen(packets: int, size: int, at: float) -> Reception:
    return Reception(1, packets, packets, packets, 0, size, at)


@pytest.mark.parametrize(
    ("active", "level", "expected"),
    [
        ("qhf", 2, "f"),
        ("qhf", 0, "q"),
        ("qh", 2, "h"),
        ("q", 2, "q"),
        ("", 1, "h"),  # nothing runs yet: wait for what is wanted
        ("f", 0, None),  # only what the line does not carry
        ("hf", 1, "h"),
        ("qhf", -1, "q"),  # stills are of the lowest
    ],
)
def test_the_layer_to_show(active: str, level: int, expected: str | None) -> None:
    found = layers.nearest(three(active), level)
    assert (found.rid if found else None) == expected


def test_prices_follow_what_is_sent_and_outlive_a_pause() -> None:
    layer = three()[0]
    for second in range(30):
        layer.measure(seen(20 * second, 25_000 * second, float(second)), float(second))
    assert layer.price == pytest.approx(200_000 + 20 * 44 * 8, rel=0.02)
    before = layer.price
    layer.measure(seen(20 * 30, 25_000 * 29 + 500, 29.1), 30.0)
    assert layer.price == before, "the second in which it stopped is no measure"


def test_a_ladder_leaves_out_what_does_not_come() -> None:
    made = three("q")
    assert [one.rid for one in ladder(made, 0.0)] == ["q", "h", "f"], "nobody asked for them yet"
    made[2].want(0.0)
    assert [one.rid for one in ladder(made, 2.0)] == ["q", "h", "f"]
    assert [one.rid for one in ladder(made, 4.0)] == ["q", "h"], "asked for, and did not come"
    assert [one.rid for one in ladder(made, 20.0)] == ["q", "h", "f"], "it may be tried again"


def test_a_better_layer_that_costs_less_makes_the_lower_one_useless() -> None:
    made = three()
    made[0].price, made[1].price = 160_000, 20_000
    assert [one.rid for one in ladder(made, 0.0)] == ["h", "f"]


@pytest.mark.parametrize(
    ("active", "most", "level"), [("qhf", None, 2), ("qhf", "high", 2), ("qhf", "mid", 1), ("qhf", "low", 0)]
)
def test_no_better_than_makes_sense(active: str, most: Quality | None, level: int) -> None:
    assert most_level(three(active), most) == level


@pytest.mark.parametrize(
    ("count", "level", "name"),
    [
        (3, 2, "high"),
        (3, 1, "mid"),
        (3, 0, "low"),
        (2, 1, "high"),
        (2, 0, "low"),
        (1, 0, "high"),
        (3, -1, "stills"),
        (1, -2, "off"),
        (4, 3, "high"),
        (4, 2, "mid"),
        (4, 0, "low"),
    ],
)
def test_names(count: int, level: int, name: str) -> None:
    assert layers.quality(count, level) == name


def test_clocks_of_two_layers_by_their_reports() -> None:
    """The same instant on both: (old report + 2 s) and (new report + 1 s)."""
    old, new, _ = three()
    assert layers.offset(old, new, 90_000) is None
    old.sr = SenderClock(1, 1000.0, 0xFFFFFF00, 0, 0.0)
    new.sr = SenderClock(2, 1001.0, 5000, 0, 0.0)
    offset = layers.offset(old, new, 90_000)
    assert offset is not None
    assert (5000 + 90_000 + offset) & 0xFFFFFFFF == (0xFFFFFF00 + 180_000) & 0xFFFFFFFF


def test_a_wish_lingers() -> None:
    made = three()
    made[1].want(100.0)
    assert layers.wanted(made, 105.0) == ("h",)
    assert layers.wanted(made, 111.0) == ()
