"""What the media plane does by itself: repair, feedback, reports, timers. Rule: no beat looks at packets."""

from __future__ import annotations

from collections.abc import Iterator

from media.engine import PAUSE, Engine
from media.forward import reports
from media.forward.pictures import Pictures
from media.forward.registry import Registry
from media.forward.router import PeerState, PublishedTrack, Slot
from media.forward.speakers import LISTEN_EVERY, Ears
from media.forward.steering import STEER_EVERY, Steering
from media.forward.wishes import LISTENERS_EVERY, PRICES_EVERY, WISH_EVERY, Wishes
from media.parameters import TrackActive, TransportConnected, TransportLost
from media.transport.transport import PeerTransport
from media.wheel import Beat, Rota, Wheel, portions

_REPAIR_EVERY = 0.02  # a NACK should leave within a frame
_FEEDBACK_EVERY = 0.1  # as libwebrtc's own receivers; its estimators take 50..250 ms
_CARE_EVERY = 0.1
_TRACKS = 32  # looked at before packets pass again
_LOOK_EVERY = 0.02  # how exactly the looks below keep their time
_LAYER_RUNS, _LAYER_PAUSE = 0.3, 0.7  # seconds without a packet; a slow camera sends five a second
_REPORT_EVERY = 1.0  # RFC 3550 section 6.2 would allow 5 s; lip sync wants the first one soon


