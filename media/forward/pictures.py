"""Key-frame requests to publishers, whoever asks: a viewer's PLI, a new route, the recorder, a stream that broke."""

from __future__ import annotations

from media.engine import Detail, Engine
from media.forward.kept import Shelf
from media.forward.registry import Registry
from media.forward.reports import OWN_SSRC
from media.forward.router import PublishedTrack, Slot
from media.transport.transport import PeerTransport
from media.wire import feedback


class Pictures:
    """A wish that cannot be sent now (coalesced, publisher not there yet) is kept until it can."""

    def __init__(self, registry: Registry, engine: Engine, shelf: Shelf) -> None:
        self._registry = registry
        self._engine = engine
        self._shelf = shelf

    def ask(self, track: str, now: float, stream: int | None = None) -> None:
        """``stream``: the layer whose picture is wanted; None: the recorder's, or the best."""
        found = self._registry.tracks.get(track)
        if found is not None and found.video:
            layer = found.layer(stream) or (found.tap.layer if found.tap else found.layers[-1])
            found.keys_of.add(layer.stream)
            found.key_frames.ask()
            self.send_due(found, now)

    def send_due(self, track: PublishedTrack, now: float) -> None:
        """One compound for all layers that are due: a browser then encodes one whole picture of each, once."""
        owner = self._registry.transports[track.transport]
        found = {stream: self._engine.reception(stream) for stream in track.keys_of}
        ssrcs = {stream: seen.ssrc for stream, seen in found.items() if seen is not None}
        if ssrcs and owner.connected and track.key_frames.due(now):
            track.keys_of -= ssrcs.keys()
            asked = b"".join(feedback.build_pli(OWN_SSRC, ssrc) for ssrc in ssrcs.values())
            self._engine.send_rtcp(owner.peer, asked)

    def ask_for(self, transport: PeerTransport, now: float) -> None:
        """For the dark slots of one who can be sent to: others would only cost the publisher a picture for nothing."""
        if not transport.connected:
            return
        for slot in self._registry.states[transport.name].slots.values():
            track = self._registry.tracks.get(slot.track) if slot.track else None
            if track is None or not track.video:
                continue
            if slot.detail is Detail.NOTHING:
                continue
            sending = self._engine.sending(slot.link)
            if sending is not None and (not sending.started or sending.stream != slot.target):
                if sending.stream == slot.target:  # else it has the kept picture
                    self._shelf.serve(track, slot, now)
                self.ask(track.name, now, slot.target)

    def broke(self, slot: Slot, track: PublishedTrack, now: float) -> None:
        """A viewer cannot decode what it got (its PLI): it gets the kept picture again, or a new one."""
        sending = self._engine.sending(slot.link)
        if sending is not None and sending.stream != slot.target:
            self._shelf.serve(track, slot, now)
        self.ask(track.name, now, slot.shown)
