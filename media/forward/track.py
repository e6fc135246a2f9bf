"""The packet side of one published track: its sources (SSRCs), what of them arrived, who gets it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from media.engine import Loudness, StreamConfig
from media.forward.history import AUDIO_HISTORY, VIDEO_HISTORY, History, Media
from media.forward.loss import Receiver
from media.record.sink import TrackSink

if TYPE_CHECKING:
    from media.forward.subscription import Subscription

_SILENT = 127  # RFC 6464 section 3: -127 dBov, or nothing at all
_HEADER = struct.Struct("!BBHII")


class InboundStream:
    """``receiver`` and ``ssrc`` belong to the newest primary source: a publisher that comes back has a new SSRC."""

    __slots__ = (
        "burst",
        "bytes",
        "config",
        "expected_by",
        "handle",
        "history",
        "key_wanted",
        "last_arrival",
        "level_sum",
        "levels",
        "links",
        "loudest",
        "mime",
        "peer",
        "receiver",
        "sink",
        "ssrc",
        "tap_failed",
        "video",
        "voiced",
    )

    def __init__(self, handle: int, peer: int, config: StreamConfig) -> None:
        self.handle = handle
        self.peer = peer
        self.config = config
        self.video = config.kind == "video"
        self.mime = config.codec.mime
        self.history = History(VIDEO_HISTORY if self.video else AUDIO_HISTORY)
        self.links: list[Subscription] = []
        self.expected_by: list[Subscription] = []  # will show it from its next key frame on, and another one until then
        self.sink: TrackSink | None = None
        self.tap_failed = False
        self.burst: list[tuple[Media, bool]] = []  # came in this drain; True: a decoder can begin with it
        self.key_wanted = False
        self.last_arrival = float("-inf")
        self.bytes = 0
        self.levels = self.voiced = self.level_sum = 0
        self.loudest = _SILENT
        self.ssrc: int | None = None
        self.receiver = Receiver(config.codec.clock_rate)

    def begin(self, ssrc: int) -> None:
        """A new primary source takes over; old numbers mean nothing any more."""
        if self.ssrc == ssrc:
            return
        if self.ssrc is not None:
            self.restart()
            self.history = History(VIDEO_HISTORY if self.video else AUDIO_HISTORY)
        self.ssrc = ssrc
        self.receiver = Receiver(self.config.codec.clock_rate)

    def restart(self) -> None:
        """Numbers and clock jumped: everybody starts anew at the next key frame."""
        for link in self.links:
            link.gate.shut(None)
        for link in self.expected_by:
            if link.upcoming is not None:
                link.upcoming.clock = None
        self.key_wanted = self.video and bool(self.links or self.expected_by)

    def hear(self, level: int) -> None:
        """RFC 6464 section 3: V bit, then -dBov."""
        self.levels += 1
        self.voiced += level >> 7
        level &= 0x7F
        self.level_sum += level
        if level < self.loudest:
            self.loudest = level

    def take_loudness(self) -> Loudness:
        taken = Loudness(self.levels, self.voiced, self.loudest, self.level_sum)
        self.levels = self.voiced = self.level_sum = 0
        self.loudest = _SILENT
        return taken

    def plain(self, number: int, timestamp: int, marker: int, payload: bytes) -> bytes:
        """The packet as a recorder takes it: no extensions, no padding."""
        codec = self.config.codec.payload_type
        return _HEADER.pack(0x80, codec | marker, number & 0xFFFF, timestamp, self.ssrc or 0) + payload


class Source:
    """One SSRC of a peer. ``stream`` None: known and not wanted (another simulcast layer)."""

    __slots__ = ("level_at", "rtx", "stream", "transport_cc_at")

    def __init__(self, stream: InboundStream | None, rtx: bool) -> None:
        self.stream = stream
        self.rtx = rtx
        # Where in a packet the extension stood last time: browsers hardly ever move it.
        self.transport_cc_at = 0
        self.level_at = 0
