"""What a receiver's sounds cost, and who of them is heard on a starving line. Rule: ``hearing`` decides, not this."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from media.engine import Engine
from media.forward.estimate import believed
from media.forward.hearing import Sound, trusted
from media.forward.registry import Registry
from media.forward.router import PeerState, PublishedTrack, Slot, Subscriber
from media.forward.sound import REPEATED, before_pictures

_ANY = float("inf")  # bit/s of a line that nobody knows a limit of


class Listening:
    def __init__(self, registry: Registry, engine: Engine) -> None:
        self._registry, self._engine = registry, engine
        self.leader: Callable[[str], str | None] = lambda router: None  # the track of who speaks, or spoke last
        self.speaks: Callable[[str, str], bool] = lambda router, track: False

    def price(self, state: PeerState) -> float:
        """Repetition counts where it goes before pictures; else it takes what they leave (``sound.redundancy``)."""
        line = state.subscriber.estimate
        limit = _ANY if line is None else line
        heard = (one for one in self._sounds(state) if not one[0].silenced)
        return sum(_price(slot, track, before_pictures(state.subscriber.lost(slot), limit)) for slot, track in heard)

    def follow(self, state: PeerState, now: float) -> None:
        """A few times a second."""
        found = list(self._sounds(state))
        line = _line(state.subscriber, now)
        fits = len(found) < 2 or line is None or sum(_voice(state, *one) for one in found) <= line
        if fits and not any(slot.silenced for slot, _ in found):
            return  # by far the most lines
        heard = state.subscriber.hearing.hear(line, [self._sound(state, *one) for one in found], now)
        for slot, track in found:
            if slot.silenced != (slot.parameters.mid not in heard):
                slot.silenced = not slot.silenced
                self._engine.switch(slot.link, None if slot.silenced else track.stream)

    def _sounds(self, state: PeerState) -> Iterator[tuple[Slot, PublishedTrack]]:
        for slot in state.slots.values():
            if slot.track and not slot.video and (track := self._registry.tracks.get(slot.track)) is not None:
                yield slot, track

    def _sound(self, state: PeerState, slot: Slot, track: PublishedTrack) -> Sound:
        leads = self.leader(track.router) == track.name
        speaks = self.speaks(track.router, track.name)
        return Sound(slot.parameters.mid, _voice(state, slot, track), leads, speaks, not slot.silenced)


def _voice(state: PeerState, slot: Slot, track: PublishedTrack) -> float:
    """A second voice goes before a repetition that is but a precaution."""
    return _price(slot, track, before_pictures(state.subscriber.lost(slot), _ANY))


def _price(slot: Slot, track: PublishedTrack, repeated: bool) -> float:
    if not track.active:
        return 0.0
    return track.layers[0].price * (1 + (slot.repetition.distance if repeated else 0) * REPEATED)


def _line(subscriber: Subscriber, now: float) -> float | None:
    estimate, estimator = subscriber.estimate, subscriber.estimator
    if estimate is None or subscriber.doubtful:
        return None
    return believed(estimate, subscriber.sent) if estimator is None else trusted(estimate, estimator.last_decrease, now)
