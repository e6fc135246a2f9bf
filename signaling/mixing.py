"""Which rooms need their sound mixed, and the seats by which the mixer comes in. Pure.

A viewer whose player takes one sound (WHEP with a single audio m-line) would hear the teacher and no room that answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from signaling.messages import RoomSpec
from signaling.seats import RESUME_AFTER_END_SECONDS, Role, Seat

if TYPE_CHECKING:
    from signaling.live import LiveRoom
    from signaling.participant import Participant

HEARS, SENDS = "m-hears", "m-sends"
"""The mixer's two seats: they are nobody in the room's list of people."""
SEATS = frozenset({HEARS, SENDS})
FED = frozenset({"watch", "inspector"})
"""Who gets the mix: not a receiving room, which would hear itself."""


def single(person: Participant) -> bool:
    """A player from outside with one place for sound."""
    sub = person.legs.get("sub")
    if sub is None or sub.resource is None or person.seat.role not in FED or person.seat.id in SEATS:
        return False
    return sum(1 for slot in sub.slots.values() if slot.kind == "audio") == 1


def needed(room: LiveRoom) -> bool:
    return room.live and room.sends and not room.over and any(single(person) for person in room.lobby.people.values())


def seat(spec: RoomSpec, epoch: int, seat_id: str, node: str, now_s: int) -> Seat:
    role: Role = "encoder" if seat_id == SENDS else "watch"
    until = max(spec.ends_at_ms // 1000, now_s) + RESUME_AFTER_END_SECONDS
    return Seat(spec.lesson, epoch, role, seat_id, "", "", None, None, node, now_s, until, "resume")
