"""Which layers a receiver may be given now. Pure.

Rule: a layer counts while it is sent, or may still come because nobody asked for it long enough; a publisher whose own
line carries only the lower ones must not leave a hole at the top.
"""

from __future__ import annotations

from media.forward.layers import Layer
from media.parameters import Quality

_PATIENCE = 3.0  # seconds from asking a publisher for a layer until it is believed not to come
_LEVELS: dict[Quality, float] = {"high": 1.0, "mid": 0.5, "low": 0.0}


def ladder(layers: tuple[Layer, ...], now: float) -> tuple[Layer, ...]:
    """Lowest first, never empty. Prices rise from rung to rung: a layer that costs less than the one below it is the
    better buy, so the lower one goes."""
    there = [one for one in layers if one.active or one.may_come(now, _PATIENCE)] or [layers[0]]
    found: list[Layer] = []
    for one in there:
        while found and found[-1].price >= one.price and one.active:
            found.pop()
        found.append(one)
    return tuple(found)


def most_level(rungs: tuple[Layer, ...], most: Quality | None) -> int:
    """The highest rung that makes sense where it is seen; None: all."""
    top = len(rungs) - 1
    return top if most is None else int(top * _LEVELS.get(most, 0.0))
