"""Keeps a child (``robot.py``) for each robot classroom of a rehearsal while its teacher is there; a few a node."""

from __future__ import annotations

import time

from signaling import robots
from signaling.live import LiveRoom
from signaling.net.keeper import Keeper
from signaling.seats import issue


class RobotKeeper(Keeper):
    """``door``: ws://127.0.0.1:8001. A teacher's page that is loaded anew finds its robots still there."""

    child = "robot"
    again_seconds = 2.0
    idle_seconds = 30.0

    def wanted(self, room: LiveRoom) -> list[str]:
        return [place.seat for place in robots.places(room.spec)] if robots.needed(room) else []

    def over(self, room: LiveRoom) -> bool:
        return room.over or room.log.state.phase == "closed"

    def order(self, room: LiveRoom, seat: str) -> dict[str, str]:
        place = next(one for one in robots.places(room.spec) if one.seat == seat)
        token = issue(robots.seat(room.spec, room.epoch, place, self._keys.node, int(time.time())), self._keys.own)
        return {
            "ws": f"{self.door}/ws",
            "lesson": room.lesson,
            "seat": seat,
            "teacher": room.spec.teacher_seat,
            "device": seat,
            "token": token,
        }

    def ended(self, room: LiveRoom) -> None:
        """As with any classroom, the room notices by itself that the line is gone."""
