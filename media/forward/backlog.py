"""Video that waits for its turn on one peer's line: no faster than the line is believed to be, no longer than useful.

Rule: what waits is not written yet. Numbers, abs-send-time and encryption are of the moment of leaving, so what is
dropped here leaves no gap. A picture that began to wait leaves whole (a cut one is worth nothing); one that would have
to wait too long is dropped with all that follows it up to a key frame, asked for when there is room for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from media.engine import EngineEvent, KeyFrameWanted
from media.forward.gate import add_clocks
from media.forward.history import Media

if TYPE_CHECKING:
    from media.forward.subscription import Step, Subscription

_APART = 0.005  # seconds between two bursts
_LONGEST = 0.5  # seconds of waiting: players skip what comes later
_LONGEST_PICTURE = 2.0  # a key frame larger than that comes too late whatever happens
_LONGEST_STILL = 4.0  # on a line for sound only it takes that long
_ROOM = 0.25  # seconds of waiting under which a key frame is asked for: one that comes too early is dropped again
_SLOWEST = 8000.0  # bits/s: less means nothing, and must not divide by zero


@dataclass(slots=True)
class Waiting:
    link: Subscription
    media: Media
    step: Step | None  # a new segment begins with it
    opens: bool  # the first packet of a picture
    size: int


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
            self._due += self._waiting[0].size * 8 / self._rate
            self._let_out(now)
        if self._starved and self._wait(now) <= _ROOM:
            for link in self._starved:
                if link.stream is not None and link.gate.waiting:
                    events.append(KeyFrameWanted(link.stream))
            self._starved.clear()

    @property
    def next(self) -> float:
        return max(self._next, self._due)

    def _let_out(self, now: float) -> None:
        first = self._waiting.popleft()
        self.bytes -= first.size
        if first.step is not None:
            first.link.begin(first.step, first.media, now)
        first.link.emit(((first.media, False),), now)

    def drain(self, now: float) -> None:
        while self._waiting:
            self._let_out(now)
        self._starved.clear()

    def set_rate(self, bits_per_second: float) -> None:
        """What now would have to wait too long is dropped."""
        self._rate = max(bits_per_second, _SLOWEST)
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
