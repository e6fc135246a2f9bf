"""The one clock wheel: everything periodic in the media plane happens in ``tick``. Rule: time comes from outside.

A beat that looks at everybody is written as a generator: at each ``yield`` packets may pass.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

_PORTION = 8  # transports or tracks between two looks for packets: less than a millisecond


def portions(items: Iterable[T], size: int = _PORTION) -> Iterator[Sequence[T]]:
    """``items``, so many at a time; as they stand now, whatever comes in between."""
    rest = iter(list(items))
    while portion := list(islice(rest, size)):
        yield portion


def _nothing() -> None:
    return None


class Beat:
    """``action(now)`` every ``interval`` seconds; what was slept through is not made up for."""

    __slots__ = ("action", "due", "interval")

    def __init__(self, interval: float, action: Callable[[float], Iterable[None] | None]) -> None:
        self.interval = interval
        self.action = action
        self.due = 0.0


class Wheel:
    """``tick`` returns when it wants to be called again, and lets ``between`` do its work between two portions."""

    __slots__ = ("_beats",)

    def __init__(self, *beats: Beat) -> None:
        self._beats = beats

    def tick(self, now: float, between: Callable[[], None] = _nothing) -> float:
        for beat in self._beats:
            if now >= beat.due:
                beat.due = max(beat.due + beat.interval, now + beat.interval / 2)
                for _ in beat.action(now) or ():
                    between()
                between()
        return min(beat.due for beat in self._beats)


class Rota:
    """Names that want a look, each at a time of its own. Rule: costs what is due, not what is there."""

    __slots__ = ("_heap", "_when")

    def __init__(self) -> None:
        self._when: dict[str, float] = {}
        self._heap: list[tuple[float, str]] = []

    def set(self, name: str, when: float) -> None:
        self._when[name] = when
        heapq.heappush(self._heap, (when, name))

    def sooner(self, name: str, when: float) -> None:
        """Like ``set``, but never later than it stands."""
        if when < self._when.get(name, math.inf):
            self.set(name, when)

    def drop(self, name: str) -> None:
        """Its place in the heap goes when its time comes."""
        self._when.pop(name, None)

    def due(self, now: float) -> list[str]:
        """Takes off who is due, in order of time; who wants another look is set again."""
        found = []
        while self._heap and self._heap[0][0] <= now:
            when, name = heapq.heappop(self._heap)
            if self._when.get(name) == when:
                del self._when[name]
                found.append(name)
        return found
