"""The one clock wheel: everything periodic in the media plane happens in ``tick``. Rule: time comes from outside."""

from __future__ import annotations

from collections.abc import Callable


class Beat:
    """``action(now)`` every ``interval`` seconds; what was slept through is not made up for."""

    __slots__ = ("action", "due", "interval")

    def __init__(self, interval: float, action: Callable[[float], None]) -> None:
        self.interval = interval
        self.action = action
        self.due = 0.0


class Wheel:
    """``tick`` returns when it wants to be called again."""

    __slots__ = ("_beats",)

    def __init__(self, *beats: Beat) -> None:
        self._beats = beats

    def tick(self, now: float) -> float:
        for beat in self._beats:
            if now >= beat.due:
                beat.due = max(beat.due + beat.interval, now + beat.interval / 2)
                beat.action(now)
        return min(beat.due for beat in self._beats)
