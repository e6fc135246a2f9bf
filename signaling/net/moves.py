"""Rooms on their way from this node to another, with nobody pressing a key.

    1 hand over   the room holds still (no op), its log is shipped whole; picture, sound and recording go on
    2 (the web)   a new epoch, the room opened on the other node from what was shipped
    3 gone        everybody is told; they join there, then their old connections end; who is left is put out.
                  Encoders and players cannot be told: theirs end at once, and they come again by the web's address

Rule: nothing is given up before the other node has the room. If 3 does not come, the room goes on here.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Protocol

from signaling.net.host import RoomHost
from signaling.net.shipper import OpShipper
from signaling.ops import HANDOVER

log = logging.getLogger("tongtang.node")

HOLD_SECONDS = 10.0
"""The web needs a second for step 2; if it dies in between, the lesson must not stand still longer than this."""
SHIP_SECONDS = 3.0
LINGER_SECONDS = 8.0
"""After 3 the old connections are kept so long for those whose way to the other node is slow."""


class HandoverError(Exception):
    """The room cannot be handed over now: its log does not reach the store. It goes on here."""


class Rooms(Protocol):
    """What this needs of ``signaling.net.node.Node``."""

    ops: OpShipper

    def host(self, lesson: str) -> RoomHost | None: ...


@dataclass(slots=True)
class _Move:
    host: RoomHost
    deadline: float
    gone: bool = False


class Moves:
    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms
        self._moves: dict[str, _Move] = {}

    async def hand_over(self, host: RoomHost) -> int:
        """The seq of the last op that the other node will find."""
        live = host.live
        if not live.held:
            host.do([live.write(HANDOVER, {}, time.monotonic())])
            live.held = True
        self._moves[live.lesson] = _Move(host, time.monotonic() + HOLD_SECONDS)
        try:
            async with asyncio.timeout(SHIP_SECONDS):
                await host.settle()
                await self._rooms.ops.ship()
        except Exception as error:
            self._go_on(live.lesson)
            raise HandoverError from error
        return live.log.state.seq

    def gone(self, lesson: str, epoch: int) -> bool:
        """The other node has it: everybody there."""
        move = self._moves.get(lesson)
        if move is None:
            return False
        if not move.gone:
            move.gone, move.deadline = True, time.monotonic() + LINGER_SECONDS
            live = move.host.live
            move.host.do(live.moved(epoch))
            for resource in live.lobby.resources():
                move.host.do(live.http_delete(resource, time.monotonic()))
        return True

    def left(self, lesson: str) -> bool:
        """Whether its people were told to go: nothing is fetched or brought in here any more."""
        move = self._moves.get(lesson)
        return move is not None and move.gone

    def tick(self, now: float) -> None:
        for lesson, move in list(self._moves.items()):
            live = move.host.live
            if live.over or self._rooms.host(lesson) is not move.host:
                del self._moves[lesson]
            elif move.gone and (now > move.deadline or live.empty()):
                del self._moves[lesson]
                move.host.do(live.close("moved", now))
            elif not move.gone and now > move.deadline:
                log.warning("%s: nobody took it; it goes on here", lesson)
                self._go_on(lesson)

    def _go_on(self, lesson: str) -> None:
        if move := self._moves.pop(lesson, None):
            move.host.live.held = False
