"""One outgoing stream: a slot of a receiver. Writes a source's packets anew with the receiver's own numbers and ids.

Rule: nothing is decoded, and per packet nothing is allocated but numbers: headers are written straight into the peer's
outgoing arena, behind each other, so that one system call sends a burst.
"""

from __future__ import annotations

from dataclasses import dataclass

from media.engine import Detail, EngineEvent, LinkConfig, LinkSwitched
from media.forward.gate import Gate, Verdict, add_clocks
from media.forward.history import Media, ResendGuard
from media.forward.rewrite import Rewriter, Segment
from media.parameters import Codec
from media.transport.outbox import Outbox
from media.wire.extensions import Layout
from media.wire.vp8 import Shift, renumbered, shift_behind


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


@dataclass(slots=True)
class Upcoming:
    """The stream that takes over at its next key frame; ``clock``: what leads its timestamps to the shown one's."""

    stream: int
    codec: Codec
    clock: int | None


class Subscription:
    """``forward`` is per packet and receiver; ``resend`` answers NACKs. ``events``: where it tells that it switched."""

    __slots__ = (
        "_bare",
        "_events",
        "_guard",
        "_last",
        "_outbox",
        "_rtx_sequence",
        "_shift",
        "_shown",
        "_ssrc",
        "_type",
        "_with_level",
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
        self._bare = Layout(config.extensions, config.mid, audio_level=False)
        self._with_level = Layout(config.extensions, config.mid, config.kind == "audio")
        self.codec = config.codecs[0]
        self._type = self.codec.payload_type
        self._ssrc = config.ssrc
        self.rewriter = Rewriter(self.codec.clock_rate, sequence, timestamp)
        self._guard = ResendGuard()
        self._rtx_sequence = sequence ^ 0x5555
        self.gate = Gate()
        self.stream: int | None = None
        self._shown: int | None = None  # whose packets the newest segment holds
        self.upcoming: Upcoming | None = None
        self._shift: Shift | None = None
        self._last = b""  # newest VP8 payload sent, as it came
        self.packets = self.octets = 0

    @property
    def repeatable(self) -> bool:
        return self.codec.rtx is not None and self.config.rtx_ssrc is not None

    @property
    def started(self) -> bool:
        return self._shown is not None and self._shown == self.stream and self.gate.flows

    def show(self, stream: int | None, codec: Codec | None, delta: int | None = None) -> None:
        """From the stream's next key frame on; nothing until then. ``delta``: see ``Engine.switch``."""
        self.gate.shut(add_clocks(self.gate.clock, delta))
        self.stream, self._shown, self.upcoming = stream, None, None
        if codec is not None:
            if codec.mime.lower() != self.codec.mime.lower():
                self._last = b""
            self.codec, self._type = codec, codec.payload_type

    def limit(self, detail: Detail) -> None:
        newest = (self.rewriter.last_timestamp - self.rewriter.timestamp_offset) & 0xFFFFFFFF
        self.gate.limit(detail, newest)

    def forward(self, burst: list[tuple[Media, bool]], now: float) -> None:
        """Packets of one source in order of arrival; True beside one: a decoder can begin with it."""
        rewriter, write, ssrc, gate = self.rewriter, self._write, self._ssrc, self.gate
        for media, start in burst:
            number, timestamp, marker, level, payload = media
            if not gate.open:
                if not self._outbox.ready or not (verdict := gate.admits(number, timestamp, start)):
                    continue
                if verdict is Verdict.BEGINS:
                    self._begin(media, now)
            elif number < gate.first:
                continue  # of before the switch
            number += rewriter.offset
            timestamp = (timestamp + rewriter.timestamp_offset) & 0xFFFFFFFF
            if self._shift is not None:
                payload = renumbered(payload, self._shift)
            if write(self._type | marker, number & 0xFFFF, timestamp, ssrc, level, payload):
                self.packets += 1
                self.octets += len(payload)
                if number > rewriter.highest:
                    rewriter.highest = number
                    rewriter.last_timestamp = timestamp
                    rewriter.last_at = now
                    if payload:
                        self._last = media[4]

    def _begin(self, media: Media, now: float) -> None:
        """The next segment begins with this packet."""
        number, timestamp, _, _, payload = media
        stream = self.stream
        if stream is None:
            return
        if self.codec.mime.lower() == "video/vp8":
            self._shift = shift_behind(self._last, self._shift, payload)
        else:
            self._shift = None
        self.rewriter.switch(stream, number, timestamp, now, self.gate.step, self._shift)
        if self._shown != stream:
            self._shown = stream
            self._events.append(LinkSwitched(self.handle, stream))

    def _write(self, second: int, sequence: int, timestamp: int, ssrc: int, level: bytes, payload: bytes) -> int:
        """The hottest lines of the house: per packet and receiver one ``pack_into``, one copy, one encryption."""
        form = self._with_level if level else self._bare
        outbox = self._outbox
        start = form.size
        size = start + len(payload)
        at = outbox.fill
        if at + size > outbox.limit and (at := outbox.room(size)) < 0:
            return 0
        wide = (outbox.transport_cc + 1 & 0xFFFF).to_bytes(2, "big") if form.transport_cc else b""
        a, b, c, d = form.fixed
        stamp, data = outbox.burst.stamp, outbox.data
        form.pack_into(data, at, form.first, second, sequence, timestamp, ssrc, a, level, b, stamp, c, wide, d)
        data[at + start : at + size] = payload
        size = outbox.protect(outbox.arena, at, size)
        if size:
            if wide:
                outbox.transport_cc += 1
                outbox.departed.append((outbox.transport_cc, outbox.burst.now, size))
            outbox.queue(size)
        return size

    def resend(self, media: Media, out: int, segment: Segment, now: float) -> bool:
        """Sends a packet again, for a NACK."""
        self._guard.refill(self.octets, now)
        return self._guard.allows(out, len(media[4]), now) and self.repeat(media, out, segment) > 0

    def repeat(self, media: Media, out: int, segment: Segment) -> int:
        """As RTX (RFC 4588 section 4) where negotiated, else the same once more; bytes sent."""
        _, timestamp, marker, level, payload = media
        if segment.shift is not None:
            payload = renumbered(payload, segment.shift)
        timestamp = (timestamp + segment.timestamp_offset) & 0xFFFFFFFF
        sequence = out & 0xFFFF
        if self.codec.rtx is None or self.config.rtx_ssrc is None:  # as in ``repeatable``
            return self._write(self._type | marker, sequence, timestamp, self._ssrc, level, payload)
        self._rtx_sequence = self._rtx_sequence + 1 & 0xFFFF
        original = sequence.to_bytes(2, "big") + payload
        second = self.codec.rtx | marker
        return self._write(second, self._rtx_sequence, timestamp, self.config.rtx_ssrc, level, original)
