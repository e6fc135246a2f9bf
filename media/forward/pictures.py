"""Key-frame requests to publishers, whoever asks: a viewer's PLI, a new route, the recorder, a stream that broke."""

from __future__ import annotations

from media.engine import Engine
from media.forward.registry import Registry
from media.forward.reports import OWN_SSRC
from media.forward.router import PublishedTrack
from media.transport.transport import PeerTransport
from media.wire import feedback


class Pictures:
    """A wish that cannot be sent now (coalesced, publisher not there yet) is kept until it can."""

    def __init__(self, registry: Registry, engine: Engine) -> None:
        self._registry = registry
        self._engine = engine

    def ask(self, track: str, now: float) -> None:
        found = self._registry.tracks.get(track)
        if found is not None and found.video:
            found.key_frames.ask()
            self.send_due(found, now)

    def send_due(self, track: PublishedTrack, now: float) -> None:
        owner = self._registry.transports[track.transport]
        seen = self._engine.reception(track.stream)
        if seen is not None and owner.connected and track.key_frames.due(now):
            self._engine.send_rtcp(owner.peer, feedback.build_pli(OWN_SSRC, seen.ssrc))

    def ask_for_waiting(self, now: float) -> None:
        """A request or its key frame may get lost: slots still dark ask again."""
        for transport in self._registry.transports.values():
            self.ask_for(transport, now)

    def ask_for(self, transport: PeerTransport, now: float) -> None:
        """For the dark slots of one who can be sent to: others would only cost the publisher a picture for nothing."""
        if not transport.connected:
            return
        for slot in self._registry.states[transport.name].slots.values():
            track = self._registry.tracks.get(slot.track) if slot.track else None
            if track is None or not track.video:
                continue
            sending = self._engine.sending(slot.link)
            if sending is not None and not sending.started:
                self.ask(track.name, now)
