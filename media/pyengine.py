"""The Python twin of the packet engine: in place, burst by burst, a fixed handful of operations per packet.

A packet goes: ``service`` → ``_take`` (whose?) → ``_rtp`` (decrypt, which stream?) → ``_keep`` → ``_deliver``.
"""

from __future__ import annotations

import logging
import random
import struct
from collections.abc import Sequence

from media.engine import (
    PAUSE,
    Datagram,
    EngineEvent,
    KeyFrameWanted,
    LinkConfig,
    PeerCounters,
    Port,
    Reception,
    RtcpArrived,
    Sending,
    StreamActive,
    StreamConfig,
)
from media.errors import PeerError
from media.forward.history import Media
from media.forward.keyframes import starts_key_frame
from media.forward.loss import RESTARTED
from media.forward.peer import EnginePeer
from media.forward.subscription import Subscription, matching
from media.forward.track import InboundStream, Source
from media.record.sink import TrackSink
from media.transport.ice import Path
from media.transport.outbox import Burst
from media.transport.srtp import Arena, SrtpKeys, find_binding, open_session
from media.wire import rtp
from media.wire.demux import Kind, classify
from media.wire.extensions import ONE_BYTE, abs_send_time, elements

log = logging.getLogger("tongtang.media")

_RECEIVE = 2048  # above any MTU; what is longer is cut and fails authentication
_BATCH = 256  # datagrams per call: timers and other ports wait at most a millisecond or two
_BELIEVED = 1.0  # seconds that a kernel's arrival may differ: more means that the wall clock was set meanwhile
_FIXED = struct.Struct("!BBHII")