class Upkeep:
    """``wheel`` drives it; ``settle`` and ``set_active`` are also called when packets change something."""

    def __init__(
        self, registry: Registry, engine: Engine, pictures: Pictures, steering: Steering, silence_s: float
    ) -> None:
        self._registry = registry
        self._engine = engine
        self._pictures = pictures
        self._silence = silence_s
        self.ears = Ears(registry, engine)
        steering.listening.leader, steering.listening.speaks = self.ears.leader, self.ears.speaks
        wishes = Wishes(registry, engine)
        self._health = Rota()  # transports: DTLS timers, silence
        self._reports = Rota()  # connected transports, each in its own moment of the second
        self.wheel = Wheel(
            Beat(_REPAIR_EVERY, self._repair),
            Beat(_FEEDBACK_EVERY, self._feedback),
            Beat(_CARE_EVERY, self._care),
            Beat(_LOOK_EVERY, self._look),
            Beat(LISTEN_EVERY, self.ears.listen),
            Beat(STEER_EVERY, steering.beat),
            Beat(WISH_EVERY, wishes.layers),
            Beat(LISTENERS_EVERY, wishes.sounds),
            Beat(PRICES_EVERY, wishes.prices),
        )

    def watch(self, transport: PeerTransport, now: float) -> None:
        """From now on its silence is noticed."""
        self._health.set(transport.name, now + self._silence)

    def settle(self, transport: PeerTransport, now: float) -> None:
        """After each step of a transport: did it connect, was it lost?"""
        if transport.lost is not None:
            return
        if transport.dtls.waiting:
            self._health.sooner(transport.name, now + _CARE_EVERY)
        if (reason := transport.failure) is not None:
            self.lose(transport, reason)
        elif not transport.connected and transport.dtls.keys is not None and transport.path is not None:
            if not transport.keyed:  # once: SRTP counters must survive a silence that an ICE restart ended
                self._engine.set_keys(transport.peer, transport.dtls.keys)
            transport.keyed = transport.connected = True
            path = self._engine.port_kind(transport.path[0])
            self._registry.events.append(TransportConnected(transport.router, transport.name, path))
            self._pictures.ask_for(transport, now)
            self._reports.set(transport.name, now + _REPORT_EVERY)

    def lose(self, transport: PeerTransport, reason: str) -> None:
        transport.lost, transport.connected = reason, False
        self._registry.events.append(TransportLost(transport.router, transport.name, reason))

    def stream_came(self, track: PublishedTrack, stream: int, now: float) -> None:
        """The engine's ``StreamActive``."""
        if (layer := track.layer(stream)) is not None:
            layer.active = True
            self._settle_track(track, now)

    def _settle_track(self, track: PublishedTrack, now: float) -> None:
        """A track runs while one of its layers does."""
        active = any(layer.active for layer in track.layers)
        if active != track.active:
            track.active = active
            self._registry.events.append(TrackActive(track.router, track.transport, track.name, active))
        if active:  # viewers who were routed before it came wait for a picture
            self._pictures.send_due(track, now)

    def _repair(self, now: float) -> None:
        """Asks publishers for lost video."""
        for track in self._registry.tracks.values():
            if not track.video or not track.active:
                continue
            for layer in track.layers:
                missing = self._engine.missing(layer.stream, now) if layer.active else []
                seen = self._engine.reception(layer.stream) if missing else None
                if seen is not None:
                    owner = self._registry.transports[track.transport]
                    self._engine.send_rtcp(owner.peer, reports.nack_compound(seen.ssrc, missing))

    def _feedback(self, now: float) -> Iterator[None]:
        """Transport-wide feedback: without it a browser's estimate stays at 450 kbit/s and upper layers never start."""
        for names in portions({track.transport for track in self._registry.tracks.values()}):
            for name in names:
                self._tell_arrivals(self._registry.transports[name].peer, self._registry.states[name])
            yield

    def _tell_arrivals(self, peer: int, state: PeerState) -> None:
        if not state.transport_cc:
            return
        streams = (layer.stream for t in state.tracks for layer in self._registry.tracks[t].layers)
        seen = (self._engine.reception(stream) for stream in streams)
        media = next((s.ssrc for s in seen if s is not None), 0)
        if compound := reports.transport_cc_compound(self._engine, peer, state, media):
            self._engine.send_rtcp(peer, compound)

    def _care(self, now: float) -> Iterator[None]:
        """Paused tracks and layers, key frames still owed, the recorder's layer."""
        for tracks in portions(self._registry.tracks.values(), _TRACKS):
            for track in tracks:
                if track.active:
                    self._look_at_layers(track, now)
                    self._settle_track(track, now)
                if track.tap is not None and (layer := track.tap.follow(now)) is not None:
                    self._pictures.ask(track.name, now, layer.stream)
            yield

    def _look_at_layers(self, track: PublishedTrack, now: float) -> None:
        """Who waits for a layer that stopped sees nothing: while another one runs that is noticed sooner."""
        found = [(layer, self._engine.reception(layer.stream)) for layer in track.layers]
        silent = {layer.index: now - seen.last_arrival for layer, seen in found if seen is not None}
        limit = _LAYER_PAUSE if min(silent.values(), default=0.0) < _LAYER_RUNS else PAUSE
        for layer in track.layers:
            since = silent.get(layer.index)
            if since is not None and since < _LAYER_RUNS:
                layer.active = True
            elif since is not None and since > limit:
                layer.active = False

    def _look(self, now: float) -> None:
        """What is due for single transports: a thousand that are idle cost fifty looks a beat, not a thousand."""
        for name in self._health.due(now):
            if (transport := self._registry.transports.get(name)) and transport.lost is None:
                self._look_after(transport, now)
        for name in self._reports.due(now):
            if (transport := self._registry.transports.get(name)) and transport.connected:
                self._reports.set(name, now + _REPORT_EVERY)
                if not self._registry.states[name].idle:
                    self._pictures.ask_for(transport, now)  # a request or its key frame may have got lost
                    self._report(transport, now)

    def _look_after(self, transport: PeerTransport, now: float) -> None:
        """DTLS timers, silence."""
        if transport.path is not None and transport.dtls.waiting:
            for datagram in transport.dtls.tick():
                self._engine.send(transport.path, datagram)
            self.settle(transport, now)
        if transport.lost is None and transport.silent(now, self._silence):
            self.lose(transport, "silence")
        if transport.lost is None:
            self._health.sooner(transport.name, transport.ice.last_check + self._silence + _CARE_EVERY)

    def _report(self, transport: PeerTransport, now: float) -> None:
        """Receiver reports to a publisher, sender reports to a subscriber."""
        state = self._registry.states[transport.name]
        if state.tracks:
            tracks = [self._registry.tracks[t] for t in sorted(state.tracks)]
            if compound := reports.receiver_compound(self._engine, tracks, now):
                self._engine.send_rtcp(transport.peer, compound)
        for slot in state.slots.values():
            self._sender_report(transport, slot, now)

    def _sender_report(self, transport: PeerTransport, slot: Slot, now: float) -> None:
        track = self._registry.tracks.get(slot.track) if slot.track else None
        if track is not None:
            publisher = self._registry.states[track.transport]
            if compound := reports.sender_compound(self._engine, slot.link, track, publisher, now):
                self._engine.send_rtcp(transport.peer, compound)
