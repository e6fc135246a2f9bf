"""What somebody who comes in is told: the room as it stands, or only what they missed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from signaling.messages import LastSeen, Welcome
from signaling.participant import Participant
from signaling.roles import rights
from signaling.room import state_to_json

if TYPE_CHECKING:
    from signaling.live import LiveRoom


def welcome(room: LiveRoom, person: Participant, last: LastSeen | None, resume: str, now: float) -> Welcome:
    tail = room.log.since(last)
    return Welcome(
        lesson=room.lesson,
        epoch=room.epoch,
        seat=person.seat.id,
        role=person.seat.role,
        rights=rights(person.seat.role),
        resume=resume,
        seq=room.log.state.seq,
        room_ms=room.clock.room_ms(now),
        at_ms=room.clock.at_ms(now),
        state=state_to_json(room.log.state) if tail is None else None,
        people=room.lobby.cards(now, room.live),
        spec=room.spec.public(),
        ops=tail or [],
        transports=sorted(pc for pc, leg in person.legs.items() if leg.resource is None),
    )
