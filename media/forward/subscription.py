"""One outgoing stream: a slot of a receiver. Writes a source's packets anew with the receiver's own numbers and ids.

Rule: nothing is decoded, and per packet nothing is allocated but numbers: headers are written straight into the peer's
outgoing arena, behind each other, so that one system call sends a burst.
"""

from __future__ import annotations

import struct

from media.engine import LinkConfig
from media.forward.history import Media, ResendGuard
from media.forward.rewrite import Rewriter
from media.parameters import Codec
from media.transport.outbox import Outbox
from media.wire.extensions import layout

_HEADER = struct.Struct("!BBHII")


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
        "_guard",
        "_layouts",
        "_outbox",
        "_rtx_sequence",
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
        bare = layout(config.extensions, config.mid, audio_level=False)
        level = layout(config.extensions, config.mid, audio_level=True) if config.kind == "audio" else bare
        self._layouts = (bare, level)
        self.codec = config.codecs[0]
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

    def forward(self, media: Media, start: bool, now: float) -> None:
        """``start``: a decoder can begin with this packet."""
        rewriter = self.rewriter
        if self.waiting:
            if not start or self.stream is None or not self._outbox.ready:
                return
            rewriter.switch(self.stream, media[0], media[1], now)
            self.waiting, self.started = False, True
        elif media[0] < rewriter.first:
            return  # of before the switch
        number = media[0] + rewriter.offset
        timestamp = (media[1] + rewriter.timestamp_offset) & 0xFFFFFFFF
        if self._write(self.codec.payload_type, number & 0xFFFF, timestamp, self.config.ssrc, media, b""):
            self.packets += 1
            self.octets += len(media[4])
            rewriter.sent(number, timestamp, now)

    def _write(self, payload_type: int, sequence: int, timestamp: int, ssrc: int, media: Media, prefix: bytes) -> bool:
        level, payload = media[3], media[4]
        form = self._layouts[level >= 0]
        block = form.block
        start = 12 + len(block)
        size = start + len(prefix) + len(payload)
        outbox = self._outbox
        at = outbox.room(size)
        if at < 0:
            return False
        data = outbox.arena.data
        _HEADER.pack_into(data, at, 0x90 if block else 0x80, payload_type | media[2], sequence, timestamp, ssrc)
        body = at + start
        data[at + 12 : body] = block
        if form.audio_level_at and level >= 0:
            data[at + form.audio_level_at] = level
        if form.abs_send_time_at:
            stamp = at + form.abs_send_time_at
            data[stamp : stamp + 3] = outbox.burst.stamp
        if form.transport_cc_at:
            outbox.number(at + form.transport_cc_at)
        if prefix:
            data[body : body + len(prefix)] = prefix
            body += len(prefix)
        data[body : at + size] = payload
        return outbox.seal(at, size)

    def resend(self, media: Media, out: int, timestamp_offset: int, now: float) -> bool:
        """Sends a packet again: as RTX (RFC 4588 section 4) where negotiated, else the same once more."""
        self._guard.refill(self.octets, now)
        if not self._guard.allows(out, len(media[4]), now):
            return False
        timestamp = (media[1] + timestamp_offset) & 0xFFFFFFFF
        sequence = out & 0xFFFF
        if self.codec.rtx is None or self.config.rtx_ssrc is None:
            return self._write(self.codec.payload_type, sequence, timestamp, self.config.ssrc, media, b"")
        self._rtx_sequence = self._rtx_sequence + 1 & 0xFFFF
        original = sequence.to_bytes(2, "big")
        return self._write(self.codec.rtx, self._rtx_sequence, timestamp, self.config.rtx_ssrc, media, original)
