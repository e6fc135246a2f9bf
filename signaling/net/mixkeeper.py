"""Keeps one mixing child (``mixer.py``) for each room that needs one, as long as it does.

One that dies is started again within a second; until then its listeners get the teacher's own track.
"""

from __future__ import annotations

import time

from signaling import mixing
from signaling.live import LiveRoom
from signaling.net.keeper import Keeper
from signaling.seats import issue


class MixKeeper(Keeper):
    """``door``: http://127.0.0.1:8001. A player that reconnects finds its mix still going."""

    child = "mixer"
    again_seconds = 1.0
    idle_seconds = 20.0

    def wanted(self, room: LiveRoom) -> list[str]:
        return [mixing.SENDS] if mixing.needed(room) else []

    def order(self, room: LiveRoom, seat: str) -> dict[str, str]:
        def token(seat_id: str) -> str:
            return issue(mixing.seat(room.spec, room.epoch, seat_id, self._keys.node, int(time.time())), self._keys.own)

        return {
            "whep": f"{self.door}/whep/{room.lesson}",
            "whip": f"{self.door}/whip/{room.lesson}",
            "hears": token(mixing.HEARS),
            "sends": token(seat),
        }

    def ended(self, room: LiveRoom) -> None:
        """At once, not when its silence is noticed: the listeners go back to the teacher's track."""
        host = self._node.host(room.lesson)
        if host is None or host.live is not room:
            return
        legs = [leg for seat in mixing.SEATS if (one := room.lobby.people.get(seat)) for leg in one.legs.values()]
        for leg in legs:
            if leg.resource is not None:
                host.do(room.http_delete(leg.resource, time.monotonic()))
