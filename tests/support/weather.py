"""Network weather without a network: one line with a rate, a delay, a loss and a queue, all from a seed.

``Line.carry`` says when a datagram that is sent now arrives, or that it never does: sans-IO, so that a minute of a bad
line takes milliseconds. ``tests/bench/weak.py`` puts the same line between Chromium and the node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random


@dataclass(frozen=True, slots=True)
class Weather:
    """``rate`` bit/s with IP and UDP headers, None: no limit. ``delay`` one way, ``jitter`` on top, never reordering.

    ``burst``: mean number of packets that are lost in a row (1: each for itself). ``queue``: seconds that the router
    before the thin part holds back before it drops.
    """

    rate: float | None = None
    delay: float = 0.02
    loss: float = 0.0
    jitter: float = 0.0
    burst: float = 1.0
    queue: float = 0.4


HEADERS = 28  # IPv4 and UDP


@dataclass(slots=True)
class Line:
    """``changes``: (from second, weather); the first must start at or before the first packet."""

    changes: Sequence[tuple[float, Weather]]
    seed: int = 1
    free_at: float = 0.0
    last_arrival: float = 0.0
    sent: int = 0
    lost: int = 0
    dropped: int = 0
    _bad: bool = False
    _random: Random = field(default_factory=Random)

    def __post_init__(self) -> None:
        self._random = Random(self.seed)

    def weather(self, now: float) -> Weather:
        found = self.changes[0][1]
        for since, weather in self.changes:
            if now >= since:
                found = weather
        return found

    def carry(self, size: int, now: float) -> float | None:
        """When a datagram with this many bytes of UDP payload arrives; None: lost or dropped."""
        weather = self.weather(now)
        self.sent += 1
        begin = max(self.free_at, now)
        if weather.rate is not None:
            if begin - now > weather.queue:
                self.dropped += 1
                return None
            self.free_at = begin = begin + (size + HEADERS) * 8 / weather.rate
        if self._loses(weather):
            self.lost += 1
            return None
        jitter = self._random.random() * weather.jitter
        self.last_arrival = max(self.last_arrival, begin + weather.delay + jitter)
        return self.last_arrival

    def queued(self, now: float) -> float:
        """Seconds of queue."""
        return max(0.0, self.free_at - now)

    def _loses(self, weather: Weather) -> bool:
        """Gilbert's two states, so that losses come in rows of ``burst`` on average and ``loss`` overall."""
        if weather.loss <= 0:
            return False
        if weather.burst <= 1:
            return self._random.random() < weather.loss
        leave = 1 / weather.burst
        enter = leave * weather.loss / (1 - weather.loss)
        self._bad = self._random.random() >= leave if self._bad else self._random.random() < enter
        return self._bad


def steady(**settings: float) -> Line:
    """A line that never changes."""
    return Line([(0.0, replace(Weather(), **settings))])
