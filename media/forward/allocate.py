"""Who of a line's pictures gets how much of it. Pure: a budget and what is wanted in, a level for each out.

Sound is paid first (which, where not even sound fits: ``hearing.py``). Then in order of rank a still for everybody, the
lowest layer for everybody, and what is left lifts the pictures one after another as high as they go. A level is -2
(off), -1 (stills) or a layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

OFF, STILLS = -2, -1

# A picture that is up stays while its price rises a little over the budget; to go up it must fit with room to spare:
# encoders overshoot, and a picture that changes every second is worse than a small one.
_STAY, _RISE, _BEGIN = 1.05, 0.87, 0.95  # the last: for the lowest layer, which is worth a small risk
# A still waits at the pacer until it has gone: it needs no rate of its own, only a line that sound does not fill.
_STILL_STAY, _STILL_RISE = 2.0, 0.6
# A key frame is about half a second's worth of bits, and a still comes every five seconds.
_STILL_SHARE, _STILL_LEAST = 0.10, 6_000


@dataclass(frozen=True, slots=True)
class Demand:
    """One picture. ``rank``: less is more important. ``prices``: bit/s of the layers there are, lowest first.

    ``most``: highest layer that makes sense where it is shown. ``level``: what it has now.
    """

    key: str
    rank: int
    prices: tuple[int, ...]
    most: int
    level: int = OFF

    def price(self, level: int) -> float:
        if level == OFF:
            return 0.0
        if level == STILLS:
            return max(self.prices[0] * _STILL_SHARE, _STILL_LEAST)
        return float(self.prices[level])


def allocate(budget: float | None, demands: Sequence[Demand]) -> Mapping[str, int]:
    """``budget`` is what sound has left; None: nobody knows a limit."""
    levels = {one.key: OFF for one in demands}
    left = float("inf") if budget is None else budget
    ordered = sorted(demands, key=lambda one: one.rank)
    for target in (STILLS, 0, None):
        for one in ordered:
            best = one.most if target is None else min(target, one.most)
            level = levels[one.key]
            level, left = _lift(one, level, best, left)
            levels[one.key] = level
    return levels


def _lift(one: Demand, level: int, best: int, left: float) -> tuple[int, float]:
    """The highest level up to ``best`` that fits into ``left`` on top of what it has; what is left then."""
    for wanted in range(best, level, -1):
        extra = one.price(wanted) - one.price(level)
        stays = wanted <= one.level
        if wanted == STILLS:
            factor = _STILL_STAY if stays else _STILL_RISE
        else:
            factor = _STAY if stays else _RISE if wanted else _BEGIN
        if extra <= left * factor:
            return wanted, left - extra
    return level, left
