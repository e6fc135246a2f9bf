"""What publishers should know of their audience: which layers are taken, how thin the worst listener's line is.

Rule: told when it changes, as events for signaling; ``layers`` and ``sound`` decide.
"""

from __future__ import annotations

from collections.abc import Sequence

from media.engine import Engine
from media.forward import layers, sound
from media.forward.registry import Registry
from media.forward.router import PeerState, PublishedTrack, Slot
from media.parameters import AudioBudget, LayersWanted

WISH_EVERY = 0.2
LISTENERS_EVERY = 0.25
PRICES_EVERY = 1.0


class Wishes:
    """``layers`` and ``sounds`` some times a second: whose line breaks should not wait; ``prices`` once a second."""

    def __init__(self, registry: Registry, engine: Engine) -> None:
        self._registry = registry
        self._engine = engine

    def layers(self, now: float) -> None:
        for track in self._registry.tracks.values():
            if not track.parameters.rids:
                continue
            if track.tap is not None:
                track.layers[-1].want(now)
            if (rids := layers.wanted(track.layers, now)) != track.wanted_said:
                track.wanted_said = rids
                self._registry.events.append(LayersWanted(track.router, track.transport, track.name, rids))

    def prices(self, now: float) -> None:
        for track in self._registry.tracks.values():
            for layer in track.layers:
                layer.measure(self._engine.reception(layer.stream), now)

    def sounds(self, now: float) -> None:
        """What the listeners of each sound lose and can take."""
        worst: dict[str, tuple[float, float | None]] = {}  # track -> (loss, thinnest line)
        rooms = {track.router: None for track in self._registry.tracks.values() if not track.video}
        for name in (one for room in rooms for one in self._registry.routers[room].transports):
            state = self._registry.states[name]
            slots = [one for one in state.slots.values() if one.track is not None and not one.video]
            self._repeat(state, slots, now)
            for slot in slots:
                worst[slot.track or ""] = self._listener(worst.get(slot.track or "", (0.0, None)), state, slot)
        for track in self._registry.tracks.values():
            if not track.video:
                self._tell(track, *worst.get(track.name, (0.0, None)), now)

    def _repeat(self, state: PeerState, slots: Sequence[Slot], now: float) -> None:
        """How often this listener gets his sounds."""
        subscriber = state.subscriber
        line = float("inf") if subscriber.estimate is None else subscriber.estimate
        tracks = (self._registry.tracks.get(slot.track or "") for slot in slots if not slot.silenced)
        price = sum(track.layers[0].price for track in tracks if track is not None and track.active)
        for slot in slots:
            before = slot.repetition.distance
            wanted = sound.redundancy(subscriber.lost(slot), line, price, subscriber.pictures, before)
            if slot.repetition.step(wanted, line, now) != before:
                self._engine.set_redundancy(slot.link, slot.repetition.distance)

    def _listener(self, worst: tuple[float, float | None], state: PeerState, slot: Slot) -> tuple[float, float | None]:
        line = state.subscriber.estimate
        thinnest = line if worst[1] is None else worst[1] if line is None else min(worst[1], line)
        return max(worst[0], 0.0 if slot.silenced else slot.loss), thinnest

    def _tell(self, track: PublishedTrack, loss: float, line: float | None, now: float) -> None:
        track.listener_loss = loss
        budget = track.thrift.step(line, now)
        if budget is not None:
            self._registry.events.append(
                AudioBudget(track.router, track.transport, track.name, budget.bitrate, budget.ptime_ms)
            )
