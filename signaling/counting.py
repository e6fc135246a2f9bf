"""Ops -> facts. A fact's id and times derive from its op alone, so that making it twice (after a crash) counts once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from signaling.facts import Fact, FactKind
from signaling.messages import Op

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
