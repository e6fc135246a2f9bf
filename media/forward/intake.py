"""A packet's way in: whose is it, is it authentic, which stream, is it new? Then into the history and to the fan-out.

Rule: in place, a fixed handful of operations per packet; what cannot be understood is counted and dropped.
"""

from __future__ import annotations

import logging
import struct

from media.engine import PAUSE, Datagram, EngineEvent, KeyFrameWanted, RtcpArrived, StreamActive
from media.errors import PeerError
from media.forward.fanout import Fanout
from media.forward.history import Media
from media.forward.keyframes import starts_key_frame
from media.forward.loss import RESTARTED
from media.forward.peer import EnginePeer
from media.forward.track import InboundStream, Source
from media.record.sink import TrackSink
from media.transport.ice import Path
from media.transport.srtp import Arena
from media.wire import rtp
from media.wire.demux import Kind, classify
from media.wire.extensions import ONE_BYTE, elements

log = logging.getLogger("tongtang.media")

_FIXED = struct.Struct("!BBHII")


class Intake:
    """``take`` one datagram that lies at the beginning of ``arena``."""

    __slots__ = ("_fanout", "arena", "garbage", "paths")

    def __init__(self, arena: Arena, fanout: Fanout) -> None:
        self.arena = arena
        self._fanout = fanout
        self.garbage = 0
        self.paths: dict[Path, EnginePeer] = {}

    def take(self, size: int, path: Path, now: float, events: list[EngineEvent]) -> None:
        data = self.arena.data
        kind = classify(data, size)
        if kind is Kind.STUN or (kind is Kind.DTLS and path in self.paths):
            events.append(Datagram("stun" if kind is Kind.STUN else "dtls", path, bytes(data[:size])))
            return
        peer = self.paths.get(path)
        if peer is None or peer.srtp is None or kind < Kind.RTP:
            self.garbage += 1
        elif kind is Kind.RTP:
            self._rtp(peer, size, now, events)
        else:
            self._rtcp(peer, size, events)

    def _rtcp(self, peer: EnginePeer, size: int, events: list[EngineEvent]) -> None:
        peer.received_packets += 1
        peer.received_bytes += size
        size = peer.srtp.unprotect_rtcp(self.arena, size) if peer.srtp else 0
        if size:
            events.append(RtcpArrived(peer.handle, bytes(self.arena.data[:size])))
        else:
            peer.refused += 1

    def _rtp(self, peer: EnginePeer, size: int, now: float, events: list[EngineEvent]) -> None:
        peer.received_packets += 1
        peer.received_bytes += size
        size = peer.srtp.unprotect(self.arena, size) if peer.srtp else 0
        if size < 12:
            peer.refused += 1
            return
        data = self.arena.data
        first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
        source = peer.sources.get(ssrc)
        if source is None:  # its transport-wide number counts all the same, or the sender would see losses
            source = self._learn(peer, size) or peer.stranger
        start = 12 + 4 * (first & 15)
        level = b""
        if first & 0x10:
            end = start + 4 + 4 * (data[start + 2] << 8 | data[start + 3]) if start + 4 <= size else size + 1
            if end > size:
                return
            level = self._extensions(peer, source, start, end, now)
            start = end
        end = size - data[size - 1] if first & 0x20 else size
        stream = source.stream
        if stream is None or end < start:
            return
        stream.bytes += end - start
        if source.rtx:
            if end - start < 2:
                return  # a probe
            sequence = data[start] << 8 | data[start + 1]  # RFC 4588 section 4: original sequence number
            start += 2
            if not stream.receiver.wants(stream.receiver.number_of(sequence)):
                return  # browsers probe with old packets
        elif stream.ssrc != ssrc:
            self._fanout.deliver()
            stream.begin(ssrc)
        if now - stream.last_arrival > PAUSE:
            events.append(StreamActive(stream.handle))
        stream.last_arrival = now
        number = stream.receiver.note(sequence, timestamp, now)
        if number < 0:
            if number != RESTARTED:
                return
            number = stream.receiver.highest
            self._fanout.deliver()
            stream.restart()
        self._keep(stream, (number, timestamp, second & 0x80, level, bytes(data[start:end])), now)
        if stream.key_wanted:
            stream.key_wanted = False
            events.append(KeyFrameWanted(stream.handle))

    def _extensions(self, peer: EnginePeer, source: Source, start: int, end: int, now: float) -> bytes:
        """Books the transport-wide number; returns the audio level's byte or none. Looks at the last place first."""
        data = self.arena.data
        level_id, cc_id = peer.level_id, peer.transport_cc_id
        if source.stream is not None and source.stream.video:
            level_id = 0  # the level is that of another track
        level_at, cc_at = source.level_at, source.transport_cc_at
        known = data[start] == 0xBE and (
            not cc_id or (cc_at and data[cc_at - 1] == cc_id << 4 | 1 and cc_at + 2 <= end)
        )
        if not (known and (not level_id or (level_at and data[level_at - 1] == level_id << 4 and level_at < end))):
            level_at = cc_at = 0
            profile = data[start] << 8 | data[start + 1]
            for element, at, length in elements(data, profile, start + 4, end):
                if element == cc_id and length == 2:
                    cc_at = at
                elif element == level_id and level_id:
                    level_at = at
            if profile == ONE_BYTE:
                source.level_at, source.transport_cc_at = level_at, cc_at
        if cc_at:
            peer.note_transport_cc(data[cc_at] << 8 | data[cc_at + 1], now)
        return bytes(data[level_at : level_at + 1]) if level_at else b""

    def _learn(self, peer: EnginePeer, size: int) -> Source | None:
        try:
            header = rtp.parse(self.arena.data, size)
        except PeerError:
            return None
        return peer.learn(header, self.arena.data)

    def _keep(self, stream: InboundStream, media: Media, now: float) -> None:
        """Into the history and the burst; forwarded when the socket is drained, so that a peer gets it in one go."""
        stream.history.put(media, now)
        if media[3]:
            stream.hear(media[3][0])
        if stream.links or stream.expected_by:
            self._fanout.add(stream, media, not stream.video or starts_key_frame(stream.mime, media[4]))
        if stream.sink is not None:
            self._tap(stream, stream.sink, media, now)

    @staticmethod
    def _tap(stream: InboundStream, sink: TrackSink, media: Media, now: float) -> None:
        number, timestamp, marker, _, payload = media
        try:
            sink.on_rtp(stream.plain(number, timestamp, marker, payload), now)
        except Exception:  # the recorder's fault must not take the picture from the rooms
            if not stream.tap_failed:
                log.exception("the recorder of stream %d failed; said once", stream.handle)
            stream.tap_failed = True
