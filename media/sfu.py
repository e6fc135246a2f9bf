"""The facade of the media plane: transports, tracks, slots by name; datagrams and time in, events out.

Rule: decides nothing (who may speak, who sees whom is signaling's), never touches a socket or a clock. What happens per
packet stands behind ``Engine``, what happens per second in ``forward/upkeep.py``; here is what happens per person.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from media.config import MediaConfig
from media.engine import (
    Datagram,
    Engine,
    EngineEvent,
    KeyFrameWanted,
    LinkConfig,
    LinkSwitched,
    RtcpArrived,
    StreamActive,
    StreamConfig,
)
from media.errors import PeerError, ResourceError
from media.forward import layers
from media.forward.inbox import Inbox
from media.forward.kept import Shelf
from media.forward.pictures import Pictures
from media.forward.registry import Registry
from media.forward.router import PublishedTrack, Router, Slot
from media.forward.steering import Steering
from media.forward.taps import LayerTap
from media.forward.upkeep import Upkeep
from media.parameters import (
    Candidate,
    IceCredentials,
    MediaEvent,
    Quality,
    SlotParameters,
    TrackParameters,
    TransportAnswer,
    TransportParameters,
    TransportStats,
)
from media.record.sink import TrackSink
from media.stats import transport_stats
from media.transport.certificate import Certificate
from media.transport.ice import Path
from media.transport.transport import PeerTransport
from media.wire import stun

# RFC 8445 section 5.1.2.1: type preference 126 (host) for UDP; ICE-TCP after every UDP pair (RFC 6544 section 4.2).
_UDP_PRIORITY, _TCP_PRIORITY = 2130706431, 1671430143


class Sfu:
    """See the module's text. Ids are the caller's; unknown ids are ignored where something is taken away."""

    def __init__(self, config: MediaConfig, engine: Engine, certificate: Certificate) -> None:
        self.config = config
        self.engine = engine
        self.port = config.port
        self._certificate = certificate
        self._handles = itertools.count(1)
        self._registry = Registry()
        self._shelf = Shelf(engine, lambda: next(self._handles))
        self._pictures = Pictures(self._registry, engine, self._shelf)
        self._steering = Steering(self._registry, engine, self._pictures)
        self._inbox = Inbox(self._registry, engine, self._pictures, self._steering)
        self._upkeep = Upkeep(self._registry, engine, self._pictures, self._steering, config.silence_s)

    # --- rooms, transports -------------------------------------------------------------------------------------------

    def add_router(self, router: str) -> None:
        self._registry.routers.setdefault(router, Router(router))

    def remove_router(self, router: str, now: float) -> None:
        gone = self._registry.routers.get(router)
        for transport in list(gone.transports) if gone else ():
            self.remove_transport(transport, now)
        self._registry.routers.pop(router, None)

    def add_transport(
        self, router: str, transport: str, parameters: TransportParameters, now: float
    ) -> TransportAnswer:
        if router not in self._registry.routers:
            raise ResourceError(f"no router {router!r}")
        if transport in self._registry.transports:
            raise ResourceError(f"transport {transport!r} exists")
        if len(self._registry.transports) >= self.config.max_transports:
            raise ResourceError("too many transports")
        peer = next(self._handles)
        made = PeerTransport.create(router, transport, peer, parameters, self._certificate, now)
        self.engine.add_peer(peer)
        self._registry.add(made)
        self._registry.states[transport].line = parameters.line
        if parameters.line is not None and parameters.line_rate is not None:
            self._steering.lines.told(parameters.line, parameters.line_rate)
        self._upkeep.watch(made, now)
        return self._answer(made.ice.local)

    def restart_ice(self, transport: str, ice: IceCredentials, now: float) -> TransportAnswer:
        """New credentials for the same DTLS session; a transport lost by silence lives again when it is checked."""
        found = self._registry.transport(transport)
        old = set(found.ice.ufrags)
        local = found.restart_ice(ice, now)
        for ufrag in old - set(found.ice.ufrags):
            self._registry.by_ufrag.pop(ufrag, None)
        self._registry.by_ufrag[local.ufrag] = found
        if found.lost == "silence":
            found.lost = None
        self._upkeep.watch(found, now)
        return self._answer(local)

    def remove_transport(self, transport: str, now: float) -> None:
        gone = self._registry.transports.get(transport)
        if gone is None:
            return
        for track in list(self._registry.states[transport].tracks):
            self.unpublish(track, now)
        if gone.path is not None:
            for datagram in gone.dtls.close():
                self.engine.send(gone.path, datagram)
        self.engine.remove_peer(gone.peer)
        self._steering.forget(transport)
        self._registry.forget(gone)

    def _answer(self, local: IceCredentials) -> TransportAnswer:
        candidates = []
        for i, address in enumerate(self.config.addresses):
            candidates.append(Candidate("udp", address, self.port, _UDP_PRIORITY - (i << 8), f"u{i}"))
            if self.config.tcp:
                candidates.append(Candidate("tcp", address, self.port, _TCP_PRIORITY - (i << 8), f"t{i}"))
        return TransportAnswer(local, self._certificate.fingerprint, tuple(candidates))

    # --- tracks, slots -----------------------------------------------------------------------------------------------

    def publish(self, transport: str, track: str, parameters: TrackParameters, now: float) -> None:
        owner, state = self._registry.transport(transport), self._registry.states[transport]
        if track in self._registry.tracks:
            raise ResourceError(f"track {track!r} exists")
        if len(state.tracks) >= self.config.max_tracks:
            raise ResourceError("too many tracks")
        streams = [next(self._handles) for _ in parameters.rids or (None,)]
        made = layers.make(streams, parameters.rids, parameters.kind == "video")
        for layer in made:
            self.engine.add_stream(layer.stream, owner.peer, _stream_config(parameters, layer.rid))
            layer.want(now)  # until it is known that nobody does
        published = PublishedTrack(track, transport, owner.router, made, parameters)
        self._registry.add_track(published)
        if parameters.deaf and len(made) == 1:
            self._registry.by_stream[self._shelf.add(published)] = published
        state.transport_cc = state.transport_cc or parameters.extensions.transport_cc is not None

    def unpublish(self, track: str, now: float) -> None:
        gone = self._registry.tracks.get(track)
        if gone is not None:
            for layer in gone.layers:
                self.engine.remove_stream(layer.stream)
            if (still := self._shelf.remove(track)) is not None:
                del self._registry.by_stream[still]
            self._registry.forget_track(gone)

    def add_slot(self, transport: str, slot: SlotParameters) -> None:
        owner, state = self._registry.transport(transport), self._registry.states[transport]
        if slot.mid in state.slots:
            raise ResourceError(f"slot {slot.mid!r} exists")
        if len(state.slots) >= self.config.max_tracks:
            raise ResourceError("too many slots")
        if not slot.codecs:
            raise PeerError(f"slot {slot.mid!r} without a codec")
        link = next(self._handles)
        config = LinkConfig(slot.kind, slot.mid, slot.codecs, slot.extensions, slot.ssrc, slot.rtx_ssrc)
        self.engine.add_link(link, owner.peer, config)
        self._registry.add_slot(state, Slot(transport, link, slot))
        self._steering.join(state, slot.extensions.transport_cc is not None)

    def route(self, transport: str, mid: str, track: str | None, now: float) -> None:
        """Shows ``track`` in that slot; the same track again changes nothing. Without its codec the slot stays dark."""
        state = self._registry.states.get(transport)
        slot = state.slots.get(mid) if state else None
        if slot is None:
            raise ResourceError(f"no slot {mid!r} of {transport!r}")
        if slot.track == track:
            return
        source = self._registry.tracks.get(track) if track is not None else None
        shown = self.engine.switch(slot.link, source.stream if source else None)
        slot.clear()
        if source is not None and shown:
            slot.track, slot.target = source.name, source.stream
        owner = self._registry.transports[transport]
        self._steering.place(owner, self._registry.states[transport], now)
        self._pictures.ask_for(owner, now)
        self._handle([], now)
        self.engine.flush()

    def limit(self, transport: str, mid: str, most: Quality | None) -> None:
        """No better picture makes sense where this slot is seen (a small tile); None: any does."""
        state = self._registry.states.get(transport)
        if state is not None and (slot := state.slots.get(mid)) is not None:
            slot.most = most

    def record(self, track: str, sink: TrackSink | None) -> None:
        """The recorder subscribes (or, with None, leaves)."""
        found = self._registry.tracks.get(track)
        if found is None:
            return
        if found.tap is not None:
            found.tap.close()
        codec = found.parameters.codec
        ear = self._shelf.tappable(track)
        found.tap = LayerTap(ear, found.layers, codec.mime, sink) if sink is not None else None
        if found.tap is not None:
            found.tap.follow(float("-inf"))

    def request_key_frame(self, track: str, now: float) -> None:
        self._pictures.ask(track, now)
        self.engine.flush()

    # --- packets, time -----------------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Path, now: float) -> None:
        """One datagram from (engine port, remote address)."""
        self._handle(self.engine.receive(data, source, now), now)
        self.engine.flush()

    def service(self, port: int, now: float) -> bool:
        """Everything that waits at an engine port. False: nobody sends media, and nobody waits for an answer but to
        "are you still there"; the port may rest for a moment."""
        urgent = self._handle(self.engine.service(port, now), now)
        self.engine.flush()
        return urgent or any(track.active for track in self._registry.tracks.values())

    def tick(self, now: float, between: Callable[[], None] = lambda: None) -> float:
        """Does what is due; returns when it wants to be called again. ``between`` may call ``service``."""
        due = min(self._upkeep.wheel.tick(now, between), self._steering.step(now))
        self._handle([], now)
        waiting = self.engine.pump(now)
        self.engine.flush()
        return due if waiting is None else min(due, waiting)

    def events(self) -> list[MediaEvent]:
        drained, self._registry.events = self._registry.events, []
        return drained

    def stats(self, router: str) -> list[TransportStats]:
        r = self._registry
        names = sorted(r.routers[router].transports) if router in r.routers else []
        return [transport_stats(self.engine, r.transports[n], r.states[n], r.tracks) for n in names]

    def speaker(self, router: str) -> str | None:
        """The microphone's track of the one who speaks, or spoke last."""
        return self._upkeep.ears.leader(router)

    def known(self, source: Path) -> bool:
        """Whether a checked peer owns this path; ``net/`` closes TCP connections that stay strangers."""
        return source in self._registry.by_path

    def path_closed(self, source: Path) -> None:
        """A TCP connection ended: its peer may come back over another path; silence decides."""
        owner = self._registry.by_path.pop(source, None)
        if owner is not None:
            owner.paths = [p for p in owner.paths if p != source]
            if owner.path == source:
                owner.path, owner.nominated = None, False

    def _handle(self, events: list[EngineEvent], now: float) -> bool:
        """Whether there was more than reports and consent."""
        urgent = False
        for event in itertools.chain(events, self._shelf.take_events()):
            if isinstance(event, RtcpArrived):
                self._inbox.take(event.peer, event.data, now)
                continue
            if isinstance(event, Datagram):
                if event.kind == "stun":
                    if self._consents(event.data, event.path, now):
                        continue
                    self._on_stun(event.data, event.path, now)
                else:
                    self._on_dtls(event.data, event.path, now)
            elif isinstance(event, StreamActive):
                self._upkeep.stream_came(self._registry.by_stream[event.stream], event.stream, now)
            elif isinstance(event, LinkSwitched):
                self._steering.switched(event.link, event.stream)
            elif isinstance(event, KeyFrameWanted):
                self._pictures.ask(self._registry.by_stream[event.stream].name, now, event.stream)
            urgent = True
        return urgent

    def _consents(self, data: bytes, path: Path, now: float) -> bool:
        """Answers a check like the last good one (RFC 7675): by far the most are."""
        known = self._registry.by_path.get(path)
        if known is None or (again := known.consent(data, path, now)) is None:
            return False
        self.engine.send(path, again)
        return True

    def _on_stun(self, data: bytes, path: Path, now: float) -> None:
        transport = self._registry.by_ufrag.get(stun.local_ufrag(data) or "")
        try:
            request = stun.parse(data) if transport is not None else None
        except PeerError:
            request = None
        if transport is None or request is None:
            self.engine.garbage += 1
            return
        outcome = transport.on_check(request, path, now)
        if outcome.reply is not None:
            self.engine.send(path, outcome.reply)
        if not outcome.valid:
            return
        if self._registry.by_path.get(path) is not transport:
            self._registry.by_path[path] = transport
            self.engine.add_path(transport.peer, path)
            if (old := transport.remember(path)) is not None:
                self._registry.by_path.pop(old, None)
                self.engine.drop_path(old)
        if outcome.selected:
            self.engine.select_path(transport.peer, path)
        if not transport.connected:  # consent, every few seconds from everybody: nothing else can come of it
            self._upkeep.settle(transport, now)

    def _on_dtls(self, data: bytes, path: Path, now: float) -> None:
        transport = self._registry.by_path.get(path)
        if transport is None or transport.lost is not None:
            return
        for datagram in transport.dtls.receive(data):
            self.engine.send(path, datagram)
        self._upkeep.settle(transport, now)


def _stream_config(parameters: TrackParameters, rid: str | None) -> StreamConfig:
    """Layers have no SSRC in the offer: they are learnt by rid (RFC 8852)."""
    named = rid is None
    return StreamConfig(
        parameters.kind,
        parameters.mid,
        parameters.codec,
        parameters.extensions,
        parameters.ssrcs[:1] if named else (),
        parameters.rtx_ssrcs[:1] if named else (),
        rid,
    )
