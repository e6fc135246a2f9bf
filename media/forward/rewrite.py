"""Maps the packets of changing sources onto one outgoing stream without a seam (the receiver sees one sender for ever).

Rule: inside one source the mapping is an addition, so losses stay visible as losses and a NACKed number can be traced
back; a switch starts the next segment right behind the highest number sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.wire.sequence import FIRST_CYCLE, extend

_SEGMENTS = 8  # switches that a NACK may look back over
_SMALLEST_STEP = 1 / 30  # seconds between the last packet of one source and the first of the next


@dataclass(slots=True)
class Segment:
    """Packets from ``first`` on (source's number) go out as number + ``offset``."""

    stream: int
    first: int
    offset: int
    timestamp_offset: int


class Rewriter:
    """Per packet a subscription adds ``offset`` and ``timestamp_offset`` itself and books ``highest``, ``last_*``."""

    __slots__ = ("_clock", "_segments", "first", "highest", "last_at", "last_timestamp", "offset", "timestamp_offset")

    def __init__(self, clock_rate: int, sequence: int, timestamp: int) -> None:
        self._clock = clock_rate
        self._segments: list[Segment] = []
        self.highest = FIRST_CYCLE + sequence - 1
        self.last_timestamp = timestamp
        self.last_at = -1.0
        self.first = 0
        self.offset = 0
        self.timestamp_offset = 0

    def switch(self, stream: int, number: int, timestamp: int, now: float) -> None:
        """The packet with this number and timestamp will be the first of the new source."""
        passed = max(now - self.last_at, _SMALLEST_STEP) if self.last_at >= 0 else 0.0
        self.first = number
        self.offset = self.highest + 1 - number
        self.timestamp_offset = (self.last_timestamp + round(passed * self._clock) - timestamp) & 0xFFFFFFFF
        self._segments.append(Segment(stream, number, self.offset, self.timestamp_offset))
        del self._segments[:-_SEGMENTS]

    def locate(self, sequence: int) -> tuple[int, Segment] | None:
        """Outgoing number and segment of a NACKed 16-bit sequence number."""
        out = extend(sequence, self.highest)
        if out > self.highest:
            return None
        for segment in reversed(self._segments):
            if out >= segment.first + segment.offset:
                return out, segment
        return None
