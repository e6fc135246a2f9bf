"""Publishers' sender-report clocks on the node's own clock, so that all tracks of a lesson share one.

Rule: the offset is the windowed minimum of (arrival - SR time): a laptop's wrong clock and a slow packet move nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

# Long enough to hold a report that met no queue, short enough to follow a drift of 100 ppm within 3 ms.
_WINDOW = 30.0
# No queue holds a report that long: the publisher's clock was set.
_STEP = 5.0
# NTP stamps we send count from here: any constant does, zero would read as "unknown".
NTP_BASE = float(1 << 31)


@dataclass(frozen=True, slots=True)
class SenderClock:
    """Newest report of one stream."""

    ssrc: int
    ntp_seconds: float
    rtp_timestamp: int
    middle: int  # LSR
    arrival: float


class PublisherClock:
    """One publisher's offset: its streams share its clock."""

    __slots__ = ("_samples",)

    def __init__(self) -> None:
        self._samples: deque[tuple[float, float]] = deque()

    def note(self, ntp_seconds: float, arrival: float) -> None:
        """A monotonic deque: the front is the minimum of the window."""
        offset = arrival - ntp_seconds
        if self._samples and abs(offset - self._samples[0][1]) > _STEP:
            self._samples.clear()
        while self._samples and self._samples[-1][1] >= offset:
            self._samples.pop()
        self._samples.append((arrival, offset))
        while arrival - self._samples[0][0] > _WINDOW:
            self._samples.popleft()

    def node_time(self, ntp_seconds: float) -> float | None:
        return ntp_seconds + self._samples[0][1] if self._samples else None

    def timestamp_at(self, sr: SenderClock, now: float, clock_rate: int) -> int | None:
        """The stream's RTP timestamp at the node's ``now``."""
        at = self.node_time(sr.ntp_seconds)
        return None if at is None else round(sr.rtp_timestamp + (now - at) * clock_rate) & 0xFFFFFFFF
