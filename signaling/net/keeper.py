"""Keeps child processes beside live rooms (``mixkeeper.py``, ``robotkeeper.py``): one for each seat that a room wants
taken, as long as it does. One that dies takes only itself along and is started again.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from signaling.live import LiveRoom
from signaling.net.child import end
from signaling.net.node import Node
from signaling.session import Keys

LOOK_SECONDS = 0.5

Place = tuple[str, str]
"""(lesson, seat)"""


class Keeper(ABC):
    """``door``: this node's own address for children, known once it listens. ``most`` children at a time."""

    child: ClassVar[str]
    """Its module beside this one."""
    again_seconds: ClassVar[float]
    idle_seconds: ClassVar[float]
    """Kept so long after it was last wanted."""

    def __init__(self, node: Node, keys: Keys, most: float = math.inf) -> None:
        self._node, self._keys, self._most = node, keys, most
        self._kept: dict[Place, asyncio.Task[None]] = {}
        self._wanted_at: dict[Place, float] = {}
        self._looking: asyncio.Task[None] | None = None
        self.restarts = 0
        """Of children that ended by themselves, since this process began."""
        self._log = logging.getLogger(f"tongtang.{self.child}")
        self.door = ""

    async def start(self) -> None:
        self._looking = asyncio.create_task(self._look())

    @property
    def count(self) -> int:
        return len(self._kept)

    async def close(self) -> None:
        tasks = [*self._kept.values(), *([self._looking] if self._looking else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # --- what differs -------------------------------------------------------------------------------------------------

    @abstractmethod
    def wanted(self, room: LiveRoom) -> Iterable[str]:
        """Seats that children are to take now."""

    @abstractmethod
    def order(self, room: LiveRoom, seat: str) -> dict[str, str]:
        """The one line of JSON that a child reads: no token stands in a process list."""

    @abstractmethod
    def ended(self, room: LiveRoom) -> None:
        """A child of this room is dead or going."""

    def over(self, room: LiveRoom) -> bool:
        """Whether its children go at once, however lately they were wanted."""
        return False

    # --- the same for all ---------------------------------------------------------------------------------------------

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            self._turn(time.monotonic())

    def _turn(self, now: float) -> None:
        for lesson, room in list(self._node.lives.items()):
            for seat in self.wanted(room) if not self._node.moves.left(lesson) else ():
                place = (lesson, seat)
                self._wanted_at[place] = now
                if place not in self._kept and len(self._kept) < self._most:
                    self._kept[place] = asyncio.create_task(self._keep(lesson, seat))
        for place in list(self._kept):
            held = self._node.lives.get(place[0])
            gone = held is None or self.over(held) or self._node.moves.left(place[0])
            if gone or now - self._wanted_at[place] > self.idle_seconds:
                self._kept.pop(place).cancel()
                del self._wanted_at[place]

    async def _keep(self, lesson: str, seat: str) -> None:
        while (room := self._node.lives.get(lesson)) is not None:
            await self._run(room, seat)
            self._log.warning("%s: %s %s ended; starting it again", lesson, self.child, seat)
            await asyncio.sleep(self.again_seconds)
            self.restarts += 1  # whose room is over does not come so far

    async def _run(self, room: LiveRoom, seat: str) -> None:
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"signaling.net.{self.child}",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
        )
        try:
            assert child.stdin is not None
            child.stdin.write(json.dumps(self.order(room, seat)).encode() + b"\n")
            await child.wait()
        finally:
            self.ended(room)
            await end(child)
