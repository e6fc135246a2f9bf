"""One outgoing stream: a slot of a receiver. Writes a source's packets anew with the receiver's own numbers and ids.

Rule: nothing is decoded, and per packet nothing is allocated but numbers. A packet passes the gate, may wait in the
backlog, gets its number, is written (``writer.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media.engine import Detail, EngineEvent, LinkConfig, LinkSwitched
from media.forward.backlog import Backlog, Waiting, opens_picture
from media.forward.gate import Gate, Verdict, add_clocks
from media.forward.history import History, Media, ResendGuard
from media.forward.rewrite import Rewriter, Segment
from media.forward.writer import Writer
from media.parameters import Codec
from media.transport.outbox import Outbox
from media.wire import red
from media.wire.sequence import signed32
from media.wire.vp8 import NUMBERED, Shift, renumbered, shift_behind


def matching(codecs: tuple[Codec, ...], wanted: Codec) -> Codec | None:
    """The receiver's codec that plays ``wanted``: H264 must agree in packetization mode, and better also in profile."""
    same = [c for c in codecs if c.mime.lower() == wanted.mime.lower()]
    if wanted.mime.lower() != "video/h264":
        return same[0] if same else None
    mode = _parameter(wanted, "packetization-mode", "0")
    same = [c for c in same if _parameter(c, "packetization-mode", "0") == mode]
    profile = _parameter(wanted, "profile-level-id", "42e01f").lower()[:4]
    exact = [c for c in same if _parameter(c, "profile-level-id", "42e01f").lower()[:4] == profile]
    return next(iter(exact or same), None)


def _parameter(codec: Codec, name: str, default: str) -> str:
    for part in codec.fmtp.split(";"):
        key, _, value = part.strip().partition("=")
        if key.lower() == name:
            return value
    return default


@dataclass(frozen=True, slots=True)
class Step:
    """Of one segment to the next. ``clock``: brings its timestamps to those of the segment before."""

    stream: int
    codec: Codec
    clock: int | None


@dataclass(slots=True)
class Upcoming:
    """The stream that takes over at its next key frame; ``clock``: what leads its timestamps to the shown one's."""

    stream: int
    codec: Codec
    clock: int | None


