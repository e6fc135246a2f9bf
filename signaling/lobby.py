"""Who is in the room: one participant a seat. Two devices of one seat: the newer wins, the same device simply comes
back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from media.parameters import TransportStats
from signaling.mixing import SEATS as MIXER
from signaling.negotiation import Leg
from signaling.participant import Participant
from signaling.presence import Presence
from signaling.seats import Seat

MAX_PEOPLE = 200
"""A lesson has a handful of classrooms and some watchers; more is an attack or a case for HTTP live."""
PEOPLE_EVERY = 1.0
AWAY_SECONDS = 10.0
"""A socket lost without ``leave`` keeps its seat and transports so long: a Wi-Fi hiccup is no leaving."""


GOODBYES = {one: one for one in ("ended", "moved", "revoked", "epoch", "shutdown")} | {"cancelled": "ended"}
"""Why a room lets somebody go -> messages.Closed.reason; for other reasons the page shall come back by itself."""


@dataclass(frozen=True, slots=True)
class Seated:
    """What a join found. ``older``: the socket it replaces; ``elsewhere``: that one was another device."""

    participant: Participant
    new: bool
    older: str | None = None
    elsewhere: bool = False


@dataclass(slots=True)
class Lobby:
    people: dict[str, Participant] = field(default_factory=dict)
    """By seat id."""
    _by_connection: dict[str, Participant] = field(default_factory=dict)
    _said: list[dict[str, Any]] = field(default_factory=list)
    _said_at: float = -1e9

    def of(self, connection: str) -> Participant | None:
        return self._by_connection.get(connection)

    def seat(self, seat: str) -> Seat | None:
        person = self.people.get(seat)
        return person.seat if person else None

    def connections(self) -> tuple[str, ...]:
        return tuple(self._by_connection)

    def full(self, seat: Seat) -> bool:
        return len(self.people) >= MAX_PEOPLE and seat.id not in self.people

    def sit(self, connection: str, seat: Seat, device: str | None, now: float) -> Seated:
        found = self.people.get(seat.id)
        new = found is None
        person = found or self._new(seat, now)
        older = person.connection
        elsewhere = not new and (device is None or device != person.device)
        if older is not None:
            del self._by_connection[older]
        if person.connection is None:
            person.presence.since = now
        person.seat, person.connection, person.device = seat, connection, device
        person.path, person.spoke, person.away_since = "ws", now, None
        self._by_connection[connection] = person
        return Seated(person, new, older, elsewhere)

    def attach(self, seat: Seat, path: str, now: float) -> tuple[Participant, bool]:
        """A WHIP or WHEP client: no socket, only a peer connection."""
        found = self.people.get(seat.id)
        if found is not None:
            return found, False
        person = self._new(seat, now)
        person.path = path
        return person, True

    def _new(self, seat: Seat, now: float) -> Participant:
        person = Participant(seat, now, Presence(now))
        self.people[seat.id] = person
        return person

    def drop_socket(self, connection: str, now: float) -> Participant | None:
        person = self._by_connection.pop(connection, None)
        if person is not None:
            person.connection, person.away_since = None, now
        return person

    def remove(self, person: Participant) -> None:
        self.people.pop(person.seat.id, None)
        if person.connection is not None:
            self._by_connection.pop(person.connection, None)

    def gone(self, now: float) -> list[Participant]:
        """Away for too long, and no encoder or player of the same seat goes on without the page."""
        away = [
            one for one in self.people.values() if one.away_since is not None and now - one.away_since > AWAY_SECONDS
        ]
        return [one for one in away if not any(leg.resource for leg in one.legs.values())]

    def leg(self, transport: str) -> tuple[Participant, Leg] | None:
        for person in self.people.values():
            for leg in person.legs.values():
                if leg.transport == transport:
                    return person, leg
        return None

    def resource(self, resource: str) -> tuple[Participant, Leg] | None:
        """The peer connection of a WHIP or WHEP session."""
        legs = [(person, leg) for person in self.people.values() for leg in person.legs.values()]
        return next((found for found in legs if found[1].resource == resource), None)

    def resources(self) -> list[str]:
        """Every WHIP and WHEP session."""
        return [leg.resource for person in self.people.values() for leg in person.legs.values() if leg.resource]

    def present(self) -> frozenset[str]:
        return frozenset(self.people)

    def observe(self, stats: tuple[TransportStats, ...]) -> None:
        """What leaves each seat; of players and encoders, who do not report themselves, all the rest too."""
        by_name = {one.transport: one for one in stats}
        for person in self.people.values() if stats else ():
            pub = person.legs.get("pub")
            sent = by_name.get(pub.transport) if pub else None
            person.up_loss = sent.up_loss if sent else None
            for leg in person.legs.values() if person.connection is None else ():
                if found := by_name.get(leg.transport):
                    person.observe(found)

    def news(self, now: float, live: bool) -> list[dict[str, Any]] | None:
        """The cards, when they changed since they were last told; at most once a second: the next tick tells."""
        if now - self._said_at < PEOPLE_EVERY or (cards := self.cards(now, live)) == self._said:
            return None
        self._said, self._said_at = cards, now
        return cards

    def cards(self, now: float, live: bool) -> list[dict[str, Any]]:
        return [person.card(now, live) for person in self.people.values() if person.seat.id not in MIXER]
