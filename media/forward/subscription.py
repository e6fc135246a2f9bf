"""One outgoing stream: a slot of a receiver. Writes a source's packets anew with the receiver's own numbers and ids.

Rule: nothing is decoded, and per packet nothing is allocated but numbers: headers are written straight into the peer's
outgoing arena, behind each other, so that one system call sends a burst.
"""

from __future__ import annotations

from media.engine import LinkConfig
from media.forward.history import Media, ResendGuard
from media.forward.rewrite import Rewriter
from media.parameters import Codec
from media.transport.outbox import Outbox
from media.wire.extensions import Layout


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


class Subscription:
    """``forward`` is per packet and receiver; ``resend`` answers NACKs."""

    __slots__ = (
        "_bare",
        "_guard",
        "_outbox",
        "_rtx_sequence",
        "_ssrc",
        "_type",
        "_with_level",
        "codec",
        "config",
        "octets",
        "packets",
        "rewriter",
        "started",
        "stream",
        "waiting",
    )

    def __init__(self, outbox: Outbox, config: LinkConfig, sequence: int, timestamp: int) -> None:
        self._outbox = outbox
        self.config = config
        self._bare = Layout(config.extensions, config.mid, audio_level=False)
        self._with_level = Layout(config.extensions, config.mid, config.kind == "audio")
        self.codec = config.codecs[0]
        self._type = self.codec.payload_type
        self._ssrc = config.ssrc
        self.rewriter = Rewriter(self.codec.clock_rate, sequence, timestamp)
        self._guard = ResendGuard()
        self._rtx_sequence = sequence ^ 0x5555
        self.stream: int | None = None
        self.waiting = True
        self.started = False
        self.packets = self.octets = 0

    def show(self, stream: int | None, codec: Codec | None) -> None:
        self.stream = stream
        self.waiting = True
        self.started = False
        self.codec = codec or self.codec
        self._type = self.codec.payload_type

    def forward(self, burst: list[tuple[Media, bool]], now: float) -> None:
        """Packets of one source in order of arrival; True beside one: a decoder can begin with it."""
        rewriter, write, ssrc = self.rewriter, self._write, self._ssrc
        for (number, timestamp, marker, level, payload), start in burst:
            if self.waiting:
                if not start or self.stream is None or not self._outbox.ready:
                    continue
                rewriter.switch(self.stream, number, timestamp, now)
                self.waiting, self.started = False, True
            elif number < rewriter.first:
                continue  # of before the switch
            number += rewriter.offset
            timestamp = (timestamp + rewriter.timestamp_offset) & 0xFFFFFFFF
            if write(self._type | marker, number & 0xFFFF, timestamp, ssrc, level, payload):
                self.packets += 1
                self.octets += len(payload)
                if number > rewriter.highest:
                    rewriter.highest = number
                    rewriter.last_timestamp = timestamp
                    rewriter.last_at = now

    def _write(self, second: int, sequence: int, timestamp: int, ssrc: int, level: bytes, payload: bytes) -> bool:
        """The hottest lines of the house: per packet and receiver one ``pack_into``, one copy, one encryption."""
        form = self._with_level if level else self._bare
        outbox = self._outbox
        start = form.size
        size = start + len(payload)
        at = outbox.fill
        if at + size > outbox.limit and (at := outbox.room(size)) < 0:
            return False
        if form.transport_cc:
            outbox.transport_cc = cc = outbox.transport_cc + 1 & 0xFFFF
            wide = cc.to_bytes(2, "big")
        else:
            wide = b""
        a, b, c, d = form.fixed
        stamp, data = outbox.burst.stamp, outbox.data
        form.pack_into(data, at, form.first, second, sequence, timestamp, ssrc, a, level, b, stamp, c, wide, d)
        data[at + start : at + size] = payload
        size = outbox.protect(outbox.arena, at, size)
        if size:
            outbox.queue(size)
        return size > 0

    def resend(self, media: Media, out: int, timestamp_offset: int, now: float) -> bool:
        """Sends a packet again: as RTX (RFC 4588 section 4) where negotiated, else the same once more."""
        _, timestamp, marker, level, payload = media
        self._guard.refill(self.octets, now)
        if not self._guard.allows(out, len(payload), now):
            return False
        timestamp = (timestamp + timestamp_offset) & 0xFFFFFFFF
        sequence = out & 0xFFFF
        if self.codec.rtx is None or self.config.rtx_ssrc is None:
            return self._write(self._type | marker, sequence, timestamp, self._ssrc, level, payload)
        self._rtx_sequence = self._rtx_sequence + 1 & 0xFFFF
        original = sequence.to_bytes(2, "big") + payload
        second = self.codec.rtx | marker
        return self._write(second, self._rtx_sequence, timestamp, self.config.rtx_ssrc, level, original)
