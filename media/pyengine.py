"""The Python twin of the packet engine: what the contract names, put together from its parts in ``forward/``.

A packet goes: ``service`` → ``Intake.take`` (whose? decrypt, which stream?) → ``Fanout.add`` → ``Fanout.deliver`` →
``Subscription.forward`` → the peer's outbox → ``flush``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import cycle
from random import Random, SystemRandom

from media.engine import (
    Detail,
    EngineEvent,
    LinkConfig,
    Loudness,
    PeerCounters,
    Port,
    Reception,
    Sending,
    StreamConfig,
)
from media.forward.fanout import Fanout
from media.forward.history import Media
from media.forward.intake import Intake
from media.forward.peer import EnginePeer
from media.forward.rewrite import Segment
from media.forward.subscription import Subscription
from media.forward.track import InboundStream
from media.record.sink import TrackSink
from media.transport.ice import Path
from media.transport.outbox import Burst
from media.transport.srtp import Arena, SrtpKeys, find_binding, open_session
from media.wire.extensions import abs_send_time

_RECEIVE = 2048  # above any MTU; what is longer is cut and fails authentication
_BATCH = 256  # datagrams per call: timers and other ports wait at most a millisecond or two
_NEWEST = 16  # packets a probe repeats, over and over
_PADDING = 255  # a probe up to this size is padding
_MOST_PROBES = 64  # packets of one probe: 0.1 s of 6 Mbit/s
_BELIEVED = 1.0  # seconds that a kernel's arrival may differ: more means that the wall clock was set meanwhile


class PythonEngine:
    """See ``media.engine.Engine``. ``random``: where sequence numbers and timestamps start (RFC 3550 section 5.1)."""

    native = False

    def __init__(self, in_place: bool = True, random: Random | None = None) -> None:
        self._binding = find_binding() if in_place else None
        self.in_place = self._binding is not None
        self._random = random or SystemRandom()
        self._burst = Burst(self._binding)
        self._fanout = Fanout()
        self._intake = Intake(Arena(_RECEIVE, self._binding), self._fanout)
        self._ports: dict[int, Port] = {}
        self._next_port = 0
        self._peers: dict[int, EnginePeer] = {}
        self._links: dict[int, tuple[EnginePeer, Subscription]] = {}

    @property
    def garbage(self) -> int:
        return self._intake.garbage

    @garbage.setter
    def garbage(self, count: int) -> None:
        self._intake.garbage = count

    # --- ports, peers ------------------------------------------------------------------------------------------------

    def attach(self, port: Port) -> int:
        self._next_port += 1
        self._ports[self._next_port] = port
        return self._next_port

    def detach(self, port: int) -> None:
        self._ports.pop(port, None)
        for path in [p for p in self._intake.paths if p[0] == port]:
            peer = self._intake.paths.pop(path)
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
            self._intake.paths[path] = found

    def drop_path(self, path: Path) -> None:
        self._intake.paths.pop(path, None)

    def select_path(self, peer: int, path: Path) -> None:
        if found := self._peers.get(peer):
            found.outbox.aim(self._ports.get(path[0]), path)

    def remove_peer(self, peer: int) -> None:
        found = self._peers.pop(peer, None)
        if found is None:
            return
        self.flush()
        found.outbox.aim(None, None)
        self._fanout.backlogs.pop(peer, None)
        for path in [p for p, owner in self._intake.paths.items() if owner is found]:
            del self._intake.paths[path]
        for stream in [s.handle for s in self._fanout.streams.values() if s.peer == peer]:
            self.remove_stream(stream)
        for link in [k for k, (owner, _) in self._links.items() if owner is found]:
            self.switch(link, None)
            del self._links[link]

    # --- streams, links ----------------------------------------------------------------------------------------------

    def add_stream(self, stream: int, peer: int, config: StreamConfig) -> None:
        owner = self._peers.get(peer)
        if owner is None:
            return
        made = self._fanout.streams[stream] = InboundStream(stream, peer, config)
        owner.add_stream(made)

    def remove_stream(self, stream: int) -> None:
        self.flush()
        gone = self._fanout.streams.get(stream)
        if gone is None:
            return
        self._fanout.remove(gone)
        if owner := self._peers.get(gone.peer):
            owner.remove_stream(gone)

    def tap(self, stream: int, sink: TrackSink | None) -> None:
        if found := self._fanout.streams.get(stream):
            found.sink = sink

    def add_link(self, link: int, peer: int, config: LinkConfig) -> None:
        if owner := self._peers.get(peer):
            sequence, timestamp = self._random.getrandbits(15), self._random.getrandbits(31)
            made = Subscription(link, owner.outbox, config, sequence, timestamp, self._fanout.events)
            self._links[link] = (owner, made)

    def switch(self, link: int, stream: int | None, *, keep: bool = False, delta: int | None = None) -> bool:
        self.flush()
        found = self._links.get(link)
        return found is not None and self._fanout.switch(found[1], stream, keep, delta)

    def set_detail(self, link: int, detail: Detail) -> None:
        self.flush()
        found = self._links.get(link)
        if found is not None and found[1].config.kind == "video":
            self._fanout.limit(found[1], detail)

    def set_redundancy(self, link: int, distance: int) -> None:
        self.flush()
        found = self._links.get(link)
        if found is not None and found[1].config.kind == "audio":
            found[1].set_redundancy(distance)

    def pace(self, peer: int, bits_per_second: float | None) -> None:
        self.flush()
        found = self._peers.get(peer)
        if found is None:
            return
        if bits_per_second is None:
            found.backlog.drain(self._fanout.now)
            found.outbox.backlog = None
            self._fanout.backlogs.pop(peer, None)
            self.flush()
        else:
            found.backlog.set_rate(bits_per_second)
            found.outbox.backlog = self._fanout.backlogs[peer] = found.backlog

    # --- packets in --------------------------------------------------------------------------------------------------

    def receive(self, data: bytes, path: Path, now: float) -> list[EngineEvent]:
        if len(data) > _RECEIVE:
            self.garbage += 1
            return []
        self._intake.arena.data[: len(data)] = data
        self._stamp(now)
        events = self._fanout.take_events()
        self._intake.take(len(data), path, now, events)
        return events

    def service(self, port: int, now: float) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        source = self._ports.get(port)
        if source is None:
            return events
        self._stamp(now)
        receive_into, buffer, take = source.receive_into, self._intake.arena.data, self._intake.take
        for _ in range(_BATCH):
            got = receive_into(buffer)
            if got is None:
                break
            arrival = got[2]
            if arrival is None or not now - _BELIEVED < arrival < now + _BELIEVED:
                arrival = now
            take(got[0], (port, got[1]), arrival, events)
        self._fanout.deliver()
        return events + self._fanout.take_events()

    def _stamp(self, now: float) -> None:
        if now != self._burst.now and self._burst.owner is not None:
            self._burst.owner.flush()  # a burst has one time of departure
        self._fanout.now = self._burst.now = now
        self._burst.stamp = abs_send_time(now).to_bytes(3, "big")

    # --- packets out -------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        self._fanout.deliver()
        if self._burst.owner is not None:
            self._burst.owner.flush()

    def pump(self, now: float) -> float | None:
        self._stamp(now)
        self.flush()
        return min((b.next for b in self._fanout.backlogs.values() if b.busy), default=None)

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
        done = sum(
            subscription.resend(media, out, segment, now) for media, out, segment in self._sent(subscription, sequences)
        )
        peer.retransmitted += done
        return done

    def probe(self, link: int, size: int, now: float) -> int:
        found = self._links.get(link)
        if found is None or not found[1].repeatable:
            return 0
        self._stamp(now)
        peer, subscription = found
        highest, done = subscription.rewriter.highest, 0
        numbers = range(highest, highest - (_NEWEST if size > _PADDING else 0), -1)
        newest = [s for s in self._sent(subscription, numbers) if s[0][4]]
        for _, (media, out, segment) in zip(range(_MOST_PROBES), cycle(newest), strict=False):
            if done >= size:
                break
            done += subscription.repeat(media, out, segment)
        while not newest and done < size and (sent := subscription.pad()):
            done += sent
        peer.probed += done
        return done

    def _sent(self, link: Subscription, sequences: Iterable[int]) -> Iterator[tuple[Media, int, Segment]]:
        """What the history still holds of the packets that went out under these numbers."""
        for sequence in sequences:
            place = link.rewriter.locate(sequence & 0xFFFF)
            stream = self._fanout.streams.get(place[1].stream) if place else None
            media = stream.history.get(place[0] - place[1].offset) if place and stream else None
            if place is not None and media is not None:
                yield media, *place

    # --- what feedback and statistics need --------------------------------------------------------------------------

    def missing(self, stream: int, now: float) -> list[int]:
        found = self._fanout.streams.get(stream)
        if found is None:
            return []
        found.receiver.expire(now)
        if found.config.codec.rtx is None and not found.video:
            return []
        return [number & 0xFFFF for number in found.receiver.to_request(now)]

    def arrivals(self, peer: int) -> list[tuple[int, float]]:
        found = self._peers.get(peer)
        return found.take_arrivals() if found else []

    def departures(self, peer: int) -> list[tuple[int, float, int]]:
        found = self._peers.get(peer)
        return found.outbox.take_departures() if found else []

    def loudness(self, stream: int) -> Loudness | None:
        found = self._fanout.streams.get(stream)
        return found.take_loudness() if found else None

    def reception(self, stream: int) -> Reception | None:
        s = self._fanout.streams.get(stream)
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
            p.received_packets,
            p.received_bytes,
            o.sent_packets,
            o.sent_bytes,
            p.retransmitted,
            p.refused,
            p.backlog.bytes,
            p.backlog.dropped,
            p.probed,
        )