class PythonEngine:
    """See ``media.engine.Engine``."""

    native = False

    def __init__(self, in_place: bool = True) -> None:
        self.garbage = 0
        self._binding = find_binding() if in_place else None
        self.in_place = self._binding is not None
        self._in = Arena(_RECEIVE, self._binding)
        self._burst = Burst(self._binding)
        self._waiting: list[InboundStream] = []  # with packets not forwarded yet
        self._now = 0.0
        self._ports: dict[int, Port] = {}
        self._next_port = 0
        self._peers: dict[int, EnginePeer] = {}
        self._paths: dict[Path, EnginePeer] = {}
        self._streams: dict[int, InboundStream] = {}
        self._links: dict[int, tuple[EnginePeer, Subscription]] = {}

    # --- ports, peers ------------------------------------------------------------------------------------------------

    def attach(self, port: Port) -> int:
        self._next_port += 1
        self._ports[self._next_port] = port
        return self._next_port

    def detach(self, port: int) -> None:
        self._ports.pop(port, None)
        for path in [p for p in self._paths if p[0] == port]:
            peer = self._paths.pop(path)
            if peer.outbox.path == path:
                peer.outbox.aim(None, None)

    def port_kind(self, port: int) -> str:
        found = self._ports.get(port)
        return found.kind if found else "udp"

    def add_peer(self, peer: int) -> None:
        self._peers[peer] = EnginePeer(peer, self._burst)

    def set_keys(self, peer: int, keys: SrtpKeys) -> None:
        if found := self._peers.get(peer):
            found.srtp = open_session(keys, self._binding)
            found.outbox.secure(found.srtp)

    def add_path(self, peer: int, path: Path) -> None:
        if found := self._peers.get(peer):
            self._paths[path] = found

    def drop_path(self, path: Path) -> None:
        self._paths.pop(path, None)

    def select_path(self, peer: int, path: Path) -> None:
        if found := self._peers.get(peer):
            found.outbox.aim(self._ports.get(path[0]), path)

    def remove_peer(self, peer: int) -> None:
        found = self._peers.pop(peer, None)
        if found is None:
            return
        self.flush()
        found.outbox.aim(None, None)
        for path in [p for p, owner in self._paths.items() if owner is found]:
            del self._paths[path]
        for stream in [s.handle for s in self._streams.values() if s.peer == peer]:
            self.remove_stream(stream)
        for link in [k for k, (owner, _) in self._links.items() if owner is found]:
            self.switch(link, None)
            del self._links[link]

    # --- streams, links ----------------------------------------------------------------------------------------------

    def add_stream(self, stream: int, peer: int, config: StreamConfig) -> None:
        owner = self._peers.get(peer)
        if owner is None:
            return
        made = self._streams[stream] = InboundStream(stream, peer, config)
        owner.add_stream(made)

    def remove_stream(self, stream: int) -> None:
        self.flush()
        gone = self._streams.pop(stream, None)
        if gone is None:
            return
        for link in gone.links:
            link.show(None, None)
        if owner := self._peers.get(gone.peer):
            owner.remove_stream(gone)

    def tap(self, stream: int, sink: TrackSink | None) -> None:
        if found := self._streams.get(stream):
            found.sink = sink

    def add_link(self, link: int, peer: int, config: LinkConfig) -> None:
        if owner := self._peers.get(peer):
            sequence, timestamp = random.getrandbits(15), random.getrandbits(31)  # RFC 3550 section 5.1
            self._links[link] = (owner, Subscription(owner.outbox, config, sequence, timestamp))

    def switch(self, link: int, stream: int | None) -> bool:
        self.flush()
        found = self._links.get(link)
        if found is None:
            return False
        subscription = found[1]
        old = self._streams.get(subscription.stream) if subscription.stream is not None else None
        if old is not None:
            old.links.remove(subscription)
        new = self._streams.get(stream) if stream is not None else None
        codec = matching(subscription.config.codecs, new.config.codec) if new else None
        if new is None or codec is None:
            subscription.show(None, None)
            return stream is None
        subscription.show(stream, codec)
        new.links.append(subscription)
        return True

    # --- packets in --------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, path: Path, now: float) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        if len(data) > _RECEIVE:
            self.garbage += 1
            return events
        self._in.data[: len(data)] = data
        self._stamp(now)
        self._take(len(data), path, now, events)
        return events

    def service(self, port: int, now: float) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        source = self._ports.get(port)
        if source is None:
            return events
        self._stamp(now)
        receive_into, buffer, take = source.receive_into, self._in.data, self._take
        for _ in range(_BATCH):
            got = receive_into(buffer)
            if got is None:
                break
            arrival = got[2]
            if arrival is None or not now - _BELIEVED < arrival < now + _BELIEVED:
                arrival = now
            take(got[0], (port, got[1]), arrival, events)
        return events

    def _stamp(self, now: float) -> None:
        self._now = now
        self._burst.stamp = abs_send_time(now).to_bytes(3, "big")

    def _take(self, size: int, path: Path, now: float, events: list[EngineEvent]) -> None:
        data = self._in.data
        kind = classify(data, size)
        if kind is Kind.STUN or (kind is Kind.DTLS and path in self._paths):
            events.append(Datagram("stun" if kind is Kind.STUN else "dtls", path, bytes(data[:size])))
            return
        peer = self._paths.get(path)
        if peer is None or peer.srtp is None or kind < Kind.RTP:
            self.garbage += 1
        elif kind is Kind.RTP:
            self._rtp(peer, size, now, events)
        else:
            self._rtcp(peer, size, events)

    def _rtcp(self, peer: EnginePeer, size: int, events: list[EngineEvent]) -> None:
        peer.received_packets += 1
        peer.received_bytes += size
        size = peer.srtp.unprotect_rtcp(self._in, size) if peer.srtp else 0
        if size:
            events.append(RtcpArrived(peer.handle, bytes(self._in.data[:size])))
        else:
            peer.refused += 1

    def _rtp(self, peer: EnginePeer, size: int, now: float, events: list[EngineEvent]) -> None:
        peer.received_packets += 1
        peer.received_bytes += size
        size = peer.srtp.unprotect(self._in, size) if peer.srtp else 0
        if size < 12:
            peer.refused += 1
            return
        data = self._in.data
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
            self._deliver()
            stream.begin(ssrc)
        if now - stream.last_arrival > PAUSE:
            events.append(StreamActive(stream.handle))
        stream.last_arrival = now
        number = stream.receiver.note(sequence, timestamp, now)
        if number < 0:
            if number != RESTARTED:
                return
            number = stream.receiver.highest
            self._deliver()
            stream.restart()
        self._keep(stream, (number, timestamp, second & 0x80, level, bytes(data[start:end])), now)
        if stream.key_wanted:
            stream.key_wanted = False
            events.append(KeyFrameWanted(stream.handle))

    def _extensions(self, peer: EnginePeer, source: Source, start: int, end: int, now: float) -> bytes:
        """Books the transport-wide number; returns the audio level's byte or none. Looks at the last place first."""
        data = self._in.data
        level_id, cc_id = peer.level_id, peer.transport_cc_id
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
                elif element == level_id:
                    level_at = at
            if profile == ONE_BYTE:
                source.level_at, source.transport_cc_at = level_at, cc_at
        if cc_at:
            peer.note_transport_cc(data[cc_at] << 8 | data[cc_at + 1], now)
        return bytes(data[level_at : level_at + 1]) if level_at else b""

    def _learn(self, peer: EnginePeer, size: int) -> Source | None:
        try:
            header = rtp.parse(self._in.data, size)
        except PeerError:
            return None
        return peer.learn(header, self._in.data)

    def _keep(self, stream: InboundStream, media: Media, now: float) -> None:
        """Into the history and the burst; forwarded when the socket is drained, so that a peer gets it in one go."""
        stream.history.put(media)
        if stream.links:
            if not stream.burst:
                self._waiting.append(stream)
            stream.burst.append((media, not stream.video or starts_key_frame(stream.mime, media[4])))
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

    # --- packets out -------------------------------------------------------------------------------------------------

    def _deliver(self) -> None:
        """Peer after peer, so that the arena stays in the cache."""
        streams, self._waiting = self._waiting, []
        for stream in streams:
            burst, stream.burst = stream.burst, []
            for link in stream.links:
                link.forward(burst, self._now)

    def flush(self) -> None:
        if self._waiting:
            self._deliver()
        if self._burst.owner is not None:
            self._burst.owner.flush()

    def send(self, path: Path, data: bytes) -> None:
        if port := self._ports.get(path[0]):
            port.send(path[1], memoryview(data), (len(data),))

    def send_rtcp(self, peer: int, data: bytes) -> None:
        if found := self._peers.get(peer):
            found.outbox.seal_rtcp(data)

    def resend(self, link: int, sequences: Sequence[int], now: float) -> int:
        found = self._links.get(link)
        if found is None:
            return 0
        self._stamp(now)
        peer, subscription = found
        done = 0
        for sequence in sequences:
            place = subscription.rewriter.locate(sequence)
            stream = self._streams.get(place[1].stream) if place else None
            if place is None or stream is None:
                continue
            media = stream.history.get(place[0] - place[1].offset)
            if media is not None and subscription.resend(media, place[0], place[1].timestamp_offset, now):
                done += 1
        peer.retransmitted += done
        return done

    # --- what feedback and statistics need --------------------------------------------------------------------------

    def missing(self, stream: int, now: float) -> list[int]:
        found = self._streams.get(stream)
        if found is None:
            return []
        found.receiver.expire(now)
        if found.config.codec.rtx is None and not found.video:
            return []
        return [number & 0xFFFF for number in found.receiver.to_request(now)]

    def arrivals(self, peer: int) -> list[tuple[int, float]]:
        found = self._peers.get(peer)
        return found.take_arrivals() if found else []

    def reception(self, stream: int) -> Reception | None:
        s = self._streams.get(stream)
        if s is None or s.ssrc is None:
            return None
        r = s.receiver
        return Reception(s.ssrc, r.highest, r.expected, r.received, r.jitter, s.bytes, s.last_arrival)

    def sending(self, link: int) -> Sending | None:
        found = self._links.get(link)
        if found is None:
            return None
        s = found[1]
        return Sending(s.config.ssrc, s.packets, s.octets, s.stream, s.rewriter.timestamp_offset, s.started)

    def counters(self, peer: int) -> PeerCounters | None:
        p = self._peers.get(peer)
        if p is None:
            return None
        o = p.outbox
        return PeerCounters(
            p.received_packets, p.received_bytes, o.sent_packets, o.sent_bytes, p.retransmitted, p.refused
        )
