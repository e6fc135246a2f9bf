"""The facade of the media plane: transports, tracks, slots by name; datagrams and time in, events out.

Rule: decides nothing (who may speak, who sees whom is signaling's), never touches a socket or a clock. What happens per
packet stands behind ``Engine``; here is what happens per second and per person.
"""

from __future__ import annotations

import itertools

from media.config import MediaConfig
from media.engine import (
    Datagram,
    Engine,
    EngineEvent,
    KeyFrameWanted,
    LinkConfig,
    RtcpArrived,
    StreamActive,
    StreamConfig,
)
from media.errors import PeerError, ResourceError
from media.forward import reports
from media.forward.router import PeerState, PublishedTrack, Router, Slot
from media.parameters import (
    Candidate,
    IceCredentials,
    MediaEvent,
    SlotParameters,
    TrackActive,
    TrackParameters,
    TransportAnswer,
    TransportConnected,
    TransportLost,
    TransportParameters,
    TransportStats,
)
from media.record.sink import TrackSink
from media.stats import transport_stats
from media.transport.certificate import Certificate
from media.transport.ice import Path
from media.transport.transport import PeerTransport
from media.wheel import Beat, Wheel
from media.wire import feedback, rtcp, stun

# RFC 8445 section 5.1.2.1: type preference 126 (host) for UDP; ICE-TCP after every UDP pair (RFC 6544 section 4.2).
_UDP_PRIORITY, _TCP_PRIORITY = 2130706431, 1671430143
_PAUSE = 2.0
_REPAIR_EVERY, _FEEDBACK_EVERY, _CARE_EVERY, _REPORT_EVERY = 0.02, 0.05, 0.1, 1.0
_WAITING_ASKS_EVERY = 10  # care beats: a viewer without a picture asks again each second


