"""Video that waits for its turn on one peer's line: no faster than the line is believed to be, no longer than useful.

Rule: what waits is not written yet. Numbers, abs-send-time and encryption are of the moment of leaving, so what is
dropped here leaves no gap. A picture that began to wait leaves whole (a cut one is worth nothing); one that would have
to wait too long is dropped with all that follows it up to a key frame, asked for when there is room for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from media.engine import EngineEvent, KeyFrameWanted
from media.forward.gate import add_clocks
from media.forward.history import Media
from media.wire.sequence import signed32

if TYPE_CHECKING:
    from media.forward.subscription import Step, Subscription

_APART = 0.005  # seconds between two bursts
_LONGEST = 0.5  # seconds of waiting: players skip what comes later
_LONGEST_PICTURE = 2.0  # a key frame larger than that comes too late whatever happens
_LONGEST_STILL = 4.0  # on a line for sound only it takes that long
_ROOM = 0.25  # seconds of waiting under which a key frame is asked for: one that comes too early is dropped again
_SLOWEST = 8000.0  # bits/s: less means nothing, and must not divide by zero


_LATE = 10 * 90000  # a packet of a picture that is already on its way, repaired: older means that the clock wrapped


def opens_picture(timestamp: int, tail: int) -> bool:
    """``tail``: timestamp of the newest picture before."""
    return not -_LATE < signed32(timestamp - tail) <= 0


@dataclass(slots=True)
class Waiting:
    """One packet, or all of a link's that came together (a record for each cost a fifth of a packet)."""

    link: Subscription
    burst: Sequence[tuple[Media, bool]]
    step: Step | None  # a new segment begins with the first
    opens: bool  # it is the first packet of a picture
    size: int
    tail: int = 0  # where there is more than one: the newest picture before them

    def single(self) -> Iterator[Waiting]:
        """Packet by packet."""
        if len(self.burst) == 1:
            yield self
            return
        tail, head = self.tail, self.link.head_size
        for one in self.burst:
            _, timestamp, _, _, payload = one[0]
            if opens := opens_picture(timestamp, tail):
                tail = timestamp
            yield Waiting(self.link, (one,), None, opens, len(payload) + head)


class Backlog:
    """``put`` what passed the gate, ``release`` what is due."""

    __slots__ = ("_due", "_next", "_rate", "_starved", "_waiting", "bytes", "dropped")

    def __init__(self) -> None:
        self._rate = _SLOWEST
        self._waiting: deque[Waiting] = deque()
        self._starved: dict[Subscription, None] = {}  # lost packets here and wait for a key frame
        self._due = 0.0  # when the line is free again
        self._next = 0.0
        self.bytes = self.dropped = 0

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._starved)

    def late(self, opens: bool, still: bool, now: float) -> bool:
        """Whether a packet that comes now would leave too late to be worth it. ``opens``: the first of a picture."""
        return self._wait(now) > (_LONGEST_STILL if still else _LONGEST if opens else _LONGEST_PICTURE)

    def in_time(self, size: int, now: float) -> bool:
        """Whether so many bytes that come now would all leave in time, whatever they are."""
        return self._wait(now) + size * 8 / self._rate <= _LONGEST

    def _wait(self, now: float) -> float:
        return max(0.0, self._due - now) + self.bytes * 8 / self._rate

    def put(self, waiting: Waiting) -> None:
        self._waiting.append(waiting)
        self.bytes += waiting.size

    def drop(self, link: Subscription) -> None:
        self.dropped += 1
        self._starved[link] = None

    def release(self, now: float, events: list[EngineEvent]) -> None:
        if now < self._next:
            return
        self._due = max(self._due, now - _APART)
        if self._waiting and self._due <= now:
            self._next = now + _APART
        while self._waiting and self._due <= now:
            after = self._after(self._waiting[0], now)
            if after is None:
                self._waiting.extendleft(reversed(list(self._waiting.popleft().single())))
                continue
            self._due = after
            self._let_out(now)
        if self._starved and self._wait(now) <= _ROOM:
            for link in self._starved:
                if link.stream is not None and link.gate.waiting:
                    events.append(KeyFrameWanted(link.stream))
            self._starved.clear()

    def _after(self, first: Waiting, now: float) -> float | None:
        """When the line will be free again behind all of it; None: not all of it leaves now."""
        due, rate, head = self._due, self._rate, first.link.head_size
        if len(first.burst) == 1:
            return due + first.size * 8 / rate
        for (_, _, _, _, payload), _ in first.burst:
            if due > now:
                return None
            due += (len(payload) + head) * 8 / rate
        return due

    @property
    def next(self) -> float:
        return max(self._next, self._due)

    def _let_out(self, now: float) -> None:
        first = self._waiting.popleft()
        self.bytes -= first.size
        if first.step is not None:
            first.link.begin(first.step, first.burst[0][0], now)
        first.link.emit(first.burst, now)

    def drain(self, now: float) -> None:
        while self._waiting:
            self._let_out(now)
        self._starved.clear()

    def set_rate(self, bits_per_second: float) -> None:
        """What now would have to wait too long is dropped."""
        self._rate = max(bits_per_second, _SLOWEST)
        self._waiting = deque(one for waiting in self._waiting for one in waiting.single())
        ahead = 0
        cut: set[Subscription] = set()

        def stays(waiting: Waiting) -> bool:
            nonlocal ahead
            bound = _LONGEST_STILL if waiting.link.gate.stills else _LONGEST
            if waiting.link in cut or (waiting.opens and ahead > bound * self._rate / 8):
                cut.add(waiting.link)
                self.drop(waiting.link)
                return False
            ahead += waiting.size
            return True

        self._sift(stays)

    def forget(self, link: Subscription) -> None:
        """The link shows something else at once, or nothing."""
        self._starved.pop(link, None)
        self._sift(lambda waiting: waiting.link is not link)

    def _sift(self, stays: Callable[[Waiting], bool]) -> None:
        """Links that lose packets wait for a key frame; the clock steps that would have been taken are remembered."""
        kept: deque[Waiting] = deque()
        clocks: dict[Subscription, int | None] = {}
        for waiting in self._waiting:
            if stays(waiting):
                kept.append(waiting)
            else:
                self.bytes -= waiting.size
                clock = clocks.setdefault(waiting.link, 0)
                if waiting.step is not None:
                    clocks[waiting.link] = add_clocks(clock, waiting.step.clock)
        self._waiting = kept
        for link, clock in clocks.items():
            link.gate.shut(add_clocks(clock, link.gate.clock))
