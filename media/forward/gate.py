"""Which packets of a stream pass to one link: all of them, key frames only, none; and from which packet on.

Rule: a packet it turns away gets no number, so the receiver sees no gap; whatever was turned away, it goes on at a key
frame. Numbers and timestamps are the source's.
"""

from __future__ import annotations

from enum import IntEnum

from media.engine import Detail


class Verdict(IntEnum):
    TURNED_AWAY = 0
    PASSES = 1
    BEGINS = 2  # passes, and is the first of a new segment


def add_clocks(first: int | None, second: int | None) -> int | None:
    """Two differences of timestamps, one behind the other; None: not known."""
    return None if first is None or second is None else (first + second) & 0xFFFFFFFF


class Gate:
    """``open``: every packet from ``first`` on passes, nobody needs to ask. Else ``judge`` is asked per packet."""

    __slots__ = ("_clock", "detail", "first", "open", "picture")

    def __init__(self) -> None:
        self.detail = Detail.ALL
        self.open = False
        self.first = 0  # lower numbers are of before
        self.picture: int | None = None  # timestamp of the one picture that passes while not open
        self._clock: int | None = None

    @property
    def waiting(self) -> bool:
        """Nothing passes until a key frame comes."""
        return not self.open and self.picture is None

    @property
    def clock(self) -> int | None:
        """What brings the awaited packets' timestamps to the clock of those that passed before."""
        return self._clock if self.waiting else 0

    @property
    def stills(self) -> bool:
        return self.detail is Detail.STILLS

    @property
    def flows(self) -> bool:
        """As much passes as is wanted."""
        return self.open or (self.stills and self.picture is not None)

    def shut(self, clock: int | None) -> None:
        self.open, self.picture, self._clock = False, None, clock

    def limit(self, detail: Detail, newest: int) -> None:
        """``newest``: timestamp of the newest packet that passed: the rest of its picture still may."""
        self.detail = detail
        if detail is Detail.NOTHING:
            self.shut(self.clock)
        elif detail is Detail.STILLS and self.open:
            self.open, self.picture = False, newest

    def judge(self, number: int, timestamp: int, start: bool) -> Verdict:
        """``start``: a decoder can begin with this packet. Changes nothing."""
        if self.open:
            return Verdict.PASSES if number >= self.first else Verdict.TURNED_AWAY
        if self.detail is Detail.NOTHING:
            return Verdict.TURNED_AWAY
        if self.picture is not None:
            if number < self.first:
                return Verdict.TURNED_AWAY
            if timestamp == self.picture:
                return Verdict.PASSES
        return Verdict.BEGINS if start else Verdict.TURNED_AWAY

    def begin(self, number: int, timestamp: int) -> int | None:
        """With the packet that ``judge`` said begins; the ``clock`` of the segment that begins."""
        clock = self.clock
        self.first = number
        self.open = self.detail is Detail.ALL
        self.picture = None if self.open else timestamp
        return clock