class Subscription:
    """``forward`` is per packet and receiver; ``resend`` answers NACKs. ``events``: where it tells that it switched."""

    __slots__ = (
        "_codec",
        "_distance",
        "_events",
        "_guard",
        "_last",
        "_outbox",
        "_red",
        "_shift",
        "_shown",
        "_tail",
        "_type",
        "_video",
        "_writer",
        "codec",
        "config",
        "gate",
        "handle",
        "octets",
        "packets",
        "rewriter",
        "stream",
        "upcoming",
    )

    def __init__(
        self,
        handle: int,
        outbox: Outbox,
        config: LinkConfig,
        sequence: int,
        timestamp: int,
        events: list[EngineEvent],
    ) -> None:
        self.handle = handle
        self._outbox = outbox
        self._events = events
        self.config = config
        plain = [c for c in config.codecs if c.mime.lower() != "audio/red"]
        # Of what goes out, and of what passes the gate: a backlog lies between.
        self.codec = self._codec = (plain or config.codecs)[0]
        self._distance, self._red = 0, False
        self._type = self.codec.payload_type
        self.rewriter = Rewriter(self.codec.clock_rate, sequence, timestamp)
        self._guard = ResendGuard()
        self._writer = Writer(outbox, config, sequence ^ 0x5555)
        self._video = config.kind == "video"
        self.gate = Gate()
        self.stream: int | None = None
        self._shown: int | None = None  # whose packets the newest segment holds
        self.upcoming: Upcoming | None = None
        self._shift: Shift | None = None
        self._last = b""  # newest VP8 payload sent, as it came
        self._tail = 0  # timestamp of the newest picture that went into the backlog
        self.packets = self.octets = 0

    @property
    def head_size(self) -> int:
        return self._writer.head_size

    @property
    def repeatable(self) -> bool:
        return self.codec.rtx is not None and self.config.rtx_ssrc is not None

    @property
    def started(self) -> bool:
        return self._shown is not None and self._shown == self.stream and self.gate.flows

    def show(self, stream: int | None, codec: Codec | None, delta: int | None = None) -> None:
        """From the stream's next key frame on; nothing until then. ``delta``: see ``Engine.switch``."""
        if self._outbox.backlog is not None:
            self._outbox.backlog.forget(self)
        self._shown = None
        self.follow(stream, codec, delta)

    def follow(self, stream: int | None, codec: Codec | None, delta: int | None) -> None:
        """As ``show``, but what waits in the backlog goes out before."""
        self.gate.shut(add_clocks(self.gate.clock, delta))
        self.stream, self.upcoming = stream, None
        self._codec = codec or self._codec

    def limit(self, detail: Detail) -> None:
        backlog = self._outbox.backlog
        newest = self.rewriter.newest
        if backlog is not None and backlog.bytes:
            newest = self._tail
            if detail is Detail.NOTHING:
                backlog.forget(self)
        self.gate.limit(detail, newest)

    # --- the way out -------------------------------------------------------------------------------------------------

    def forward(self, burst: list[tuple[Media, bool]], history: History, now: float) -> None:
        """Packets of one source in order of arrival; True beside one: a decoder can begin with it."""
        if self._outbox.backlog is not None and self.config.kind == "video":
            self._queue_up(self._outbox.backlog, burst, now)
            return
        at = 0 if self.gate.open else self._knock(burst, now)
        passed = burst[at:] if at else burst
        self.emit([(self._redundant(media, history), True) for media, _ in passed] if self._red else passed, now)

    def _knock(self, burst: list[tuple[Media, bool]], now: float) -> int:
        """Until the gate opens; where in the burst that was."""
        for at, (media, start) in enumerate(burst):
            verdict = self.gate.judge(media[0], media[1], start) if self._outbox.ready else Verdict.TURNED_AWAY
            if verdict is Verdict.BEGINS:
                self.begin(self._step(media), media, now)
                if self.gate.open:
                    return at
            if verdict is not Verdict.TURNED_AWAY:
                self.emit(((media, start),), now)
        return len(burst)

    def _queue_up(self, backlog: Backlog, burst: list[tuple[Media, bool]], now: float) -> None:
        if not (self.gate.open and self._outbox.ready and self._together(backlog, burst, now)):
            self._one_by_one(backlog, burst, now)

    def _together(self, backlog: Backlog, burst: list[tuple[Media, bool]], now: float) -> bool:
        """As below, where nothing needs to be judged: they all pass and none is late."""
        first, head, tail = self.gate.first, self._writer.head_size, self._tail
        size = head * len(burst)
        for (number, timestamp, _, _, payload), _ in burst:
            if number < first:
                return False
            if timestamp != tail and opens_picture(timestamp, tail):
                tail = timestamp
            size += len(payload)
        if not backlog.in_time(size, now):
            return False
        opens = opens_picture(burst[0][0][1], self._tail)
        backlog.put(Waiting(self, burst, None, opens, size, self._tail))
        self._tail = tail
        return True

    def _one_by_one(self, backlog: Backlog, burst: list[tuple[Media, bool]], now: float) -> None:
        for media, start in burst:
            number, timestamp, _, _, payload = media
            verdict = self.gate.judge(number, timestamp, start) if self._outbox.ready else Verdict.TURNED_AWAY
            if verdict is Verdict.TURNED_AWAY:
                continue
            opens = verdict is Verdict.BEGINS or opens_picture(timestamp, self._tail)
            if backlog.late(opens, self.gate.stills, now):
                self.gate.shut(self.gate.clock)
                backlog.drop(self)
                continue
            self._tail = timestamp if opens else self._tail
            step = self._step(media) if verdict is Verdict.BEGINS else None
            backlog.put(Waiting(self, ((media, start),), step, opens, len(payload) + self._writer.head_size))

    def _step(self, media: Media) -> Step:
        """The gate opens with this packet."""
        clock, self._tail = self.gate.begin(media[0], media[1]), media[1]
        return Step(self.stream or 0, self._codec, clock)

    def begin(self, step: Step, media: Media, now: float) -> None:
        """The next segment, with this packet as its first."""
        number, timestamp, _, _, payload = media
        before, self.codec = self.codec, step.codec
        self._choose_type()
        vp8 = before.mime.lower() == step.codec.mime.lower() == "video/vp8"
        self._shift = shift_behind(self._last, self._shift, payload) if vp8 else None
        self.rewriter.switch(step.stream, number, timestamp, now, step.clock, self._shift)
        if self._shown != step.stream:
            self._shown = step.stream
            self._events.append(LinkSwitched(self.handle, step.stream))

    def set_redundancy(self, distance: int) -> None:
        self._distance = distance
        self._choose_type()

    def _choose_type(self) -> None:
        """RED where it is wanted and its fmtp (RFC 2198 section 5) names the type of this codec."""
        plain = self.codec.payload_type
        types = (
            c.payload_type
            for c in self.config.codecs
            if c.mime.lower() == "audio/red" and str(plain) in c.fmtp.split("/")
        )
        red_type = next(types, None) if self._distance > 0 else None
        self._red = red_type is not None
        self._type = plain if red_type is None else red_type

    def _redundant(self, media: Media, history: History) -> Media:
        """The packet with those before it, as far as they were of this segment and have come."""
        number, timestamp, marker, level, payload = media
        if not payload:
            return media
        first = max(self.gate.first, number - self._distance)
        earlier = [got for n in range(first, number) if (got := history.get(n)) is not None]
        blocks = [(signed32(timestamp - got[1]), got[4]) for got in earlier]
        return number, timestamp, marker, level, red.build(self.codec.payload_type, payload, blocks)

    def emit(self, passed: Sequence[tuple[Media, bool]], now: float) -> None:
        """What passed gets its numbers and goes out; but for what is of before the segment."""
        rewriter = self.rewriter
        if len(passed) > 1 and self._video and rewriter.settled <= rewriter.first and self._writer.many:
            self._emit_many(passed, now)
        else:
            self._emit_each(passed, now)

    def _emit_many(self, passed: Sequence[tuple[Media, bool]], now: float) -> None:
        """Video: a frame at a time is what comes."""
        outbox, rewriter = self._outbox, self.rewriter
        wide, highest = outbox.transport_cc, rewriter.highest
        octets, newest = self._writer.write_all(passed, rewriter, self._type, self._shift)
        self.packets += outbox.transport_cc - wide
        self.octets += octets
        self._last = newest or self._last
        if rewriter.highest > highest:
            rewriter.last_at = now

    def _emit_each(self, passed: Sequence[tuple[Media, bool]], now: float) -> None:
        rewriter, writer, shift, kind = self.rewriter, self._writer, self._shift, self._type
        write, ssrc, keeps = writer.write, writer.ssrc, writer.keeps
        first, settled, offset, clock = rewriter.first, rewriter.settled, rewriter.offset, rewriter.timestamp_offset
        packets, octets, before = 0, 0, rewriter.highest
        highest = before
        heads: dict[bytes, bytes] = {}
        for (number, timestamp, marker, level, payload), _ in passed:
            if number < first:
                continue
            if number < settled:
                timestamp += rewriter.surplus(number, timestamp)
                settled = rewriter.settled
            number += offset
            timestamp = (timestamp + clock) & 0xFFFFFFFF
            sent = payload
            if shift is not None:  # the same few bytes for all packets of a picture
                if (head := heads.get(payload[:NUMBERED])) is None:
                    head = heads[payload[:NUMBERED]] = renumbered(payload[:NUMBERED], shift)
                sent = head + payload[NUMBERED:]
            if write(kind | marker, number & 0xFFFF, timestamp, ssrc, level, sent):
                packets += 1
                octets += len(sent)
                if keeps:
                    writer.keep(number, kind | marker, timestamp, sent)
                if number > highest:
                    rewriter.highest = highest = number
                    rewriter.last_timestamp = timestamp
                    if payload:
                        self._last = payload
        self.packets += packets
        self.octets += octets
        if highest > before:
            rewriter.last_at = now

    def resend(self, media: Media, out: int, segment: Segment, now: float) -> bool:
        """Sends a packet again, for a NACK."""
        self._guard.refill(self.octets, now)
        return self._guard.allows(out, len(media[4]), now) and self.repeat(media, out, segment) > 0

    def pad(self) -> int:
        """A packet of padding as RTX; bytes sent."""
        return self._writer.padding(self.codec.rtx or 0, self.rewriter.last_timestamp) if self.repeatable else 0

    def repeat(self, media: Media, out: int, segment: Segment) -> int:
        """As RTX where negotiated, else the very same once more; bytes sent."""
        _, timestamp, marker, level, payload = media
        if self.codec.rtx is None or self.config.rtx_ssrc is None:  # as in ``repeatable``
            return self._writer.again(out)
        if segment.shift is not None:
            payload = renumbered(payload, segment.shift)
        timestamp = (timestamp + segment.timestamp_offset) & 0xFFFFFFFF
        return self._writer.rtx(self.codec.rtx | marker, out & 0xFFFF, timestamp, level, payload)
