"""WHEP (draft-ietf-wish-whep): a player receives with one POST; the same door as WHIP, turned round."""

from __future__ import annotations

from signaling.live import LiveRoom
from signaling.net.whip import WhipDoor


class WhepDoor(WhipDoor):
    pc = "sub"
    unfit = 406

    def ready(self, room: LiveRoom) -> str | None:
        """A player that came before anybody sends asks again: 409 with Retry-After."""
        return None if room.sends else "stage_empty"
