"""Room time: the node's monotonic milliseconds since the room was first put on a node, continued across epochs and
restarts.

The wall clock is asked once, when a process takes the room up; a clock set right or wrong in mid-lesson moves nothing.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RoomClock:
    zero_at_ms: int
    """Wall clock (Unix ms) of room time zero; stands in the log's first op."""
    base_ms: int
    """Room time at ``started``."""
    started: float
    """Monotonic seconds at which this process took the room up."""

    @classmethod
    def fresh(cls, at_ms: int, now: float) -> RoomClock:
        return cls(at_ms, 0, now)

    @classmethod
    def continued(cls, zero_at_ms: int, last_ms: int, at_ms: int, now: float) -> RoomClock:
        """Never back before the log's last op, even if this machine's clock is behind the other's."""
        return cls(zero_at_ms, max(last_ms + 1, at_ms - zero_at_ms), now)

    def room_ms(self, now: float) -> int:
        return self.base_ms + int((now - self.started) * 1000)

    def at_ms(self, now: float) -> int:
        return self.zero_at_ms + self.room_ms(now)

    def origin(self) -> float:
        """Monotonic seconds at room time zero (may be negative)."""
        return self.started - self.base_ms / 1000
