"""How many lost packets of pictures a thin line gets again. Pure.

The engine's guard (``history.ResendGuard``) knows what was sent, not what the line carries: its floor of 60 kbit/s is
more than a line of 100 has beside sound. What is sent again overtakes all that waits, and lost packets that came again
one after another kept such a line's queue full for two seconds after each gust.
"""

from __future__ import annotations

from dataclasses import dataclass

ENOUGH = 150_000.0  # bit/s of an estimate from which on the engine's guard is enough
_SHARE = 0.2  # of the estimate
_PACKET = 1200 * 8.0
_MOST = 3.0  # packets at once: one lost of a still, and two more


@dataclass(slots=True)
class Repairs:
    """One receiver's."""

    _packets: float = _MOST
    _at: float = 0.0

    def allow(self, asked: int, line: float | None, now: float) -> int:
        """How many of so many packets are sent again. ``line``: bit/s of the estimate, None: nobody knows a limit."""
        if line is None or line >= ENOUGH:
            return asked
        self._packets = min(_MOST, self._packets + (now - self._at) * line * _SHARE / _PACKET)
        self._at = now
        allowed = min(asked, int(self._packets))
        self._packets -= allowed
        return allowed
