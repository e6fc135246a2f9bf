"""What the people of a receiving classroom say for it: the headcount, 没听清 / 没听懂 / 太快. Pupils are seat
numbers, never names.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from signaling.intents import Asker, Body, IntentError, Wish
from signaling.room import RoomState
from signaling.seats import Seat

MAX_PUPILS = 99
SeatNumber = Annotated[int, Field(ge=1, le=MAX_PUPILS)]


class Count(Body):
    expected: Annotated[int, Field(ge=0, le=MAX_PUPILS)]
    present: Annotated[int, Field(ge=0, le=MAX_PUPILS)]
    absent_seats: Annotated[list[SeatNumber], Field(max_length=MAX_PUPILS)] = Field(default_factory=list)


class Say(Body):
    what: Literal["unheard", "unclear", "fast"]


def _headcount(state: RoomState, asker: Asker, form: Count) -> dict[str, Any]:
    """Guests may sit in: more present than expected is wrong only when seats are named absent as well."""
    absent = sorted(set(form.absent_seats))
    if len(absent) > form.expected or (absent and form.present + len(absent) > form.expected):
        raise IntentError("headcount_range")
    return {
        "seat": asker.classroom(),
        "expected": form.expected,
        "present": form.present,
        "absent_seats": absent,
    }


def _signal(state: RoomState, asker: Asker, form: Say) -> dict[str, Any]:
    return {"seat": asker.classroom(), "what": form.what}


def sign_in(state: RoomState, seat: Seat) -> dict[str, Any] | None:
    """The op's body when a companion was admitted: an assistant's presence is proved by the code on the room's
    screen.
    """
    if seat.role != "assistant" or seat.room is None:
        return None
    key = f"r-{seat.room}"
    known = state.signins.get(key)
    if known is not None and known.person == seat.person:
        return None  # the phone came back
    return {"seat": key, "room": seat.room, "person": seat.person}


WISHES: dict[str, Wish] = {
    "headcount": Wish(Count, _headcount, live_only=False),
    "signal": Wish(Say, _signal),
}