class Sfu:
    """See the module's text. Ids are the caller's; unknown ids are ignored where something is taken away."""

    def __init__(self, config: MediaConfig, engine: Engine, certificate: Certificate) -> None:
        self.config = config
        self.engine = engine
        self.port = config.port
        self._certificate = certificate
        self._handles = itertools.count(1)
        self._routers: dict[str, Router] = {}
        self._transports: dict[str, PeerTransport] = {}
        self._states: dict[str, PeerState] = {}
        self._tracks: dict[str, PublishedTrack] = {}
        self._by_ufrag: dict[str, PeerTransport] = {}
        self._by_path: dict[Path, PeerTransport] = {}
        self._by_peer: dict[int, PeerTransport] = {}
        self._by_stream: dict[int, PublishedTrack] = {}
        self._events: list[MediaEvent] = []
        self._cares = 0
        self._wheel = Wheel(
            Beat(_REPAIR_EVERY, self._repair),
            Beat(_FEEDBACK_EVERY, self._feedback),
            Beat(_CARE_EVERY, self._care),
            Beat(_REPORT_EVERY, self._report),
        )

    # --- rooms, transports -------------------------------------------------------------------------------------------

    def add_router(self, router: str) -> None:
        self._routers.setdefault(router, Router(router))

    def remove_router(self, router: str, now: float) -> None:
        gone = self._routers.pop(router, None)
        for transport in list(gone.transports) if gone else ():
            self.remove_transport(transport, now)

    def add_transport(
        self, router: str, transport: str, parameters: TransportParameters, now: float
    ) -> TransportAnswer:
        if router not in self._routers:
            raise ResourceError(f"no router {router!r}")
        if transport in self._transports:
            raise ResourceError(f"transport {transport!r} exists")
        if len(self._transports) >= self.config.max_transports:
            raise ResourceError("too many transports")
        peer = next(self._handles)
        made = PeerTransport.create(router, transport, peer, parameters, self._certificate, now)
        self.engine.add_peer(peer)
        self._transports[transport] = self._by_peer[peer] = self._by_ufrag[made.ice.local.ufrag] = made
        self._states[transport] = PeerState()
        self._routers[router].transports.add(transport)
        return self._answer(made.ice.local)

    def restart_ice(self, transport: str, ice: IceCredentials, now: float) -> TransportAnswer:
        found = self._transport(transport)
        old = set(found.ice.ufrags)
        local = found.restart_ice(ice, now)
        for ufrag in old - set(found.ice.ufrags):
            self._by_ufrag.pop(ufrag, None)
        self._by_ufrag[local.ufrag] = found
        if found.lost == "silence":
            found.lost, found.connected = None, False
        return self._answer(local)

    def remove_transport(self, transport: str, now: float) -> None:
        gone = self._transports.pop(transport, None)
        if gone is None:
            return
        state = self._states.pop(transport)
        for track in list(state.tracks):
            self.unpublish(track, now)
        if gone.path is not None:
            for datagram in gone.dtls.close():
                self.engine.send(gone.path, datagram)
        self.engine.remove_peer(gone.peer)
        del self._by_peer[gone.peer]
        for ufrag in gone.ice.ufrags:
            self._by_ufrag.pop(ufrag, None)
        for path in [p for p, owner in self._by_path.items() if owner is gone]:
            del self._by_path[path]
        if router := self._routers.get(gone.router):
            router.transports.discard(transport)

    def _answer(self, local: IceCredentials) -> TransportAnswer:
        candidates = []
        for i, address in enumerate(self.config.addresses):
            candidates.append(Candidate("udp", address, self.port, _UDP_PRIORITY - (i << 8), f"u{i}"))
            if self.config.tcp:
                candidates.append(Candidate("tcp", address, self.port, _TCP_PRIORITY - (i << 8), f"t{i}"))
        return TransportAnswer(local, self._certificate.fingerprint, tuple(candidates))

    def _transport(self, transport: str) -> PeerTransport:
        found = self._transports.get(transport)
        if found is None:
            raise ResourceError(f"no transport {transport!r}")
        return found

    # --- tracks, slots -----------------------------------------------------------------------------------------------

    def publish(self, transport: str, track: str, parameters: TrackParameters, now: float) -> None:
        owner, state = self._transport(transport), self._states[transport]
        if track in self._tracks:
            raise ResourceError(f"track {track!r} exists")
        if len(state.tracks) >= self.config.max_tracks:
            raise ResourceError("too many tracks")
        stream = next(self._handles)
        config = StreamConfig(
            parameters.kind,
            parameters.mid,
            parameters.codec,
            parameters.extensions,
            parameters.ssrcs[:1],
            parameters.rtx_ssrcs[:1],
            parameters.rids[0] if parameters.rids else None,
        )
        self.engine.add_stream(stream, owner.peer, config)
        made = PublishedTrack(track, transport, owner.router, stream, parameters)
        self._tracks[track] = self._by_stream[stream] = made
        state.tracks.add(track)
        state.transport_cc = state.transport_cc or parameters.extensions.transport_cc is not None

    def unpublish(self, track: str, now: float) -> None:
        gone = self._tracks.pop(track, None)
        if gone is None:
            return
        del self._by_stream[gone.stream]
        self.engine.remove_stream(gone.stream)
        if state := self._states.get(gone.transport):
            state.tracks.discard(track)
        for other in self._states.values():
            for slot in other.slots.values():
                slot.track = None if slot.track == track else slot.track

    def add_slot(self, transport: str, slot: SlotParameters) -> None:
        owner = self._transport(transport)
        link = next(self._handles)
        self.engine.add_link(
            link,
            owner.peer,
            LinkConfig(slot.kind, slot.mid, slot.codecs, slot.extensions, slot.ssrc, slot.rtx_ssrc),
        )
        self._states[transport].slots[slot.mid] = Slot(transport, link, slot)

    def route(self, transport: str, mid: str, track: str | None, now: float) -> None:
        """Shows ``track`` in that slot; the same track again changes nothing. Without its codec the slot stays dark."""
        state = self._states.get(transport)
        slot = state.slots.get(mid) if state else None
        if slot is None:
            raise ResourceError(f"no slot {mid!r} of {transport!r}")
        if slot.track == track:
            return
        source = self._tracks.get(track) if track is not None else None
        shown = self.engine.switch(slot.link, source.stream if source else None)
        slot.track = source.name if source and shown else None
        if source is not None and shown:
            self.request_key_frame(source.name, now)

    def record(self, track: str, sink: TrackSink | None) -> None:
        found = self._tracks.get(track)
        if found is not None:
            found.sink = sink
            self.engine.tap(found.stream, sink)

    def request_key_frame(self, track: str, now: float) -> None:
        found = self._tracks.get(track)
        if found is not None and found.video:
            found.key_frames.ask()
            self._send_key_frame_request(found, now)
            self.engine.flush()

    def _send_key_frame_request(self, track: PublishedTrack, now: float) -> None:
        owner = self._transports[track.transport]
        seen = self.engine.reception(track.stream)
        if seen is not None and owner.connected and track.key_frames.due(now):
            self.engine.send_rtcp(owner.peer, feedback.build_pli(reports.OWN_SSRC, seen.ssrc))

    # --- packets, time -----------------------------------------------------------------------------------------------

    def receive(self, data: bytes, source: Path, now: float) -> None:
        """One datagram from (engine port, remote address)."""
        self._handle(self.engine.receive(data, source, now), now)
        self.engine.flush()

    def service(self, port: int, now: float) -> None:
        """Everything that waits at an engine port."""
        self._handle(self.engine.service(port, now), now)
        self.engine.flush()

    def tick(self, now: float) -> float:
        due = self._wheel.tick(now)
        self.engine.flush()
        return due

    def events(self) -> list[MediaEvent]:
        drained, self._events = self._events, []
        return drained

    def stats(self, router: str) -> list[TransportStats]:
        found = self._routers.get(router)
        names = sorted(found.transports) if found else []
        return [transport_stats(self.engine, self._transports[n], self._states[n], self._tracks) for n in names]

    def known(self, source: Path) -> bool:
        """Whether a checked peer owns this path; ``net/`` closes TCP connections that stay strangers."""
        return source in self._by_path

    def path_closed(self, source: Path) -> None:
        """A TCP connection ended: its peer may come back over another path; silence decides."""
        owner = self._by_path.pop(source, None)
        if owner is not None and owner.path == source:
            owner.path, owner.nominated = None, False

    def _handle(self, events: list[EngineEvent], now: float) -> None:
        for event in events:
            if isinstance(event, RtcpArrived):
                self._on_rtcp(self._by_peer[event.peer], event.data, now)
            elif isinstance(event, Datagram):
                if event.kind == "stun":
                    self._on_stun(event.data, event.path, now)
                else:
                    self._on_dtls(event.data, event.path)
            elif isinstance(event, StreamActive):
                self._set_active(self._by_stream[event.stream], True, now)
            elif isinstance(event, KeyFrameWanted):
                self.request_key_frame(self._by_stream[event.stream].name, now)

    def _set_active(self, track: PublishedTrack, active: bool, now: float) -> None:
        track.active = active
        self._events.append(TrackActive(track.router, track.transport, track.name, active))
        if active:  # viewers who were routed before it came wait for a picture
            self._send_key_frame_request(track, now)

    def _on_stun(self, data: bytes, path: Path, now: float) -> None:
        try:
            request = stun.parse(data)
        except PeerError:
            self.engine.garbage += 1
            return
        transport = self._by_ufrag.get(request.username.partition(":")[0])
        if request.type != stun.BINDING_REQUEST or transport is None:
            self.engine.garbage += 1
            return
        outcome = transport.on_check(request, path, now)
        if outcome.valid and self._by_path.get(path) is not transport:
            self._by_path[path] = transport
            self.engine.add_path(transport.peer, path)
        if outcome.selected:
            self.engine.select_path(transport.peer, path)
        if outcome.reply is not None:
            self.engine.send(path, outcome.reply)
        if outcome.valid:
            self._settle(transport, now)

    def _on_dtls(self, data: bytes, path: Path) -> None:
        transport = self._by_path.get(path)
        if transport is None or transport.lost is not None:
            return
        for datagram in transport.on_dtls(data):
            self.engine.send(path, datagram)
        self._settle(transport, 0.0)

    def _settle(self, transport: PeerTransport, now: float) -> None:
        """After each step: did it connect, was it lost?"""
        if transport.lost is not None:
            self._lose(transport, transport.lost)
        elif not transport.connected and transport.dtls.keys is not None and transport.path is not None:
            transport.connected = True
            self.engine.set_keys(transport.peer, transport.dtls.keys)
            self._events.append(TransportConnected(transport.router, transport.name, self._kind(transport)))

    def _kind(self, transport: PeerTransport) -> str:
        return self.engine.port_kind(transport.path[0]) if transport.path else "udp"

    def _lose(self, transport: PeerTransport, reason: str) -> None:
        if transport.lost is None or transport.connected or reason in ("dtls", "fingerprint"):
            self._events.append(TransportLost(transport.router, transport.name, reason))
        transport.lost, transport.connected = reason, False

    # --- RTCP in -----------------------------------------------------------------------------------------------------

    def _on_rtcp(self, transport: PeerTransport, data: bytes, now: float) -> None:
        state = self._states[transport.name]
        for packet in rtcp.split(data):
            if (sender := rtcp.sender_report(packet)) is not None:
                self._on_sender_report(state, sender, now)
                reports.note_report_blocks(state, sender.blocks, now)
            elif (receiver := rtcp.receiver_report(packet)) is not None:
                reports.note_report_blocks(state, receiver.blocks, now)
            elif packet.type == rtcp.RTPFB and packet.count == feedback.NACK:
                self._on_nack(state, packet, now)
            elif packet.type == rtcp.PSFB:
                self._on_picture_feedback(state, packet, now)

    def _on_sender_report(self, state: PeerState, report: rtcp.SenderReport, now: float) -> None:
        for name in state.tracks:
            track = self._tracks[name]
            seen = self.engine.reception(track.stream)
            if seen is not None and seen.ssrc == report.ssrc:
                reports.note_sender_report(track, state, report, now)

    def _on_nack(self, state: PeerState, packet: rtcp.Packet, now: float) -> None:
        media = feedback.media_ssrc(packet)
        slot = next((s for s in state.slots.values() if s.parameters.ssrc == media), None)
        if slot is not None:
            lost = feedback.nacked(packet)
            state.subscriber.nacks += len(lost)
            self.engine.resend(slot.link, lost, now)

    def _on_picture_feedback(self, state: PeerState, packet: rtcp.Packet, now: float) -> None:
        bits = feedback.remb(packet)
        if bits is not None:
            state.subscriber.remb = bits
        wanted = feedback.key_frames_wanted(packet)
        for slot in state.slots.values():
            if slot.parameters.ssrc in wanted and slot.track is not None:
                state.subscriber.key_frames += 1
                self.request_key_frame(slot.track, now)

    # --- beats of the wheel ------------------------------------------------------------------------------------------

    def _repair(self, now: float) -> None:
        """Asks publishers for lost video."""
        for track in self._tracks.values():
            if not track.video or not track.active:
                continue
            missing = self.engine.missing(track.stream, now)
            seen = self.engine.reception(track.stream)
            if missing and seen is not None:
                nack = reports.nack_compound(seen.ssrc, missing)
                self.engine.send_rtcp(self._transports[track.transport].peer, nack)

    def _feedback(self, now: float) -> None:
        """Transport-wide feedback: without it a browser's estimate stays at 450 kbit/s and upper layers never start."""
        for name, state in self._states.items():
            if not state.transport_cc:
                continue
            transport = self._transports[name]
            seen = (self.engine.reception(self._tracks[t].stream) for t in state.tracks)
            media = next((s.ssrc for s in seen if s is not None), 0)
            if compound := reports.transport_cc_compound(self.engine, transport.peer, state, media):
                self.engine.send_rtcp(transport.peer, compound)

    def _care(self, now: float) -> None:
        """DTLS timers, silent peers, paused tracks, key frames still owed."""
        for transport in list(self._transports.values()):
            if transport.path is not None and transport.dtls.keys is None and transport.lost is None:
                for datagram in transport.tick_dtls():
                    self.engine.send(transport.path, datagram)
                self._settle(transport, now)
            if transport.lost is None and transport.silent(now, self.config.silence_s):
                self._events.append(TransportLost(transport.router, transport.name, "silence"))
                transport.lost, transport.connected = "silence", False
        self._cares += 1
        if self._cares % _WAITING_ASKS_EVERY == 0:
            self._ask_for_waiting()
        for track in self._tracks.values():
            if not track.active:
                continue
            self._send_key_frame_request(track, now)
            seen = self.engine.reception(track.stream)
            if seen is not None and now - seen.last_arrival > _PAUSE:
                self._set_active(track, False, now)

    def _ask_for_waiting(self) -> None:
        for state in self._states.values():
            for slot in state.slots.values():
                track = self._tracks.get(slot.track) if slot.track else None
                if track is None or not track.video:
                    continue
                sending = self.engine.sending(slot.link)
                if sending is not None and not sending.started:
                    track.key_frames.ask()

    def _report(self, now: float) -> None:
        """Receiver reports to publishers, sender reports to subscribers (RFC 3550 section 6.2), once a second."""
        for name, state in self._states.items():
            transport = self._transports[name]
            if not transport.connected:
                continue
            tracks = [self._tracks[t] for t in sorted(state.tracks)]
            if compound := reports.receiver_compound(self.engine, tracks, now):
                self.engine.send_rtcp(transport.peer, compound)
            for slot in state.slots.values():
                track = self._tracks.get(slot.track) if slot.track else None
                if track is None:
                    continue
                publisher = self._states[track.transport]
                if compound := reports.sender_compound(self.engine, slot.link, track, publisher, now):
                    self.engine.send_rtcp(transport.peer, compound)
