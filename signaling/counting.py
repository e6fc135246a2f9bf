"""What leaves a room as facts: ops worth counting, and what the node itself saw (presence, recording).

A fact made from an op has its id and times from that op alone, so that making it twice (after a crash) counts once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from signaling.clock import RoomClock
from signaling.effects import Count
from signaling.facts import Fact, FactKind
from signaling.messages import Op
from signaling.presence import Interval
from signaling.reception import Stretch
from signaling.seats import Seat


@dataclass(slots=True)
class Counter:
    """Facts of the node's own count. Ids stay apart across restarts in one epoch: each process counts from the room
    time at which it took over."""

    lesson: str
    epoch: int
    clock: RoomClock
    _made: int = 0

    def fact(self, kind: FactKind, data: dict[str, Any], now: float, seat: Seat | None = None) -> Count:
        self._made += 1
        name = f"{self.lesson}:{self.epoch}:p{self.clock.base_ms}-{self._made}"
        room, person = (seat.room, seat.person) if seat else (None, None)
        times = (self.clock.room_ms(now), self.clock.at_ms(now))
        return Count((Fact(name, kind, self.lesson, self.epoch, *times, room, person, data),))

    def joined(self, seat: Seat, path: str, now: float) -> Count:
        return self.fact("EndpointJoined", {"role": seat.role, "seat": seat.id, "path": path}, now, seat)

    def left(self, seat: Seat, reason: str, now: float) -> Count:
        return self.fact("EndpointLeft", {"role": seat.role, "seat": seat.id, "reason": reason}, now, seat)

    def present(self, seat: Seat, interval: Interval) -> Count:
        data = {
            "role": seat.role,
            "seat": seat.id,
            "from_at": self.clock.at_ms(interval.since),
            "to_at": self.clock.at_ms(interval.until),
            "connected": True,
            "heard_ms": interval.heard_ms,
            "saw_ms": interval.saw_ms,
        }
        return self.fact("Presence", data, interval.until, seat)

    def got(self, seat: Seat, stretch: Stretch) -> Count:
        times = {"from_at": self.clock.at_ms(stretch.since), "to_at": self.clock.at_ms(stretch.until)}
        data = {"role": seat.role, "seat": seat.id, **times, "gets": stretch.gets}
        return self.fact("Quality", data, stretch.until, seat)

    def spoke(self, seat_id: str, seat: Seat | None, since: float, until: float) -> Count:
        """``seat`` None: who spoke has left meanwhile."""
        data = {
            "role": seat.role if seat else "class" if seat_id.startswith("r-") else "teacher",
            "seat": seat_id,
            "from_at": self.clock.at_ms(since),
            "to_at": self.clock.at_ms(until),
        }
        made = self.fact("Spoke", data, until, seat)
        if seat is None and seat_id.startswith("r-"):
            return Count(tuple(replace(fact, room=seat_id[2:]) for fact in made.facts))
        return made


_KINDS: dict[str, FactKind] = {
    "lesson.open": "LessonOpened",
    "lesson.close": "LessonClosed",
    "lesson.reopen": "LessonReopened",
    "page.turn": "Page",
    "hand.raise": "Hand",
    "hand.lower": "Hand",
    "floor.give": "Floor",
    "floor.take": "Floor",
    "chat.say": "Chat",
    "headcount": "Headcount",
    "signin": "AssistantSignedIn",
}


def fact_of(op: Op, lesson: str, zero_at_ms: int, deck: str | None) -> Fact | None:
    """``deck`` is the one that was open. None for ops that nobody counts."""
    kind = _KINDS.get(op.kind)
    if kind is None:
        return None
    seat = op.body.get("seat")
    room = seat[2:] if isinstance(seat, str) and seat.startswith("r-") else None
    person = op.body.get("person") if op.kind == "signin" else None
    data = _data(op, deck)
    return Fact(f"{lesson}:{op.epoch}:{op.seq}", kind, lesson, op.epoch, op.t, zero_at_ms + op.t, room, person, data)


def facts_of(ops: Iterable[Op], lesson: str, zero_at_ms: int) -> list[Fact]:
    """Facts of a whole log, once more after a restart."""
    facts: list[Fact] = []
    deck: str | None = None
    for op in ops:
        fact = fact_of(op, lesson, zero_at_ms, deck)
        facts += [fact] if fact else []
        if op.kind in ("deck.open", "deck.close"):
            deck = op.body.get("deck")
    return facts


def _data(op: Op, deck: str | None) -> dict[str, Any]:
    body = op.body
    match op.kind:
        case "page.turn":
            return {"deck": deck, "page": body["page"]}
        case "hand.raise":
            return {"seat": body["seat"], "up": True, "pupil": body["pupil"]}
        case "hand.lower":
            return {"seat": body["seat"], "up": False, "pupil": None}
        case "floor.give" | "floor.take":
            return {"seat": body["seat"], "given": op.kind == "floor.give"}
        case "chat.say":
            return {"seat": op.by}
        case "headcount":
            return {key: body[key] for key in ("expected", "present", "absent_seats")}
        case "signin":
            return {"seat": op.by, "person": body["person"]}
    return {}
