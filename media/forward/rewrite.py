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
_NEVER = 1 << 62
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
        "_after",
        "_rate",
        "_segments",
        "_surplus",
        "first",
        "highest",
        "last_at",
        "last_timestamp",
        "offset",
        "settled",
        "timestamp_offset",
    )

    def __init__(self, clock_rate: int, sequence: int, timestamp: int) -> None:
        self._rate = clock_rate
        self._segments: list[Segment] = []
        self._surplus = self._after = 0  # see ``surplus``
        self.highest = FIRST_CYCLE + sequence - 1
        self.last_timestamp = timestamp
        self.last_at = -1.0
        self.first = 0
        self.settled = 0
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
        offset = (self.timestamp_offset + (clock or 0)) & 0xFFFFFFFF
        off = signed32(timestamp + offset - expected)
        if clock is None or not self._segments or abs(off) > _PLAUSIBLE * self._rate:
            offset = (expected - timestamp) & 0xFFFFFFFF
        # Two layers' pictures of one moment: a decoder would take them for one.
        self._surplus = max(0, signed32(self.last_timestamp + 1 - timestamp - offset)) if self._segments else 0
        self.timestamp_offset = offset
        self.first, self.settled = number, _NEVER if self._surplus else number
        self.offset = self.highest + 1 - number
        self._add(Segment(stream, number, self.offset, (offset + self._surplus) & 0xFFFFFFFF, shift))

    def _add(self, segment: Segment) -> None:
        self._segments.append(segment)
        del self._segments[:-_SEGMENTS]

    def surplus(self, number: int, timestamp: int) -> int:
        """What packets before ``settled`` get on top, so that time goes forward; no more than needed, or it would add
        up from switch to switch: the first picture that is late enough without it ends it."""
        without = timestamp + self.timestamp_offset
        if self.settled != _NEVER:  # came late
            return self._surplus if signed32(without - self._after) <= 0 else 0
        if number + self.offset <= self.highest or signed32(without - self.last_timestamp) <= 0:
            return self._surplus
        begun, self.settled, self._after = self._segments[-1], number, self.last_timestamp
        self._add(Segment(begun.stream, number, self.offset, self.timestamp_offset, begun.shift))
        return 0

    @property
    def newest(self) -> int:
        """The newest packet's timestamp as its source gave it."""
        surplus = self._surplus if self.settled == _NEVER else 0
        return (self.last_timestamp - self.timestamp_offset - surplus) & 0xFFFFFFFF

    def locate(self, sequence: int) -> tuple[int, Segment] | None:
        """Outgoing number and segment of a NACKed 16-bit sequence number."""
        out = extend(sequence, self.highest)
        if out > self.highest:
            return None
        for segment in reversed(self._segments):
            if out >= segment.first + segment.offset:
                return out, segment
        return None
