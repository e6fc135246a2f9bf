"""One room's peer connections: offers become legs, published tracks reach the slots that ``stage.py`` gives them, and
the recorder.

Pure: everything is said in effects; the room (``live.py``) tells who is in, who has the floor, whether it records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from media.parameters import AudioBudget, LayersWanted, Source, TrackParameters
from signaling import messages
from signaling.effects import Effect, Negotiate, Record, RemoveTransport, Route, Send
from signaling.lobby import Lobby
from signaling.messages import Error, RoomSpec, Slots, SlotShows
from signaling.negotiation import Leg, Pc, Plan, plan_pub, plan_sub
from signaling.outside import stands_for
from signaling.participant import Participant
from signaling.recording import RECORDED
from signaling.roles import may
from signaling.sdp.model import SdpError
from signaling.stage import Feed, Stage, changed, layout

PICTURES: tuple[Source, ...] = ("screen", "camera")
"""Of the teacher's, in the order in which they carry the lesson."""

SSRC_STEP = 512
"""SSRCs set aside for one receiving connection: two an m-line, at most 64 m-lines and some spare."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """An offer, from a page or from a WHIP / WHEP client (``resource``)."""

    connection: str
    request: str
    pc: Pc
    sdp: str
    sources: dict[str, Source] = field(default_factory=dict)
    resource: str | None = None


@dataclass(slots=True)
class Switchboard:
    lesson: str
    lobby: Lobby
    _transports: int = 0
    _recorded: dict[str, tuple[Source, TrackParameters]] = field(default_factory=dict)

    # --- legs -----------------------------------------------------------------------------------------------------

    def offer(self, person: Participant, wanted: Wanted, now: float) -> list[Effect]:
        """Effects up to the answer; the room then routes."""
        role = person.seat.role
        right = {"sub": "subscribe", "pub": "publish.stage" if role == "teacher" else "publish.room"}[wanted.pc]
        if not may(role, right):
            return [_error(wanted, "forbidden")]
        leg = person.legs.get(wanted.pc)
        self._transports += 1
        transport = f"{self.lesson}/{person.seat.id}/{wanted.pc}{self._transports}"
        try:
            plan = self._plan(person, wanted, leg, transport)
        except SdpError as error:
            return [_error(wanted, error.code, error.detail)]
        effects: list[Effect] = []
        if leg is None or plan.kind == "new":
            if leg is not None:
                effects += self.drop(person, wanted.pc, now)
            leg = person.legs[wanted.pc] = Leg(wanted.pc, transport, wanted.resource, plan.parameters)
        self._gone(leg, plan.unpublish)
        leg.parameters, leg.tracks, leg.slots = plan.parameters, plan.tracks, plan.slots
        return [*effects, _negotiate(wanted, leg, plan)]

    def _gone(self, leg: Leg, tracks: tuple[str, ...]) -> None:
        """What comes again under the same name (another camera, in other layers) must be routed anew, and hears anew
        what to send."""
        sources = {leg.source_of(track) for track in tracks}
        leg.advice = {key: told for key, told in leg.advice.items() if key[1] not in sources}
        for person in self.lobby.people.values() if tracks else ():
            if sub := person.legs.get("sub"):
                sub.shown = {mid: None if shown in tracks else shown for mid, shown in sub.shown.items()}

    def _plan(self, person: Participant, wanted: Wanted, leg: Leg | None, transport: str) -> Plan:
        if wanted.pc == "pub":
            return plan_pub(wanted.sdp, wanted.sources, person.seat.role, transport, leg)
        plan = plan_sub(wanted.sdp, person.seat.role, self._transports * SSRC_STEP, leg)
        if person.seat.role != "class" or not person.seat.school:
            return plan
        # Rooms of one school behind one address share its line, and so one budget.
        rate = person.seat.line_kbit * 1000 if person.seat.line_kbit else None
        return replace(plan, parameters=replace(plan.parameters, line=person.seat.school, line_rate=rate))

    def drop(self, person: Participant, pc: Pc, now: float) -> list[Effect]:
        leg = person.legs.pop(pc)
        if pc == "sub":
            person.presence.media(False, now)
            person.reception.clear()
        gone = [
            Record(track, self._recorded.pop(track)[0], None)
            for track, _ in leg.tracks.values()
            if track in self._recorded
        ]
        return [*gone, RemoveTransport(leg.transport)]

    # --- who sees what --------------------------------------------------------------------------------------------

    def _tracks(self, spec: RoomSpec) -> dict[Feed, str]:
        """What is really sent now; an encoder's pictures and sound in place of its classroom's page's."""
        tracks: dict[Feed, str] = {}
        for person in sorted(self.lobby.people.values(), key=lambda one: one.seat.role == "encoder"):
            pub = person.legs.get("pub")
            if pub is not None and pub.connected:
                seat = stands_for(spec, person.seat)
                tracks |= {(seat, parameters.source): track for track, parameters in pub.tracks.values()}
        return tracks

    def route(self, spec: RoomSpec, floor: tuple[str, ...]) -> list[Effect]:
        """Bring every viewer's slots to what the policy says, and tell those for whom something changed."""
        tracks = self._tracks(spec)
        rooms = tuple(room.seat for room in spec.rooms if not room.lead)
        stage = Stage(spec.teacher_seat, rooms, floor, frozenset(tracks))
        effects: list[Effect] = []
        for person in self.lobby.people.values():
            if sub := person.legs.get("sub"):
                effects += self._route_one(spec, stage, person, sub)
        return effects

    def _route_one(self, spec: RoomSpec, stage: Stage, person: Participant, sub: Leg) -> list[Effect]:
        tracks = self._tracks(spec)
        audio = [slot.mid for slot in sub.slots.values() if slot.kind == "audio"]
        video = [slot.mid for slot in sub.slots.values() if slot.kind == "video"]
        feeds = layout(stage, person.seat.id, person.seat.role, audio, video)
        wanted = {mid: tracks[feed] if feed else None for mid, feed in feeds.items()}
        first, news = not sub.shown, changed(sub.shown, wanted)
        sub.shown = wanted
        routes: list[Effect] = [Route(sub.transport, mid, track) for mid, track in news.items()]
        return routes + self.shows(spec, person) if first or news else []

    def shows(self, spec: RoomSpec, person: Participant) -> list[Effect]:
        """The slots message for a page with a living receiving connection."""
        sub = person.legs.get("sub")
        if sub is None or person.connection is None or sub.resource is not None:
            return []
        feeds: dict[str | None, Feed] = {track: feed for feed, track in self._tracks(spec).items()}
        shows = []
        for slot in sub.slots.values():
            seat, source = feeds.get(sub.shown.get(slot.mid), (None, None))
            shows.append(SlotShows(mid=slot.mid, kind=slot.kind, seat=seat, source=source))
        return [Send((person.connection,), Slots(slots=shows))]

    def pictures(self, spec: RoomSpec, person: Participant) -> list[str]:
        """Slots of a viewer that carry the lesson's picture now, the one that matters first."""
        sub = person.legs.get("sub")
        if sub is None or not sub.connected or person.seat.id == spec.teacher_seat:
            return []
        tracks = self._tracks(spec)
        wanted = [tracks.get((spec.teacher_seat, source)) for source in PICTURES]
        return [mid for track in wanted if track for mid, shown in sub.shown.items() if shown == track]

    # --- what the media plane asks of publishers ------------------------------------------------------------------

    def advise(self, person: Participant, leg: Leg, event: LayersWanted | AudioBudget) -> list[Effect]:
        """Kept, so that a page that comes back over another socket hears it again. Encoders cannot be told."""
        source = leg.source_of(event.track)
        if source is None or leg.resource is not None:
            return []
        told: messages.Layers | messages.AudioBudget
        if isinstance(event, LayersWanted):
            told = messages.Layers(source=source, rids=list(event.rids))
        else:
            told = messages.AudioBudget(source=source, bitrate=event.bitrate, ptime_ms=event.ptime_ms)
        leg.advice[(told.type, source)] = told
        return [Send((person.connection,), told)] if person.connection else []

    def advice(self, person: Participant) -> list[Effect]:
        """All that still holds, for a page that has just joined."""
        pub = person.legs.get("pub")
        if pub is None or person.connection is None:
            return []
        return [Send((person.connection,), told) for told in pub.advice.values()]

    def lead_legs(self, spec: RoomSpec) -> list[Leg]:
        """What is sent from the lead room: the teacher's page, and an encoder that took its place."""
        people = sorted(self.lobby.people.values(), key=lambda one: one.seat.role == "encoder")
        legs = [
            one.legs["pub"] for one in people if "pub" in one.legs and stands_for(spec, one.seat) == spec.teacher_seat
        ]
        return [leg for leg in legs if leg.connected or leg.resource is None]

    # --- the recorder is a subscriber -----------------------------------------------------------------------------

    def record(self, legs: Sequence[Leg]) -> list[Effect]:
        """Bring the recorder's subscriptions to these legs' tracks, each source from the last that has it."""
        sources = {parameters.source: (name, parameters) for leg in legs for name, parameters in leg.tracks.values()}
        wanted = {name: (source, held) for source, (name, held) in sources.items() if source in RECORDED}
        before, self._recorded = self._recorded, wanted
        gone = [
            Record(track, source, None)
            for track, (source, held) in before.items()
            if wanted.get(track) != (source, held)
        ]
        fresh = [
            Record(track, source, held)
            for track, (source, held) in wanted.items()
            if before.get(track) != (source, held)
        ]
        return [*gone, *fresh]


def _error(wanted: Wanted, code: str, detail: str = "") -> Send:
    return Send((wanted.connection,), Error(code=code, id=wanted.request, params={"detail": detail} if detail else {}))


def _negotiate(wanted: Wanted, leg: Leg, plan: Plan) -> Negotiate:
    return Negotiate(
        wanted.connection,
        wanted.request,
        leg.pc,
        leg.transport,
        plan.kind,
        plan.parameters,
        plan.publish,
        plan.unpublish,
        plan.new_slots,
        plan.offer,
        plan.accepted,
    )
