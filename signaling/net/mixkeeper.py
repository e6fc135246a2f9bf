"""Keeps one mixing child (``mixer.py``) for each room that needs one, as long as it does.

One that dies is started again within a second; until then its listeners get the teacher's own track.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import time

from signaling import mixing
from signaling.live import LiveRoom
from signaling.net.child import end
from signaling.net.node import Node
from signaling.seats import issue
from signaling.session import Keys

log = logging.getLogger("tongtang.mixer")

LOOK_SECONDS = 0.5
AGAIN_SECONDS = 1.0
IDLE_SECONDS = 20.0
"""A player that reconnects finds its mix still going."""


class MixKeeper:
    """``door`` is this node's own HTTP address, known once it listens: http://127.0.0.1:8001."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self._node, self._keys = node, keys
        self._kept: dict[str, asyncio.Task[None]] = {}
        self._wanted_at: dict[str, float] = {}
        self._looking: asyncio.Task[None] | None = None
        self.children: dict[str, int] = {}
        """Lesson -> process id."""
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
            now = time.monotonic()
            for lesson, room in list(self._node.lives.items()):
                if mixing.needed(room):
                    self._wanted_at[lesson] = now
                    if lesson not in self._kept:
                        self._kept[lesson] = asyncio.create_task(self._keep(lesson))
            for lesson in list(self._kept):
                if lesson not in self._node.lives or now - self._wanted_at[lesson] > IDLE_SECONDS:
                    self._kept.pop(lesson).cancel()

    async def _keep(self, lesson: str) -> None:
        """One child after another: a decoder that dies of a broken packet takes only itself along."""
        while room := self._node.lives.get(lesson):
            await self._child(room)
            log.warning("%s: the mixer ended; starting it again", lesson)
            await asyncio.sleep(AGAIN_SECONDS)

    async def _child(self, room: LiveRoom) -> None:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "signaling.net.mixer",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        self.children[room.lesson] = child.pid
        try:
            assert child.stdin is not None
            child.stdin.write(json.dumps(self._order(room)).encode() + b"\n")
            await child.wait()
        finally:
            del self.children[room.lesson]
            self._let_go(room)
            await end(child)

    def _order(self, room: LiveRoom) -> dict[str, str]:
        def token(seat_id: str) -> str:
            seat = mixing.seat(room.spec, room.epoch, seat_id, self._keys.node, int(time.time()))
            return issue(seat, self._keys.own)

        return {
            "whep": f"{self.door}/whep/{room.lesson}",
            "whip": f"{self.door}/whip/{room.lesson}",
            "hears": token(mixing.HEARS),
            "sends": token(mixing.SENDS),
        }

    def _let_go(self, room: LiveRoom) -> None:
        """At once, not when its silence is noticed: the listeners go back to the teacher's track."""
        host = self._node.host(room.lesson)
        if host is None or host.live is not room:
            return
        legs = [leg for seat in mixing.SEATS if (one := room.lobby.people.get(seat)) for leg in one.legs.values()]
        for leg in legs:
            if leg.resource is not None:
                host.do(room.http_delete(leg.resource, time.monotonic()))
