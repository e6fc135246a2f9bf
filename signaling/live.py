"""One live room: messages, media events and ticks come in with ``now``, effects come out. Pure.

Who is in: ``lobby.py``; what was decided: ``log.py``; who sees what: ``switchboard.py``. Here they act together.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from media.parameters import (
    AudioBudget,
    LayersWanted,
    MediaEvent,
    SlotQuality,
    Speaking,
    TransportConnected,
    TransportLost,
    TransportStats,
)
from signaling import bell, board, chat, classroom, floor, robots
from signaling.clock import RoomClock
from signaling.counting import Counter, fact_of
from signaling.effects import Append, Close, Count, Dispose, Effect, Seal, Send
from signaling.facts import Fact
from signaling.intents import LESSON, Asker, IntentError, Wish, grant
from signaling.lobby import GOODBYES, Lobby, Seated
from signaling.log import RoomLog
from signaling.messages import (
    Closed,
    Done,
    Error,
    Intent,
    LastSeen,
    Moved,
    Offer,
    Ops,
    People,
    Report,
    RoomSpec,
    Saved,
)
from signaling.negotiation import Leg, Pc, guess_sources
from signaling.ops import NODE, Entry, room_body
from signaling.outside import withdrawn
from signaling.participant import Participant
from signaling.recording import due
from signaling.sdp.model import SdpError
from signaling.seats import Seat
from signaling.switchboard import Switchboard, Wanted
from signaling.voices import Voices
from signaling.welcome import welcome

WISHES: dict[str, Wish] = {**LESSON, **board.WISHES, **floor.WISHES, **chat.WISHES, **classroom.WISHES, **robots.WISHES}

SILENT_SOCKET = 8.0
"""Without STUN for ten seconds and nothing on the socket for this long, the laptop was shut."""


@dataclass(slots=True)
class LiveRoom:
    spec: RoomSpec
    clock: RoomClock
    log: RoomLog
    lobby: Lobby = field(default_factory=Lobby)
    over: bool = False
    _waiting: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Wish -> (connection, intent id) of those who wait for it to be durable."""
    _teacher_seen_ms: int = 0
    switchboard: Switchboard = field(init=False)
    counter: Counter = field(init=False)
    voices: Voices = field(init=False)
    held: bool = False
    """It holds still, because it goes on elsewhere: no op from now on, only sound and picture go on. Wishes are not
    answered; pages repeat them where the room goes."""

    def __post_init__(self) -> None:
        self.switchboard = Switchboard(self.lesson, self.lobby)
        self._teacher_seen_ms = self.clock.base_ms
        self.counter = Counter(self.lesson, self.epoch, self.clock)
        self.voices = Voices(self.lobby, self.counter)

    # --- the room itself ------------------------------------------------------------------------------------------

    @property
    def lesson(self) -> str:
        return self.spec.lesson

    @property
    def epoch(self) -> int:
        return self.log.epoch

    @property
    def live(self) -> bool:
        return self.log.state.phase == "live"

    @property
    def sends(self) -> bool:
        """Something comes from the lead room."""
        return any(leg.connected for leg in self.switchboard.lead_legs(self.spec))

    def write(self, kind: str, body: dict[str, Any], now: float, by: str = NODE, intent: str | None = None) -> Append:
        return Append((self.log.write(kind, by, body, self.clock.room_ms(now), intent),))

    def opened(self, held: int, now: float) -> list[Effect]:
        """A process took the room up; ``held`` is the newest epoch of the log it found, 0 for none."""
        effects: list[Effect] = []
        if held and held < self.epoch:
            gap_ms = self.clock.base_ms - (self.log.tail[-1].t if self.log.tail else 0)
            effects.append(
                self.write("epoch", {"epoch": self.epoch, "from_seq": self.log.head.seq + 1, "gap_ms": gap_ms}, now)
            )
        if not held or held < self.epoch:
            effects.append(self.write("room", room_body(self.spec, self.clock.zero_at_ms), now))
        return effects

    def specify(self, spec: RoomSpec, now: float) -> list[Effect]:
        """A RoomSpec from the web: the log keeps the newest."""
        if spec == self.spec:
            return []
        gone = withdrawn(self.spec, spec)
        self.spec = spec
        effects: list[Effect] = [self.write("room", room_body(spec, self.clock.zero_at_ms), now)]
        for person in [self.lobby.people[seat] for seat in gone if seat in self.lobby.people]:
            effects += self._remove(person, "revoked", now)
        return [*effects, *self._route(), *self._record()]

    def durable(self, entries: tuple[Entry, ...], now: float) -> list[Effect]:
        """These ops are on disk: now they happened."""
        effects: list[Effect] = [Send(self.lobby.connections(), Ops(ops=[entry.op for entry in entries]))]
        facts: list[Fact] = []
        for entry in entries:
            deck = self.log.state.deck
            self.log.commit(entry)
            fact = fact_of(entry.op, self.lesson, self.clock.zero_at_ms, deck.id if deck else None)
            facts += [fact] if fact else []
            for connection, request in self._waiting.pop(entry.intent or "", []):
                effects.append(Send((connection,), Done(id=request, seq=entry.op.seq)))
        if facts:
            effects.append(Count(tuple(facts)))
        effects += self._route() + self._schedule(now) + self._record()
        if any(entry.op.kind == "recording" and not entry.op.body["on"] for entry in entries):
            effects.append(Seal())
        return effects

    def close(self, reason: str, now: float) -> list[Effect]:
        """Everybody out: "ended", "moved", "revoked", "epoch", "shutdown"."""
        self.over = True
        effects = self.voices.tick(frozenset(), now)
        for person in list(self.lobby.people.values()):
            effects += self._remove(person, reason, now)
        return [*effects, Dispose(reason)]

    def moved(self, epoch: int) -> list[Effect]:
        """Everybody goes to the other node; who stays is put out when this one closes the room."""
        return [Send(self.lobby.connections(), Moved(epoch=epoch))]

    def empty(self) -> bool:
        """Nobody is connected any more, in whatever way."""
        return not any(person.connection or person.legs for person in self.lobby.people.values())

    def revoke(self, seat: str, now: float) -> list[Effect]:
        self.log.revoked[seat] = until = self.clock.at_ms(now) // 1000  # at once, not only when it is durable
        effects: list[Effect] = [self.write("revoke", {"seat": seat, "until": until}, now)]
        person = self.lobby.people.get(seat)
        return [*effects, *self._remove(person, "revoked", now), *self._route()] if person else effects

    # --- people ---------------------------------------------------------------------------------------------------

    def join(
        self, connection: str, seat: Seat, device: str | None, last: LastSeen | None, resume: str, now: float
    ) -> list[Effect]:
        """``resume`` is the token that this seat may come back with."""
        if refusal := self.refuses(seat):
            return [Send((connection,), Error(code=refusal)), Close(connection)]
        if self.held or self.lobby.full(seat):
            return [Send((connection,), Closed(reason="moved" if self.held else "full")), Close(connection)]
        seated = self.lobby.sit(connection, seat, device, now)
        effects = self._replaced(seated, now)
        effects.append(Send((connection,), welcome(self, seated.participant, last, resume, now)))
        if seated.new:
            effects.append(self.counter.joined(seat, "ws", now))
        effects += self._sign_in(seat, now) + self.voices.tell(connection)
        effects += self.switchboard.shows(self.spec, seated.participant) + self.switchboard.advice(seated.participant)
        return effects + self._route() + self._say_people(now)

    def refuses(self, seat: Seat) -> str | None:
        if self.over:
            return "room_over"
        return "seat_revoked" if seat.issued_at <= self.log.revoked.get(seat.id, -1) else None

    def _replaced(self, seated: Seated, now: float) -> list[Effect]:
        effects: list[Effect] = []
        if seated.older is not None:
            if seated.elsewhere:
                effects.append(Send((seated.older,), Closed(reason="elsewhere")))
            effects.append(Close(seated.older))
        if seated.elsewhere:
            for pc in [pc for pc, leg in seated.participant.legs.items() if leg.resource is None]:
                effects += self.switchboard.drop(seated.participant, pc, now)
        return effects

    def _sign_in(self, seat: Seat, now: float) -> list[Effect]:
        body = classroom.sign_in(self.log.head, seat)
        return [self.write("signin", body, now, by=seat.id)] if body else []

    def leave(self, connection: str, now: float) -> list[Effect]:
        person = self.lobby.of(connection)
        if person is None:
            return []
        return self._remove(person, "left", now) + self._route() + self._say_people(now)

    def lost(self, connection: str, now: float) -> list[Effect]:
        """The socket ended without a word: the seat is kept a while."""
        person = self.lobby.drop_socket(connection, now)
        if person is None:
            return []
        return [self.counter.present(person.seat, person.presence.cut(now)), *self._say_people(now)]

    def _remove(self, person: Participant, reason: str, now: float) -> list[Effect]:
        effects: list[Effect] = []
        if person.away_since is None:
            effects.append(self.counter.present(person.seat, person.presence.cut(now)))
        if stretch := person.reception.cut(now):
            effects.append(self.counter.got(person.seat, stretch))
        for pc in list(person.legs):
            effects += self.switchboard.drop(person, pc, now)
        if person.connection is not None:
            if reason in GOODBYES:  # a page that was only silent shall come back by itself
                effects.append(Send((person.connection,), Closed(reason=GOODBYES[reason])))
            effects.append(Close(person.connection))
        self.lobby.remove(person)
        return [*effects, self.counter.left(person.seat, reason, now)]

    # --- what people say ------------------------------------------------------------------------------------------

    def heard_from(self, connection: str, now: float) -> None:
        if person := self.lobby.of(connection):
            person.spoke = now

    def intent(self, connection: str, intent: Intent, now: float) -> list[Effect]:
        person = self.lobby.of(connection)
        if person is None or self.held:
            return []
        wish = f"{person.seat.id} {intent.id}"
        if (seq := self.log.wishes.get(wish)) is not None:
            if seq <= self.log.state.seq:
                return [Send((connection,), Done(id=intent.id, seq=seq))]
            self._waiting.setdefault(wish, []).append((connection, intent.id))
            return []
        asker = Asker(person.seat, self.spec, self.clock.room_ms(now), self.lobby.present())
        try:
            body = grant(WISHES, self.log.head, asker, intent.kind, intent.body)
        except IntentError as error:
            return [Send((connection,), Error(code=error.code, id=intent.id, params=error.params))]
        self._waiting.setdefault(wish, []).append((connection, intent.id))
        return [self.write(intent.kind, body, now, by=person.seat.id, intent=wish)]

    def report(self, connection: str, report: Report, now: float) -> list[Effect]:
        person = self.lobby.of(connection)
        if person is None:
            return []
        person.measure(report, now)
        interval = person.presence.report(report.heard_ms, report.saw_ms, now)
        return [self.counter.present(person.seat, interval)] if interval else []

    # --- media ----------------------------------------------------------------------------------------------------

    def offer(self, connection: str, offer: Offer, now: float) -> list[Effect]:
        person = self.lobby.of(connection)
        if person is None:
            return []
        return self._offer(person, Wanted(connection, offer.id, offer.pc, offer.sdp, offer.sources), now)

    def _offer(self, person: Participant, wanted: Wanted, now: float) -> list[Effect]:
        return [*self.switchboard.offer(person, wanted, now), *self._route(), *self._record()]

    def http_offer(self, connection: str, resource: str, seat: Seat, pc: Pc, sdp: str, now: float) -> list[Effect]:
        """WHIP (RFC 9725) and WHEP: one request, one peer connection, no socket."""
        if refusal := self.refuses(seat):
            return [Send((connection,), Error(code=refusal))]
        if self.lobby.full(seat):
            return [Send((connection,), Error(code="media_full"))]
        try:
            sources = guess_sources(sdp) if pc == "pub" else {}
        except SdpError as error:
            return [Send((connection,), Error(code=error.code))]
        person, new = self.lobby.attach(seat, "whip" if pc == "pub" else "whep", now)
        effects = self._offer(person, Wanted(connection, resource, pc, sdp, sources, resource), now)
        if pc not in person.legs and new:
            self.lobby.remove(person)
            return effects
        return (
            [*effects, self.counter.joined(person.seat, person.path, now), *self._say_people(now)] if new else effects
        )

    def http_delete(self, resource: str, now: float) -> list[Effect]:
        found = self.lobby.resource(resource)
        return self._end_leg(found[0], found[1].pc, "left", now) if found else []

    def refused(self, transport: str, connection: str, request: str, code: str, now: float) -> list[Effect]:
        """The media plane did not take a negotiation."""
        effects: list[Effect] = [Send((connection,), Error(code=code, id=request))]
        if found := self.lobby.leg(transport):
            effects += self._end_leg(found[0], found[1].pc, "media", now)
        return effects

    def _audible(self) -> frozenset[str]:
        """Whose voice reaches the others: nobody's before the opening and after the close."""
        return frozenset((self.spec.teacher_seat, *self.log.state.floor)) if self.live else frozenset()

    def media(self, event: MediaEvent, now: float) -> list[Effect]:
        if isinstance(event, Speaking):
            return self.voices.turn(event.transport, event.on, self._audible(), now)
        found = self.lobby.leg(event.transport)
        if found is None:
            return []
        person, leg = found
        if isinstance(event, TransportConnected):
            leg.connected, leg.path = True, event.path
            if leg.pc == "sub":
                person.presence.media(True, now)
            return self._route() + self._schedule(now) + self._record() + self._say_people(now)
        if isinstance(event, TransportLost):
            return self._transport_lost(person, leg, event.reason, now)
        if isinstance(event, SlotQuality):
            person.reception.qualities[event.mid] = event.quality
        elif isinstance(event, LayersWanted | AudioBudget):
            return self.switchboard.advise(person, leg, event)
        return []

    def _transport_lost(self, person: Participant, leg: Leg, reason: str, now: float) -> list[Effect]:
        silent = person.connection is None or now - person.spoke > SILENT_SOCKET
        if reason == "silence" and silent and leg.resource is None:
            return self._remove(person, "silence", now) + self._route() + self._say_people(now)
        return self._end_leg(person, leg.pc, reason, now)

    def _end_leg(self, person: Participant, pc: Pc, reason: str, now: float) -> list[Effect]:
        """One peer connection less; a player without socket is gone with it."""
        effects = self.switchboard.drop(person, pc, now)
        if person.connection is None and person.away_since is None and not person.legs:
            effects += self._remove(person, reason, now)
        return effects + self._route() + self._record() + self._say_people(now)

    def _say_people(self, now: float) -> list[Effect]:
        cards = self.lobby.news(now, self.live)
        return [] if cards is None else [Send(self.lobby.connections(), People(people=cards))]

    # --- recording ------------------------------------------------------------------------------------------------

    def _schedule(self, now: float) -> list[Effect]:
        """Switch recording as the timetable says; the switch is an op like any other."""
        head = self.log.head
        reason = due(self.spec, head, self.clock.at_ms(now), self.sends)
        if self.held or (reason is not None) == head.recording.on:
            return []
        return [self.write("recording", {"on": reason is not None, "reason": reason or "closed"}, now)]

    def _route(self) -> list[Effect]:
        return self.switchboard.route(self.spec, self.log.state.floor)

    def _record(self) -> list[Effect]:
        return self.switchboard.record(self.switchboard.lead_legs(self.spec) if self.log.state.recording.on else [])

    def saved(self, room_ms: int, stalled: bool) -> list[Effect]:
        """To the teacher's page: 已保存至."""
        teacher = self.lobby.people.get(self.spec.teacher_seat)
        if teacher is None or teacher.connection is None:
            return []
        at_ms = self.clock.zero_at_ms + room_ms
        return [Send((teacher.connection,), Saved(room_ms=room_ms, at_ms=at_ms, stalled=stalled))]

    # --- time -----------------------------------------------------------------------------------------------------

    def tick(self, now: float, stats: tuple[TransportStats, ...] = ()) -> list[Effect]:
        """About twice a second."""
        self.lobby.observe(stats)
        effects: list[Effect] = []
        for person in self.lobby.gone(now):
            effects += self._remove(person, "lost", now)
        if effects:
            effects += self._route()
        for person in self.lobby.people.values():
            if person.away_since is None and (interval := person.presence.tick(now)):
                effects.append(self.counter.present(person.seat, interval))
            if stretch := person.reception.turn(now, self.switchboard.pictures(self.spec, person)):
                effects.append(self.counter.got(person.seat, stretch))
        effects += self.voices.tick(self._audible(), now)
        return effects + self._schedule(now) + self._say_people(now) + ([] if self.held else self._end(now))

    def _end(self, now: float) -> list[Effect]:
        room_ms = self.clock.room_ms(now)
        if self.spec.teacher_seat in self.lobby.people:
            self._teacher_seen_ms = room_ms
        match bell.due(self.spec, self.log.head, room_ms, self.clock.at_ms(now), self._teacher_seen_ms):
            case "close":
                return [self.write("lesson.close", {}, now)]
            case "end":
                return self.close("ended", now)
        return []
