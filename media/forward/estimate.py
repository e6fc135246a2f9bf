"""What a subscriber's line carries, from transport-wide feedback: Google congestion control
(draft-ietf-rmcat-gcc-02), with probes that it does not have.

Rule: pure; departures and feedback in, bits per second (of UDP payload) out. Loss that was there before we sent more is
the line's own weather and no reason to send less.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence

from media.forward.gradient import Gradient
from media.wire.sequence import extend

START = 300_000.0  # the lowest layer, sound and a slide; the first probe comes within a second
LOWEST, HIGHEST = 24_000.0, 30_000_000.0
_BETA = 0.85  # section 5.5
_LIMITED, _LIMITED_BETA = 0.6, 0.75  # sending less than this share of the estimate, fall only to that
_FASTER = 1.08  # a second, far from the known capacity
_RESPONSE = 0.1  # seconds on top of the round trip until a change shows
_PACKET = 1200 * 8
_HEADROOM, _SLACK = 1.5, 10_000.0  # what was not tried cannot be claimed (section 5.5)
_ACKED_WINDOW = 0.5
_LOSS_WINDOW = 0.5  # at least this long, and so many packets:
_LOSS_PACKETS = 20
_LOSS_DECREASE, _LOSS_INCREASE = 0.10, 0.02  # section 6
_OVERFLOW = 0.25
_OWN_LOSS_WINDOW = 20.0  # what was lost at the best of times of so long is not congestion...
_OWN_LOSS_MOST = 0.12  # ... unless it is more than any line should lose
_SILENT = 1.0  # seconds of sending without a word back
_BACK_OFF = 0.7
_FIRST_SECONDS, _FIRST_QUEUE = 3.0, 0.12
_EMPTY = 0.08  # seconds of queue
_SETTLES = 0.5  # seconds until a slope could be seen: no probe before
_UNSATURATED = 0.9  # a probe that came in as fast as it left has not found the end
_UTILISED = 0.95
_PROBE_QUEUE = 0.4  # seconds after a probe was judged until its queue is gone
_TRIED, _TRY = 1.2, 4.0
_WRAP = 0.064 * (1 << 24)  # seconds after which a feedback's clock begins again


def believed(remb: float, sent: float) -> float:
    """What a receiver's own estimate (REMB) means: it never says much more than arrives (1.5 times), so while it lies
    well above what is sent it is no limit but leave to try the next layer."""
    return remb if remb < sent * _TRIED else remb * _TRY


class Estimator:
    """One subscriber's line. ``rate`` is the estimate, ``loss`` the share of packets lost lately. Begun below START it
    is remembered of an earlier visit (``thin``), and no guess."""

    def __init__(self, start: float = START) -> None:
        self.rate = start
        self.thin = start < START
        self.loss = 0.0
        self.rtt = 0.1
        self.last_decrease = float("-inf")
        self.gradient = Gradient()
        self._sent: dict[int, tuple[float, int]] = {}  # not yet heard of: number -> (time, bytes)
        self._highest: int | None = None
        self._left: deque[tuple[float, int]] = deque()
        self._arrived: deque[tuple[float, int]] = deque()
        self._first_arrived = float("inf")
        self._least = float("inf")  # one-way delay, on two clocks
        self.queueing = 0.0  # seconds that the newest packet waited on its way
        self._missed: dict[int, tuple[float, int]] = {}  # said to be lost
        self._packets = self._lost = 0  # of the loss window
        self._counting_since: float | None = None
        self._losses: deque[tuple[float, float]] = deque()
        self._excess = 0.0
        self._capacity: float | None = None  # acknowledged rate at earlier overuses
        self._increased_at: float | None = None
        self._heard_at: float | None = None
        self._first_heard: float | None = None
        self._epoch = 0.0  # added to a feedback's clock
        self._last_clock: float | None = None
        self._probe: _Probe | None = None
        self.probed: float | None = None  # what the newest finished probe found
        self._probed_at = float("-inf")
        self._before_probe = 0.0

    @property
    def heard(self) -> bool:
        """The peer does send feedback."""
        return self._heard_at is not None

    @property
    def idle(self) -> bool:
        """Nothing has left yet, as far as is known; of what leaves before the first word the first packet is enough."""
        return self._heard_at is None and not self._sent

    def unanswered(self, now: float) -> bool:
        """Packets leave, and never a word came back."""
        if self._heard_at is not None or not self._sent:
            return False
        return now - next(iter(self._sent.values()))[0] > _SILENT

    def settled(self, now: float) -> bool:
        """Heard for long enough to know whether what is sent goes through, and no queue: a probe would tell."""
        return self._first_heard is not None and now - self._first_heard > _SETTLES and self.queueing < _EMPTY

    # --- in ----------------------------------------------------------------------------------------------------------

    def sent(self, departures: Sequence[tuple[int, float, int]]) -> None:
        for number, at, size in departures:
            self._sent[number] = (at, size)
            self._highest = number
            self._left.append((at, size))
        while self._left and self._left[-1][0] - self._left[0][0] > _ACKED_WINDOW:
            self._left.popleft()
        while len(self._sent) > 4096:
            del self._sent[next(iter(self._sent))]

    def feedback(self, results: Iterable[tuple[int, float | None]], now: float) -> None:
        """One message: 16-bit numbers with arrival times, None for what did not arrive."""
        if self._highest is None:
            return
        self._heard_at = now
        self._first_heard = now if self._first_heard is None else self._first_heard
        arrived: list[tuple[float, float, int]] = []
        for sequence, clock in results:
            number = extend(sequence, self._highest)
            found = self._sent.pop(number, None)
            if clock is None:
                if found is not None:
                    self._packets, self._lost = self._packets + 1, self._lost + 1
                    self._missed[number] = found
                continue
            if found is not None:
                self._packets += 1
            elif (found := self._missed.pop(number, None)) is not None:
                self._lost -= 1  # only late
            if found is not None:
                arrived.append((found[0], self._unwrap(clock), found[1]))
        self._forget(now)
        if arrived:
            self._take(sorted(arrived), now)
        self._judge_loss(now)
        self._judge_probe(now)

    def _unwrap(self, clock: float) -> float:
        if self._last_clock is not None:
            if clock - self._last_clock < -_WRAP / 2:
                self._epoch += _WRAP
            elif clock - self._last_clock > _WRAP / 2:
                return clock + self._epoch - _WRAP  # a late one of before
        self._last_clock = clock
        return clock + self._epoch

    def _forget(self, now: float) -> None:
        """What left more than two seconds ago; both are in the order of sending."""
        for table in (self._sent, self._missed):
            while table and now - table[first := next(iter(table))][0] > 2.0:
                del table[first]

    # --- delay -------------------------------------------------------------------------------------------------------

    def _take(self, packets: list[tuple[float, float, int]], now: float) -> None:
        for sent, arrived, size in packets:
            self.gradient.add(sent, arrived)
            self._arrived.append((arrived, size))
            if self._probe is not None:
                self._probe.note(sent, arrived, size)
        newest = max(arrived for _, arrived, _ in packets)
        self._first_arrived = min(self._first_arrived, newest)
        while self._arrived and newest - self._arrived[0][0] > _ACKED_WINDOW:
            self._arrived.popleft()
        self._note_queue(packets)
        if self.gradient.usage == "over" or self._overwhelmed(now):
            self._decrease(now)
        elif self.gradient.usage == "normal":
            self._increase(now)
        else:
            self._increased_at = now  # the queue drains: let it

    def _note_queue(self, packets: list[tuple[float, float, int]]) -> None:
        transit = packets[-1][1] - packets[-1][0]
        self._least = min(self._least, *(arrived - sent for sent, arrived, _ in packets))
        self.queueing = transit - self._least

    def _overwhelmed(self, now: float) -> bool:
        """In the first seconds there are too few packets for a slope, and nobody else's queue to be patient with."""
        return self.queueing > _FIRST_QUEUE and now - (self._first_heard or now) < _FIRST_SECONDS

    @property
    def acked(self) -> float:
        """Bit/s that arrived over the last half second."""
        if not self._arrived:
            return 0.0
        span = min(max(self._arrived[-1][0] - self._first_arrived, 0.1), _ACKED_WINDOW)
        return sum(size for _, size in self._arrived) * 8 / span

    @property
    def _sending(self) -> float:
        """Bit/s that left over the last half second."""
        return sum(size for _, size in self._left) * 8 / _ACKED_WINDOW

    def _decrease(self, now: float) -> None:
        acked = self.acked
        target = min(self.rate, _BETA * acked)
        if self._sending < _LIMITED * self.rate:  # so little was sent that what arrived says little of the line
            target = max(target, self.rate * _LIMITED_BETA)
        if self._probe is not None or now < self._probed_at + _PROBE_QUEUE:
            target = max(target, min(self.rate, self._before_probe))  # its own queue is no news
        if now - self.last_decrease > self.rtt + _RESPONSE or target < self.rate * 0.5:
            known = self._capacity
            self._capacity = (
                acked if known is None or abs(acked - known) > known * 0.4 else known + 0.2 * (acked - known)
            )
            self._set(target)
            self.last_decrease = now
        self._increased_at = now

    def _increase(self, now: float) -> None:
        """Section 5.5: multiplicative far from the known capacity, additive near it; no more than was tried."""
        since, self._increased_at = self._increased_at, now
        if since is None or self._excess > _LOSS_INCREASE:
            return
        if self._sending < _LIMITED * self.rate:
            return  # untried; a probe will tell
        passed = min(now - since, 1.0)
        if self._capacity is not None and self.acked > self._capacity * 1.4:
            self._capacity = None  # the line got better
        near = self._capacity is not None and self.rate > self._capacity * 0.7
        if near:
            grown = self.rate + max(4000.0, 0.5 * _PACKET / (self.rtt + _RESPONSE)) * passed
        else:
            grown = self.rate * _FASTER**passed
        self._set(max(self.rate, min(grown, _HEADROOM * self.acked + _SLACK)))

    def _set(self, rate: float) -> None:
        self.rate = min(max(rate, LOWEST), HIGHEST)

    # --- loss --------------------------------------------------------------------------------------------------------

    def _judge_loss(self, now: float) -> None:
        """Section 6, on what is lost beyond the line's own loss and chance."""
        if self._counting_since is None:
            self._counting_since = now
        packets = self._packets
        if packets < _LOSS_PACKETS or now - self._counting_since < _LOSS_WINDOW:
            return
        share = min(max(self._lost, 0) / packets, 1.0)
        self._packets, self._lost, self._counting_since = 0, 0, now
        self.loss += 0.3 * (share - self.loss)
        own = self.own_loss
        self._excess = max(0.0, share - own - 2 * math.sqrt(own * (1 - own) / packets))
        self._losses.append((now, share))
        while now - self._losses[0][0] > _OWN_LOSS_WINDOW:
            self._losses.popleft()
        if self._excess > _LOSS_DECREASE:
            lower = self.rate * (1 - 0.5 * self._excess)
            if self._excess > _OVERFLOW:  # a full queue has no slope
                lower = min(lower, self.acked)
            self._set(lower)
            self.last_decrease = self._increased_at = now

    @property
    def own_loss(self) -> float:
        """What the better part of the last twenty seconds lost."""
        seen = sorted(share for _, share in self._losses)
        return min(seen[len(seen) * 3 // 10], _OWN_LOSS_MOST) if len(seen) > 3 else 0.0

    def watch(self, now: float) -> None:
        """Call a few times a second: what is sent into silence is sent into a queue."""
        if not self._sent or self._heard_at is None:
            return
        oldest = next(iter(self._sent.values()))[0]
        if now - max(self._heard_at, oldest) > _SILENT:
            self._set(self.rate * _BACK_OFF)
            self._heard_at = self.last_decrease = now

    # --- probes ------------------------------------------------------------------------------------------------------

    def probing(self, begin: float, end: float, goal: float = HIGHEST) -> None:
        """Everything sent from ``begin`` to ``end`` is one probe; more than ``goal`` was not asked, whatever a busy
        machine made of it."""
        self._probe = _Probe(begin, end, goal)
        self.probed = None
        self._before_probe = self.rate

    def _judge_probe(self, now: float) -> None:
        probe = self._probe
        if probe is None or now < probe.end + self.rtt + 0.15:
            return
        self._probe = None
        self._probed_at = now
        found = probe.rate()
        self.probed = found or 0.0
        if found is not None and found > self.rate and self._excess < _LOSS_DECREASE:
            self._set(found)
            if self._capacity is not None and found > self._capacity * 1.3:
                self._capacity = None
            self._increased_at = now


class _Probe:
    """Packets of one probe (libwebrtc's probe bitrate estimator, in short)."""

    __slots__ = ("begin", "end", "goal", "packets")

    def __init__(self, begin: float, end: float, goal: float) -> None:
        self.begin, self.end, self.goal = begin, end, goal
        self.packets: list[tuple[float, float, int]] = []

    def note(self, sent: float, arrived: float, size: int) -> None:
        if self.begin <= sent <= self.end:
            self.packets.append((sent, arrived, size))

    def rate(self) -> float | None:
        """Bit/s; None when too little came back to tell."""
        if len(self.packets) < 3:
            return None
        ordered = sorted(self.packets)
        bits = sum(size for _, _, size in ordered) * 8
        leaving = ordered[-1][0] - ordered[0][0]
        arriving = max(p[1] for p in ordered) - min(p[1] for p in ordered)
        if leaving <= 0 or arriving <= 0:
            return None
        first = min(ordered, key=lambda p: p[1])
        out = (bits - ordered[-1][2] * 8) / leaving
        into = (bits - first[2] * 8) / arriving
        if into > 2 * out:
            return None  # came in a lump: nothing to learn
        return min(out, into, self.goal) if into >= _UNSATURATED * out else min(into * _UTILISED, self.goal)
