"""RTP timestamps to the node's clock, by sender reports, whatever the publisher's own clock says.

A publisher's NTP time differs from ours by an unknown offset, and a report arrives late by an unknown delay, never
early: so the offset is the smallest (arrival - NTP time) of the last half minute. All streams of one publisher
share that offset, which is what keeps its sound and picture together even while the offset is still being learnt.
Before a stream's first report its packets' own arrivals serve. ``Slew`` then sees to it that a better estimate
never makes time run backwards.
"""

from __future__ import annotations

from collections import deque

from media.wire.sequence import signed32

OFFSET_WINDOW_SECONDS = 30.0  # drift of 100 ppm makes 3 ms in it
ARRIVAL_WINDOW_SECONDS = 10.0
STEP_SECONDS = 0.5  # NTP and RTP of one stream disagree by this much: somebody set the publisher's clock
SLEW = 0.1  # seconds of correction per second of media
JUMP_SECONDS = 0.4  # a frame this much later than its neighbours say is a pause of the sender, not an estimate


class WindowedMinimum:
    """The smallest value of the last ``window`` seconds; kept when nothing newer comes."""

    def __init__(self, window: float) -> None:
        self._window = window
        self._values: deque[tuple[float, float]] = deque()

    def add(self, at: float, value: float) -> None:
        while self._values and self._values[-1][1] >= value:
            self._values.pop()
        self._values.append((at, value))
        while self._values[0][0] < at - self._window:
            self._values.popleft()

    @property
    def value(self) -> float | None:
        return self._values[0][1] if self._values else None


class PublisherClock:
    """The shared offset of all streams of one publisher; ``renew`` for another machine or a clock that was set."""

    def __init__(self) -> None:
        self.offset = WindowedMinimum(OFFSET_WINDOW_SECONDS)

    def renew(self) -> None:
        """Streams that still hold the old window keep using it until their own next report."""
        self.offset = WindowedMinimum(OFFSET_WINDOW_SECONDS)


class StreamClock:
    """One SSRC: ``seconds(timestamp)`` is when it was captured, plus the network's least delay, on our clock."""

    def __init__(self, clock_rate: int, publisher: PublisherClock) -> None:
        self._rate = clock_rate
        self._publisher = publisher
        self.offset = publisher.offset
        self._arrivals = WindowedMinimum(ARRIVAL_WINDOW_SECONDS)
        self._reference: int | None = None
        self._anchor: tuple[int, float] | None = None
        self._noted: int | None = None

    def extend(self, timestamp: int) -> int:
        """A 32-bit RTP timestamp without its wraps."""
        if self._reference is None:
            self._reference = timestamp
        elif timestamp == self._reference:  # the next packet of the same picture, as nearly always
            return timestamp
        self._reference += signed32(timestamp - self._reference)
        return self._reference

    def on_packet(self, extended: int, arrival: float) -> None:
        if extended == self._noted:  # a later packet of the same picture came later: it says nothing new
            return
        self._noted = extended
        self._arrivals.add(arrival, arrival - extended / self._rate)

    def on_sender_report(self, ntp: float, timestamp: int, arrival: float) -> None:
        if self._reference is None:
            return  # nothing to hang it on; the next report is a second away
        extended = self._reference + signed32(timestamp - self._reference)
        if self._anchor is not None and abs(self._predict(extended) - ntp) > STEP_SECONDS:
            self._follow_step()
        self._anchor = (extended, ntp)
        self.offset.add(arrival, arrival - ntp)

    def _predict(self, extended: int) -> float:
        """NTP time that the last report would have given for ``extended``."""
        assert self._anchor is not None
        return self._anchor[1] + (extended - self._anchor[0]) / self._rate

    def _follow_step(self) -> None:
        """The first stream to see the step starts a new window, the publisher's others join it at their next report."""
        if self.offset is self._publisher.offset:
            self._publisher.renew()
        self.offset = self._publisher.offset

    def seconds(self, extended: int) -> float:
        offset = self.offset.value
        if self._anchor is not None and offset is not None:
            return self._predict(extended) + offset
        arrival = self._arrivals.value
        assert arrival is not None, "a frame is made of packets that arrived"
        return extended / self._rate + arrival


class Slew:
    """Moves media to its estimated time gently: forward in steps after a pause, else by a tenth of the time."""

    def __init__(self) -> None:
        self._last: float | None = None

    def place(self, target: float, elapsed: float | None) -> float:
        """``elapsed``: media seconds since the last call; None for another stream, whose timestamps tell nothing."""
        if self._last is None:
            self._last = target
        elif elapsed is None:
            self._last = max(self._last, target)
        else:
            expected = self._last + max(elapsed, 0.0)
            error = target - expected
            limit = SLEW * max(elapsed, 0.0)
            self._last = target if error > JUMP_SECONDS else expected + min(max(error, -limit), limit)
        return self._last
