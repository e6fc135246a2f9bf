"""What arrived of one SSRC and what is missing (RFC 3550 A.1, A.3, A.8). Rule: sequence numbers are extended."""

from __future__ import annotations

from itertools import islice

from media.wire.sequence import FIRST_CYCLE, extend

DUPLICATE = -1  # not missing: dropped
RESTARTED = -2  # the source began anew: whoever follows it must begin anew too

# A jump this wide cannot be repaired by NACK (0.5 s of 2.5 Mbit/s video): the numbers begin anew, with a key frame.
_MAX_GAP = 300
_MAX_LATE = 1000  # older than any history: a packet from before a restart
_NACK_AFTER = 0.010  # reordering settles within a frame
_NACK_EVERY = 0.100  # one round trip of a bad line
_NACK_TRIES = 8
_FORGET_AFTER = 1.5  # players do not wait longer
_MOST_MISSING = 8192  # the oldest are forgotten: nobody calls ``expire`` for a stream without repair


class Receiver:
    """One source's sequence space. ``note`` is called per packet, the rest per feedback interval."""

    __slots__ = ("_bad", "_clock", "_jitter", "_missing", "_transit", "base", "highest", "received")

    def __init__(self, clock_rate: int) -> None:
        self._clock = clock_rate
        self._missing: dict[int, list[float]] = {}  # number -> [first seen missing, tries, next try]
        self._jitter = 0.0
        self._transit: float | None = None
        self._bad = -1
        self.base = self.highest = -1
        self.received = 0

    def note(self, sequence: int, timestamp: int, now: float) -> int:
        """Extended number of a packet that is welcome, DUPLICATE, or RESTARTED (``highest`` then holds its number)."""
        highest = self.highest
        if highest < 0:
            self.base = self.highest = highest = FIRST_CYCLE + sequence
            self.received = 1
            return highest
        number = extend(sequence, highest)
        if number == highest + 1:
            self.highest = number
            self.received += 1
            self._jitter_step(timestamp, now)
            return number
        if number <= highest:
            return self._late(number)
        if number > highest + _MAX_GAP:
            return self._restart(number)
        for lost in range(highest + 1, number):
            if len(self._missing) == _MOST_MISSING:
                for oldest in list(islice(self._missing, _MOST_MISSING // 2)):
                    del self._missing[oldest]
            self._missing[lost] = [now, 0, now + _NACK_AFTER]
        self.highest = number
        self.received += 1
        return number

    def _late(self, number: int) -> int:
        if self._missing.pop(number, None) is not None:
            self.received += 1
            return number
        return self._restart(number) if number < self.highest - _MAX_LATE else DUPLICATE

    def _restart(self, number: int) -> int:
        """RFC 3550 A.1: two packets in a row outside the window mean a new start, one alone means nothing."""
        if number != self._bad:
            self._bad = number + 1
            return DUPLICATE
        self._bad = -1
        self._missing.clear()
        number = extend(number, self.highest)
        self.highest = number if number > self.highest else number + FIRST_CYCLE  # numbers never go back
        self.base = self.highest - self.received
        self.received += 1
        return RESTARTED

    def wants(self, number: int) -> bool:
        return number in self._missing

    def number_of(self, sequence: int) -> int:
        return extend(sequence, self.highest) if self.highest >= 0 else -1

    def _jitter_step(self, timestamp: int, now: float) -> None:
        transit = now * self._clock - timestamp
        if self._transit is not None:
            step = abs(transit - self._transit)
            if step < 0x7FFFFFFF:  # not over the wrap of the timestamp
                self._jitter += (step - self._jitter) / 16
        self._transit = transit

    @property
    def jitter(self) -> int:
        return int(self._jitter)

    @property
    def expected(self) -> int:
        return self.highest - self.base + 1 if self.highest >= 0 else 0

    def expire(self, now: float) -> None:
        """Gives up what is too old to be played."""
        for number in [n for n, miss in self._missing.items() if now - miss[0] > _FORGET_AFTER]:
            del self._missing[number]

    def to_request(self, now: float) -> list[int]:
        """Extended numbers whose turn it is to be asked for, ascending."""
        due = []
        for number, miss in self._missing.items():
            if now >= miss[2] and miss[1] < _NACK_TRIES:
                miss[1] += 1
                miss[2] = now + _NACK_EVERY
                due.append(number)
        return sorted(due)
