"""Applies what estimates and the table of allocation say to links: layers, stills, pacing, probes, redundancy.

Rule: decides nothing itself; ``estimate``, ``probe``, ``allocate``, ``layers``, ``patience`` and ``sound`` do, and they
are pure. A room of a school that shares a line is steered together with the others on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from media.engine import Detail, Engine
from media.forward import layers
from media.forward.allocate import OFF, STILLS, Demand, allocate
from media.forward.estimate import START, Estimator, believed
from media.forward.ladder import ladder, most_level
from media.forward.layers import Layer
from media.forward.lines import Lines
from media.forward.listening import Listening
from media.forward.pictures import Pictures
from media.forward.probe import Probe
from media.forward.registry import Registry
from media.forward.router import PeerState, PublishedTrack, Slot, Subscriber
from media.parameters import Quality, SlotQuality
from media.transport.transport import PeerTransport
from media.wheel import portions

STEER_EVERY = 0.1
_STILL_EVERY = 5.0  # seconds between the pictures of a line too thin for moving ones
_PACE = 1.15  # of what sound leaves: a key frame should not take much longer than the line needs
_STILL_PACE = 0.8
_PICTURE_LEAST = 0.25
_DOUBT = 1.5  # times what a picture costs, while nothing says that the line is thin
_PROBE_STEP = 0.005
_SMALL, _SMALL_BELOW = 255, 400_000.0  # bytes of a probe's packets on a line below so many bit/s
_OTHERS = 3  # rank of the first picture that is nobody's in particular
_TILES = 3  # with more pictures than that the others are small on any screen
_EXCEED = 1.5  # times its own estimate a room may get of what others on its line leave
_AT_ONCE = 0.85  # an estimate that fell below this share is acted on before the next beat

Member = tuple[PeerTransport, PeerState]


@dataclass(slots=True)
class _Place:
    """One picture that wants its share."""

    transport: PeerTransport
    state: PeerState
    slot: Slot
    track: PublishedTrack
    rungs: tuple[Layer, ...]
    demand: Demand
    level: int = OFF

    @property
    def price(self) -> float:
        return self.demand.price(self.level)

    @property
    def best(self) -> float:
        """What it would cost at its best: to know more of the line than that would be for nothing."""
        return self.demand.prices[most_level(self.rungs, self.slot.most)]


class Steering:
    """``beat`` ten times a second, ``feedback`` per transport-cc message, ``step`` whenever it asked to be called."""

    def __init__(self, registry: Registry, engine: Engine, pictures: Pictures) -> None:
        self._registry = registry
        self._engine = engine
        self._pictures = pictures
        self._probes: dict[str, tuple[Probe, int]] = {}  # transport -> probe under way, bytes sent
        self.listening = Listening(registry, engine)
        self._turn = False
        self._judged: dict[str, float] = {}  # transport -> when its last probe can be judged
        self.lines = Lines(START)

    # --- feedback ----------------------------------------------------------------------------------------------------

    def feedback(
        self, transport: PeerTransport, state: PeerState, results: Sequence[tuple[int, float | None]], now: float
    ) -> None:
        estimator = state.subscriber.estimator
        if estimator is None:
            return
        before = estimator.rate
        estimator.rtt = state.subscriber.rtt or estimator.rtt
        estimator.sent(self._engine.departures(transport.peer))
        estimator.feedback(results, now)
        if state.line is not None and estimator.settled(now):
            self.lines.learnt(state.line, estimator.rate)
        if estimator.rate < before * _AT_ONCE:
            self.place(transport, state, now)

    # --- beats -------------------------------------------------------------------------------------------------------

    def beat(self, now: float) -> Iterator[None]:
        self._turn = not self._turn
        for groups in portions(self._groups()):
            for group in groups:
                self._beat_of(group, now)
            yield

    def _beat_of(self, group: Sequence[Member], now: float) -> None:
        news = self._turn
        for transport, state in group:
            if (estimator := state.subscriber.estimator) is not None:
                if estimator.idle:
                    estimator.sent(self._engine.departures(transport.peer))
                estimator.watch(now)
                news = self._judge(transport, state, now) or news
        if news:  # five times a second do, but for who has just learnt more of his line
            self._steer(group, now)

    def place(self, transport: PeerTransport, state: PeerState, now: float) -> None:
        """At once, because something changed for this receiver."""
        group = [(transport, state)]
        if (line := _line(transport, state)) is not None:
            group = [member for member in self._receivers() if _line(*member) == line] or group
        self._steer(group, now)

    def _receivers(self) -> Iterable[Member]:
        for router in {track.router: None for track in self._registry.tracks.values()}:  # others show nothing
            for name in sorted(self._registry.routers[router].transports):
                state = self._registry.states[name]
                if state.slots and any(slot.track is not None for slot in state.slots.values()):
                    yield self._registry.transports[name], state

    def _groups(self) -> list[list[Member]]:
        shared: dict[tuple[str, str], list[Member]] = {}
        alone: list[list[Member]] = []
        for transport, state in self._receivers():
            if not transport.connected:
                continue
            if (line := _line(transport, state)) is None:
                alone.append([(transport, state)])
            else:
                shared.setdefault(line, []).append((transport, state))
        return alone + list(shared.values())

    def _steer(self, group: Sequence[Member], now: float) -> None:
        budget: float | None = 0.0
        places: list[_Place] = []
        for transport, state in group:
            self.listening.follow(state, now)
            estimate = state.subscriber.estimate
            if estimate is not None and state.subscriber.estimator is None:
                estimate = believed(estimate, state.subscriber.sent)
            own = None if estimate is None else estimate - self.listening.price(state)
            budget = None if budget is None or own is None else budget + own
            found = self._places(transport, state, now)
            places += _within(found, own) if len(group) > 1 else found
        levels = allocate(budget, [place.demand for place in places])
        for place in places:
            level = levels[place.demand.key]
            if level < 0 and place.state.subscriber.doubtful and not place.state.subscriber.unanswered(now):
                level = 0
            place.level = level
            self._set(place, level if level < 0 else place.rungs[level].index, now)
        for transport, state in group:
            self._follow(transport, state, [p for p in places if p.state is state], now)

    def _places(self, transport: PeerTransport, state: PeerState, now: float) -> list[_Place]:
        found = []
        pictures = list(self._pictures_of(state))
        for rank, slot, track in pictures:
            rungs = ladder(track.layers, now)
            level = slot.level if slot.level < 0 else sum(one.index < slot.level for one in rungs)
            level = min(level, len(rungs) - 1)
            small: Quality | None = "mid" if rank >= _OTHERS and len(pictures) > _TILES else None
            most = most_level(rungs, slot.most or small)
            if state.subscriber.unanswered(now):
                most = min(most, STILLS)
            elif slot.patience.waits(state.subscriber.estimate or 0.0, now):
                most = min(most, max(level, STILLS))
            demand = Demand(f"{slot.transport} {slot.parameters.mid}", rank, tuple(r.price for r in rungs), most, level)
            found.append(_Place(transport, state, slot, track, rungs, demand))
        return found

    def _pictures_of(self, state: PeerState) -> Iterable[tuple[int, Slot, PublishedTrack]]:
        """(rank, slot, track): screens, the first picture (a room's is the teacher's), who speaks, the others."""
        first = True
        for place, slot in enumerate(state.slots.values()):
            track = self._registry.tracks.get(slot.track) if slot.track and slot.video else None
            if track is None:
                continue
            if track.parameters.source == "screen":
                yield 0, slot, track
                continue
            voice = self._registry.tracks.get(self.listening.leader(track.router) or "")
            speaks = voice is not None and voice.transport == track.transport
            yield (1 if first else 2 if speaks else _OTHERS + place), slot, track
            first = False

    # --- one slot ----------------------------------------------------------------------------------------------------

    def _set(self, place: _Place, level: int, now: float) -> None:
        slot, track = place.slot, place.track
        if level != slot.level:
            slot.patience.note(slot.level, level, place.state.subscriber.estimate or 0.0, now)
            slot.level = level
        if level >= 0:
            track.layers[level].want(now)
        track.layers[0].want(now)  # whoever's line breaks must not wait for the publisher
        layer = layers.nearest(track.layers, level)
        detail = Detail.NOTHING if level == OFF or layer is None else Detail.STILLS if level == STILLS else Detail.ALL
        raised = detail is Detail.ALL and slot.detail is not Detail.ALL
        if layer is not None and layer.stream != slot.target and detail is not Detail.NOTHING:
            self._switch(slot, track, layer, now)
        if detail is not slot.detail:
            slot.detail = detail
            self._engine.set_detail(slot.link, detail)
        if raised or (detail is Detail.STILLS and now - slot.asked > _STILL_EVERY):
            slot.asked = now
            self._pictures.ask(track.name, now, slot.target)
        self._say(place.transport, slot, track)

    def _switch(self, slot: Slot, track: PublishedTrack, layer: Layer, now: float) -> None:
        shown = track.layer(slot.shown)
        if shown is None:
            self._engine.switch(slot.link, layer.stream)
        else:
            delta = layers.offset(shown, layer, track.parameters.codec.clock_rate)
            self._engine.switch(slot.link, layer.stream, keep=True, delta=delta)
        slot.target = layer.stream
        self._pictures.ask(track.name, now, layer.stream)

    def _say(self, transport: PeerTransport, slot: Slot, track: PublishedTrack) -> None:
        """What it really gets: of a layer that is still to come, what is shown meanwhile."""
        shown = track.layer(slot.shown)
        level = slot.level if slot.level < 0 or shown is None else shown.index
        if shown is None and level >= 0 and slot.said is None:
            return  # it has just begun
        name = layers.quality(len(track.layers), level)
        if name != slot.said:
            slot.said = name
            self._registry.events.append(SlotQuality(transport.router, transport.name, slot.parameters.mid, name))

    def switched(self, link: int, stream: int) -> None:
        """The engine's ``LinkSwitched``."""
        slot = self._registry.by_link.get(link)
        track = self._registry.tracks.get(slot.track) if slot is not None and slot.track else None
        if slot is None or not slot.video or track is None or track.layer(stream) is None:
            return
        slot.shown = stream
        self._say(self._registry.transports[slot.transport], slot, track)

    # --- one receiver ------------------------------------------------------------------------------------------------

    def _follow(self, transport: PeerTransport, state: PeerState, places: Sequence[_Place], now: float) -> None:
        """Pacing and probes, once the receiver said a word of what arrives."""
        subscriber = state.subscriber
        sound = self.listening.price(state)
        subscriber.sent = sound + sum(place.price for place in places)
        subscriber.pictures = sum(place.price for place in places if place.level >= 0)
        self._pace(transport, subscriber, sound, any(place.level >= 0 for place in places), now)
        estimator = subscriber.estimator
        if (
            estimator is None
            or not estimator.settled(now)
            or transport.name in self._probes
            or transport.name in self._judged
        ):
            return
        if not any(place.slot.shown is not None for place in places):
            return  # nothing was sent that could be sent again
        counters = self._engine.counters(transport.peer)
        if counters is None or (counters.queued and estimator.rate < _SMALL_BELOW):
            return  # a still is on its way
        media = sound + subscriber.pictures
        wanted = sound + sum(place.best for place in places)
        probe = subscriber.prober.due(now, estimator.rate, wanted, media, estimator.last_decrease)
        if probe is not None:
            estimator.probing(probe.begin, probe.end + 2 * _PROBE_STEP, probe.goal)
            self._probes[transport.name] = (probe, 0)

    def _pace(self, transport: PeerTransport, subscriber: Subscriber, sound: float, moving: bool, now: float) -> None:
        """What sound leaves; a still takes its time, so that it is no burst to the estimator. Not by a receiver's own
        estimate: it would never climb."""
        pace = None
        estimator = subscriber.estimator
        told = subscriber.heard or subscriber.unanswered(now) or (estimator is not None and estimator.thin)
        if estimator is not None and told and (estimate := subscriber.estimate) is not None:
            share = max(estimate - sound, _PICTURE_LEAST * estimate)
            if subscriber.doubtful:
                share = max(share, subscriber.pictures * _DOUBT)
            pace = round(share * (_PACE if moving else _STILL_PACE), -3)
        if pace != subscriber.paced:
            subscriber.paced = pace
            self._engine.pace(transport.peer, pace)

    def _judge(self, transport: PeerTransport, state: PeerState, now: float) -> bool:
        due = self._judged.get(transport.name)
        estimator = state.subscriber.estimator
        if due is not None and estimator is not None and (estimator.probed is not None or now > due + 1.0):
            del self._judged[transport.name]
            state.subscriber.prober.ended(now, estimator.rate)
            return True
        return False

    def step(self, now: float) -> float:
        """Sends what is due of probes under way; when it wants to be called again."""
        for name in list(self._probes):
            probe, sent = self._probes[name]
            transport = self._registry.transports.get(name)
            if transport is None:
                del self._probes[name]
                continue
            share = (now - probe.begin + _PROBE_STEP) / max(probe.end - probe.begin, _PROBE_STEP)
            owed = round(probe.size * min(share, 1.0)) - sent
            got = self._send(name, owed, now) if owed > 0 else 0
            if share >= 1.0 or (owed > 0 and not got):
                del self._probes[name]
                self._judged[name] = now
            else:
                self._probes[name] = (probe, sent + got)
        return now + _PROBE_STEP if self._probes else float("inf")

    def _send(self, name: str, size: int, now: float) -> int:
        """The newest packets of the first picture that has any; on a thin line several small ones say more."""
        state = self._registry.states[name]
        link = next((s.link for s in state.slots.values() if s.video and s.shown is not None), None)
        thin = (state.subscriber.estimate or 0.0) < _SMALL_BELOW
        sent = 0
        while link is not None and sent < size:
            got = self._engine.probe(link, min(size, _SMALL) if thin else size - sent, now)
            if not got:
                break
            sent += got
        return sent

    def forget(self, transport: str) -> None:
        self._probes.pop(transport, None)
        self._judged.pop(transport, None)

    def join(self, state: PeerState, transport_cc: bool) -> None:
        """A receiver's slot was added."""
        if transport_cc and state.subscriber.estimator is None:
            state.subscriber.estimator = Estimator(self.lines.start(state.line))


def _line(transport: PeerTransport, state: PeerState) -> tuple[str, str] | None:
    """Who has the same name and comes from the same address shares a line; None: alone."""
    if state.line is None or transport.path is None:
        return None
    return state.line, transport.path[1][0]


def _within(places: list[_Place], own: float | None) -> list[_Place]:
    """Of a shared line a room gets hardly more than it can take by itself: behind the line it may have a thin one."""
    levels = allocate(None if own is None else own * _EXCEED, [place.demand for place in places])
    for place in places:
        place.demand = replace(place.demand, most=min(place.demand.most, levels[place.demand.key]))
    return places
