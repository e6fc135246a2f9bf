"""Which sounds a line gets that cannot carry them all. Pure: the line and who is routed in, who is heard out.

Pictures have given way before. The voice of the one who speaks goes first, then the teacher's sound even in silence,
then who else speaks, then the others on the floor. Nobody is heard while somebody before him is not, and whoever comes
first is heard on any line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from media.forward.patience import Patience

_STAY, _RISE = 1.05, 0.87  # as for pictures: who is heard stays while it nearly fits, others come where there is room
_HOLD = 2.0  # seconds that a voice which still speaks stays first: two who talk at once do not cut each other up
_CALM, _TRY = 10.0, 2.0  # after so many seconds without a queue a line may be tried with so many times its estimate


@dataclass(frozen=True, slots=True)
class Sound:
    """``price``: bit/s. ``leads``: by far the loudest of those who speak, or the only one."""

    key: str
    price: float
    leads: bool = False
    speaks: bool = False
    on: bool = True


def trusted(estimate: float, last_decrease: float, now: float) -> float:
    """No estimate climbs where nothing but sound is sent, so a calm line is tried with the sound that is missing."""
    return estimate if now - last_decrease < _CALM else estimate * _TRY


def ordered(sounds: Sequence[Sound], voice: str | None) -> list[Sound]:
    """Most important first. ``sounds`` come in the order of their places: the first is the teacher's."""
    ranks = {
        one.key: 0 if one.key == voice else 1 if place == 0 else 2 if one.speaks else 3
        for place, one in enumerate(sounds)
    }
    return sorted(sounds, key=lambda one: ranks[one.key])


def audible(line: float | None, sounds: Sequence[Sound], most: int) -> int:
    """How many of the ``sounds``, most important first, are heard; ``most``: no more than that."""
    if line is None:
        return min(len(sounds), most)
    heard, price = sum(one.on for one in sounds), 0.0
    for count, one in enumerate(sounds):
        price += one.price
        if count and (count >= most or price > line * (_STAY if count < heard else _RISE)):
            return count
    return len(sounds)


@dataclass(slots=True)
class Hearing:
    """One receiver's: down at once, up again with patience."""

    _voice: str | None = None
    _since: float = float("-inf")
    _patience: Patience = field(default_factory=Patience)

    def hear(self, line: float | None, sounds: Sequence[Sound], now: float) -> frozenset[str]:
        """Keys of those who are heard from now on. ``line``: bit/s, None: nobody knows a limit."""
        before = sum(one.on for one in sounds)
        limit = float("inf") if line is None else line
        most = max(before, 1) if self._patience.waits(limit, now) else len(sounds)
        inside = ordered(sounds, self._first(sounds, now))
        after = audible(line, inside, most)
        self._patience.note(before, after, limit, now)
        return frozenset(one.key for one in inside[:after])

    def _first(self, sounds: Sequence[Sound], now: float) -> str | None:
        """The voice that goes before all others, as long as it speaks."""
        held = any(one.key == self._voice and one.speaks for one in sounds)
        leader = next((one.key for one in sounds if one.leads and one.speaks), None)
        if leader != self._voice and not (held and now - self._since < _HOLD):
            self._voice, self._since = leader, now
        return self._voice
