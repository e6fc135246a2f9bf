"""When to try whether a line carries more, and how hard. Pure: a state machine asked ten times a second.

A probe is a short burst of old packets sent again as RTX (receivers drop them): an estimate alone climbs 8 % a
second, a line that comes back is found by tripling within seconds. Rule: a probe adds at most an eighth of a second's
worth of the line to its queue, because sound waits behind it.
"""

from __future__ import annotations

from dataclasses import dataclass

_FACTORS = ((300_000.0, 8.0), (1_000_000.0, 4.0))  # up to this estimate so many times it; what counts is its size
_FACTOR = 3.0
_DURATION = 0.100
_QUEUE = 0.12  # seconds of the estimate that a probe may cost
_LEAST, _MOST = 1_500, 60_000  # bytes: two packets say something, more than the latter is no probe any more
_NEXT = 0.4  # after a success: the feedback is there and the queue is empty
_PATIENCE = (1.0, 2.0, 3.0)  # after failures in a row; the last one goes on for ever: 8 s from 60 kbit/s to all,
_AT_EASE, _EASY = 6.0, 1_000_000.0  # and longer where a good picture goes through anyway
_AFTER_DECREASE = 1.5
_SUCCESS = 1.2
_ENOUGH = 1.25  # of what is wanted: a picture goes up only where there is room to spare


@dataclass(frozen=True, slots=True)
class Probe:
    """Send ``size`` bytes evenly from ``begin`` to ``end``; with what is sent anyway that makes ``goal`` bit/s."""

    begin: float
    end: float
    size: int
    goal: float


@dataclass(slots=True)
class Prober:
    """One subscriber's. ``due`` gives a probe when it is time for one; ``ended`` says how the last one went."""

    _waits_until: float = 0.0
    _failures: int = 0
    _estimate: float = 0.0
    _running: bool = False

    def due(self, now: float, estimate: float, wanted: float, media: float, last_decrease: float) -> Probe | None:
        """``wanted``: bit/s of everything at its best; ``media``: bit/s that are sent anyway."""
        if self._running or now < self._waits_until or estimate >= wanted * _ENOUGH:
            return None
        if now - last_decrease < _AFTER_DECREASE:
            return None
        factor = next((factor for limit, factor in _FACTORS if estimate < limit), _FACTOR)
        goal = min(estimate * factor, max(wanted * _ENOUGH * _SUCCESS, estimate * 1.3))
        extra = max(goal - media, goal / 4) * _DURATION / 8
        size = round(min(max(extra, _LEAST), _MOST, max(estimate * _QUEUE / 8, _LEAST)))
        duration = max(size * 8 / max(goal - media, goal / 4), 0.015)
        self._running, self._estimate = True, estimate
        return Probe(now, now + min(duration, 0.25), size, goal)

    def ended(self, now: float, estimate: float) -> None:
        """The estimate after the probe was judged."""
        self._running = False
        if estimate >= self._estimate * _SUCCESS:
            self._failures = 0
            self._waits_until = now + _NEXT
        else:
            known = self._failures >= len(_PATIENCE)
            wait = _AT_EASE if known and estimate > _EASY else _PATIENCE[-1] if known else _PATIENCE[self._failures]
            self._waits_until = now + wait
            self._failures += 1
