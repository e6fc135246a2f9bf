"""Hands and the floor. Both belong to a receiving room's seat ("r-…"): an assistant's hand is its room's hand."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from signaling.intents import Asker, Body, IntentError, Wish
from signaling.messages import Id
from signaling.room import RoomState
from signaling.stage import FLOOR_LIMIT


class HandRaise(Body):
    pupil: Annotated[int, Field(ge=1, le=99)] | None = None


class HandLower(Body):
    seat: Id | None = None


class FloorGive(Body):
    seat: Id


class FloorTake(Body):
    seat: Id | None


def _raise(state: RoomState, asker: Asker, form: HandRaise) -> dict[str, Any]:
    return {"seat": asker.classroom(), "pupil": form.pupil}


def _lower(state: RoomState, asker: Asker, form: HandLower) -> dict[str, Any]:
    seat = form.seat or asker.classroom()
    if asker.seat.role != "teacher" and seat != asker.classroom():
        raise IntentError("forbidden", kind="hand.lower")
    if all(hand.seat != seat for hand in state.hands):
        raise IntentError("hand_none")
    return {"seat": seat}


def _give(state: RoomState, asker: Asker, form: FloorGive) -> dict[str, Any]:
    seat = asker.receiving(form.seat)
    if seat not in asker.present:
        raise IntentError("floor_absent", seat=seat)
    if seat not in state.floor and len(state.floor) >= FLOOR_LIMIT:
        raise IntentError("floor_full", limit=FLOOR_LIMIT)
    return {"seat": seat}


def _take(state: RoomState, asker: Asker, form: FloorTake) -> dict[str, Any]:
    if asker.seat.role != "teacher" and form.seat != asker.classroom():
        raise IntentError("forbidden", kind="floor.take")
    if form.seat is not None and form.seat not in state.floor:
        raise IntentError("floor_none")
    return {"seat": form.seat}


WISHES: dict[str, Wish] = {
    "hand.raise": Wish(HandRaise, _raise),
    "hand.lower": Wish(HandLower, _lower),
    "floor.give": Wish(FloorGive, _give),
    "floor.take": Wish(FloorTake, _take),
}
