"""Who is here: transports, tracks and slots by every id that packets and people call them by. Rule: remembers only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from media.errors import ResourceError
from media.forward.router import PeerState, PublishedTrack, Router, Slot
from media.parameters import MediaEvent
from media.transport.ice import Path
from media.transport.transport import PeerTransport


@dataclass(slots=True)
class Registry:
    """``events`` waits for ``Sfu.events()``."""

    routers: dict[str, Router] = field(default_factory=dict)
    transports: dict[str, PeerTransport] = field(default_factory=dict)
    states: dict[str, PeerState] = field(default_factory=dict)
    tracks: dict[str, PublishedTrack] = field(default_factory=dict)
    by_ufrag: dict[str, PeerTransport] = field(default_factory=dict)
    by_path: dict[Path, PeerTransport] = field(default_factory=dict)
    by_peer: dict[int, PeerTransport] = field(default_factory=dict)
    by_stream: dict[int, PublishedTrack] = field(default_factory=dict)
    by_link: dict[int, Slot] = field(default_factory=dict)
    events: list[MediaEvent] = field(default_factory=list)

    def transport(self, name: str) -> PeerTransport:
        found = self.transports.get(name)
        if found is None:
            raise ResourceError(f"no transport {name!r}")
        return found

    def add(self, transport: PeerTransport) -> None:
        self.transports[transport.name] = self.by_peer[transport.peer] = transport
        self.by_ufrag[transport.ice.local.ufrag] = transport
        self.states[transport.name] = PeerState()
        self.routers[transport.router].transports.add(transport.name)

    def forget(self, transport: PeerTransport) -> None:
        for slot in self.states[transport.name].slots.values():
            del self.by_link[slot.link]
        del self.transports[transport.name], self.states[transport.name], self.by_peer[transport.peer]
        for ufrag in transport.ice.ufrags:
            self.by_ufrag.pop(ufrag, None)
        for path in [p for p, owner in self.by_path.items() if owner is transport]:
            del self.by_path[path]
        if router := self.routers.get(transport.router):
            router.transports.discard(transport.name)

    def add_track(self, track: PublishedTrack) -> None:
        self.tracks[track.name] = track
        self.by_stream |= dict.fromkeys((layer.stream for layer in track.layers), track)
        self.states[track.transport].tracks.add(track.name)

    def forget_track(self, track: PublishedTrack) -> None:
        del self.tracks[track.name]
        for layer in track.layers:
            del self.by_stream[layer.stream]
        if state := self.states.get(track.transport):
            state.tracks.discard(track.name)
        for slot in self.viewers(track):
            slot.clear()

    def add_slot(self, state: PeerState, slot: Slot) -> None:
        state.slots[slot.parameters.mid] = self.by_link[slot.link] = slot

    def viewers(self, track: PublishedTrack) -> Iterator[Slot]:
        """Slots that show it."""
        for transport in self.routers[track.router].transports if track.router in self.routers else ():
            yield from (slot for slot in self.states[transport].slots.values() if slot.track == track.name)
