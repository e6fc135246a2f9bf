"""What the engine keeps of one peer: its sources (SSRCs), its transport-wide arrivals, its outbox."""

from __future__ import annotations

from media.forward.backlog import Backlog
from media.forward.track import InboundStream, Source
from media.transport.outbox import Burst, Outbox
from media.transport.srtp import SrtpSession
from media.wire.extensions import elements
from media.wire.rtp import RtpHeader
from media.wire.sequence import FIRST_CYCLE, extend

_MOST_SOURCES = 64  # SSRCs learnt of one peer: an attacker with keys could else fill memory
_MOST_ARRIVALS = 4096  # between two feedback messages


class EnginePeer:
    """What the engine keeps of one peer: its sources, its transport-wide arrivals, its outbox."""

    __slots__ = (
        "_arrivals",
        "_highest",
        "backlog",
        "handle",
        "level_id",
        "outbox",
        "probed",
        "received_bytes",
        "received_packets",
        "refused",
        "retransmitted",
        "sources",
        "srtp",
        "stranger",
        "streams",
        "transport_cc_id",
    )

    def __init__(self, handle: int, burst: Burst) -> None:
        self.handle = handle
        self.outbox = Outbox(burst)
        self.backlog = Backlog()  # in use while it is also the outbox's
        self.srtp: SrtpSession | None = None
        self.sources: dict[int, Source] = {}
        self.streams: list[InboundStream] = []
        self.stranger = Source(None, False)
        self.level_id = self.transport_cc_id = 0
        self._arrivals: list[tuple[int, float]] = []
        self._highest = FIRST_CYCLE
        self.received_packets = self.received_bytes = self.retransmitted = self.refused = self.probed = 0

    def note_transport_cc(self, sequence: int, now: float) -> None:
        number = extend(sequence, self._highest)
        if number > self._highest:
            self._highest = number
        if len(self._arrivals) < _MOST_ARRIVALS:
            self._arrivals.append((number, now))

    def take_arrivals(self) -> list[tuple[int, float]]:
        taken, self._arrivals = self._arrivals, []
        return sorted(dict(taken).items())

    def add_stream(self, stream: InboundStream) -> None:
        """Extension ids are one set per BUNDLE (RFC 8843 section 9.2), so any stream may name them."""
        self.streams.append(stream)
        config = stream.config
        self.level_id = config.extensions.audio_level or self.level_id
        self.transport_cc_id = config.extensions.transport_cc or self.transport_cc_id
        for ssrcs, rtx in ((config.ssrcs, False), (config.rtx_ssrcs, True)):
            for ssrc in ssrcs:
                self.sources[ssrc] = Source(stream, rtx)

    def remove_stream(self, stream: InboundStream) -> None:
        self.streams.remove(stream)
        self.sources = {ssrc: s for ssrc, s in self.sources.items() if s.stream is not stream}

    def learn(self, header: RtpHeader, packet: bytearray) -> Source | None:
        """Whose SSRC is this? By mid and rid (RFC 8843 section 9.2), else by a payload type of one stream only."""
        if len(self.sources) >= _MOST_SOURCES:
            return None
        found = [s for s in self.streams if header.payload_type in (s.config.codec.payload_type, s.config.codec.rtx)]
        if not found:
            return None
        texts = self._texts(header, packet)
        ids = found[0].config.extensions
        mid = texts.get(ids.mid or -1)
        found = [s for s in found if s.config.mid == mid] if mid is not None else found
        rtx = bool(found) and header.payload_type == found[0].config.codec.rtx
        if any(s.config.rid is not None for s in found):
            rid = texts.get((ids.repaired_rid if rtx else ids.rid) or -1)
            if rid is None:
                return None  # a layer that does not say which: wait for a packet that does
            found = [s for s in found if s.config.rid in (None, rid)]
            if not found:
                self.sources[header.ssrc] = Source(None, rtx)  # a layer that nobody takes
        if len(found) != 1:
            return None
        source = self.sources[header.ssrc] = Source(found[0], rtx)
        return source

    @staticmethod
    def _texts(header: RtpHeader, packet: bytearray) -> dict[int, str]:
        block = elements(packet, header.profile, header.extension_at, header.extension_end)
        return {i: bytes(packet[at : at + size]).decode("ascii", "replace") for i, at, size in block}
