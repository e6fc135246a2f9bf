"""When a picture may go up again after it had to go down. Pure.

Rule: two seconds after a fall; when it falls again within five seconds of rising, twice as long as last time, because a
line that swings should not make the picture swing. A line that carries twice what it did then is another line.
"""

from __future__ import annotations

from dataclasses import dataclass

_FIRST, _LONGEST = 2.0, 16.0
_SOON = 5.0


@dataclass(slots=True)
class Patience:
    """One slot's. ``note`` each change of its level; ``waits`` says whether it must stay where it is."""

    _wait: float = _FIRST
    _until: float = float("-inf")
    _rose: float = float("-inf")
    _line: float = 0.0  # bit/s when it fell

    def note(self, before: int, after: int, line: float, now: float) -> None:
        if after > before:
            self._rose = now
        elif after < before:
            self._wait = min(self._wait * 2, _LONGEST) if now - self._rose < _SOON else _FIRST
            self._until, self._line = now + self._wait, line

    def waits(self, line: float, now: float) -> bool:
        return now < self._until and line < 2 * self._line
