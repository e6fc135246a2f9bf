"""Keeps a child (``robot.py``) for each robot classroom of a rehearsal while its teacher is there; a few a node."""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

from signaling import robots
from signaling.live import LiveRoom
from signaling.messages import RoomPlace
from signaling.net.child import end
from signaling.net.node import Node
from signaling.seats import issue
from signaling.session import Keys

log = logging.getLogger("tongtang.robot")

LOOK_SECONDS = 0.5
AGAIN_SECONDS = 2.0
IDLE_SECONDS = 30.0
"""A teacher's page that is loaded anew finds its robots still there."""

Wanted = tuple[str, str]
"""(lesson, seat)"""


class RobotKeeper:
    """``door``: this node's own address for children, known once it listens: ws://127.0.0.1:8001."""

    def __init__(self, node: Node, keys: Keys, most: int) -> None:
        self._node, self._keys, self._most = node, keys, most
        self._kept: dict[Wanted, asyncio.Task[None]] = {}
        self._wanted_at: dict[Wanted, float] = {}
        self._looking: asyncio.Task[None] | None = None
        self.children: dict[Wanted, int] = {}
        """-> process id."""
        self.door = ""

    async def start(self) -> None:
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        tasks = [*self._kept.values(), *([self._looking] if self._looking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._turn(time.monotonic())

    def _turn(self, now: float) -> None:
        for lesson, room in list(self._node.lives.items()):
            for place in robots.places(room.spec) if robots.needed(room) else ():
                key = (lesson, place.seat)
                self._wanted_at[key] = now
                if key not in self._kept and len(self._kept) < self._most:
                    self._kept[key] = asyncio.create_task(self._keep(lesson, place))
        for key in list(self._kept):
            held = self._node.lives.get(key[0])
            over = held is None or held.over or held.log.state.phase == "closed"
            if over or now - self._wanted_at[key] > IDLE_SECONDS:
                self._kept.pop(key).cancel()
                del self._wanted_at[key]

    async def _keep(self, lesson: str, place: RoomPlace) -> None:
        while (room := self._node.lives.get(lesson)) is not None:
            await self._child(room, place)
            log.warning("%s: robot %s ended; starting it again", lesson, place.seat)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _child(self, room: LiveRoom, place: RoomPlace) -> None:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "signaling.net.robot",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        key = (room.lesson, place.seat)
        self.children[key] = child.pid
        try:
            assert child.stdin is not None
            child.stdin.write(json.dumps(self._order(room, place)).encode() + b"\n")
            await child.wait()
        finally:
            del self.children[key]
            await end(child)

    def _order(self, room: LiveRoom, place: RoomPlace) -> dict[str, str]:
        seat = robots.seat(room.spec, room.epoch, place, self._keys.node, int(time.time()))
        return {
            "ws": f"{self.door}/ws",
            "lesson": room.lesson,
            "seat": place.seat,
            "teacher": room.spec.teacher_seat,
            "device": place.seat,
            "token": issue(seat, self._keys.own),
        }
