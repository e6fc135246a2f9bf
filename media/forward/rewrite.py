"""Maps the packets of changing sources onto one outgoing stream without a seam (the receiver sees one sender for ever).

Rule: inside one segment the mapping is an addition, so losses stay visible as losses and a NACKed number can be traced
back; a switch, or what follows packets that were dropped on purpose, starts the next segment right behind the highest
number sent.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.wire.sequence import FIRST_CYCLE, extend, signed32
from media.wire.vp8 import Shift

_SEGMENTS = 8  # switches that a NACK may look back over
_SMALLEST_STEP = 1 / 30  # seconds between the last packet of one source and the first of the next
_PLAUSIBLE = 2.0  # seconds that a clock from sender reports may differ from the arrivals: more is a wrong report


@dataclass(slots=True)
class Segment:
    """Packets from ``first`` on (source's number) go out as number + ``offset``."""

    stream: int
    first: int
    offset: int
    timestamp_offset: int
    shift: Shift | None = None  # VP8 only


class Rewriter:
    """Per packet a subscription adds ``offset`` and ``timestamp_offset`` itself and books ``highest``, ``last_*``."""

    __slots__ = (
        "_base",
        "_rate",
        "_segments",
        "first",
        "highest",
        "last_at",
        "last_timestamp",
        "offset",
        "timestamp_offset",
    )

    def __init__(self, clock_rate: int, sequence: int, timestamp: int) -> None:
        self._rate = clock_rate
        self._segments: list[Segment] = []
        self._base = 0  # timestamp offset without what kept time from standing still at a switch: it must not add up
        self.highest = FIRST_CYCLE + sequence - 1
        self.last_timestamp = timestamp
        self.last_at = -1.0
        self.first = 0
        self.offset = 0
        self.timestamp_offset = 0

    def switch(
        self,
        stream: int,
        number: int,
        timestamp: int,
        now: float,
        clock: int | None = None,
        shift: Shift | None = None,
    ) -> None:
        """The packet with this number and timestamp will be the first of the new segment.

        ``clock``: added to its timestamps gives those of the segment before; None: the gap is taken from arrivals.
        """
        passed = max(now - self.last_at, _SMALLEST_STEP) if self.last_at >= 0 else 0.0
        expected = self.last_timestamp + round(passed * self._rate)
        base = (self._base + (clock or 0)) & 0xFFFFFFFF
        off = signed32(timestamp + base - expected)
        if clock is None or not self._segments or abs(off) > _PLAUSIBLE * self._rate:
            self._base = self.timestamp_offset = (expected - timestamp) & 0xFFFFFFFF
        else:  # a decoder takes two pictures of one timestamp for one
            behind = max(0, signed32(self.last_timestamp + 1 - timestamp - base))
            self._base, self.timestamp_offset = base, (base + behind) & 0xFFFFFFFF
        self.first = number
        self.offset = self.highest + 1 - number
        self._segments.append(Segment(stream, number, self.offset, self.timestamp_offset, shift))
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
