"""Moving a live room to another node on command, or all rooms off a node that is about to stop.

The old node holds the room still and ships its log; the new one takes it up from there under a higher epoch; only then
is the new place written down, and everybody told. Whatever fails before that leaves the lesson where it was: the old
node goes on by itself.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import datetime

from server.clock import Clock
from server.database import Database
from server.encoders.housing import open_room
from server.errors import ConflictError, InvalidError, TongtangError, UnavailableError
from server.lessons import placement, store
from server.lessons.models import Lesson, Node, Placement
from server.lessons.seating import room_spec
from server.live import NodeRefusedError, Nodes, NodeUnreachableError
from server.scope import SYSTEM

AT_ONCE = 4
"""Rooms of a draining node that move at the same time: each costs its people a handshake with the new node."""

log = logging.getLogger("tongtang.moving")


@dataclass(frozen=True, slots=True)
class Moved:
    lesson: str
    epoch: int
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class _Way:
    """Decided, not done."""

    lesson: Lesson
    epoch: int
    old: Node
    new: Node


class Mover:
    def __init__(self, database: Database, nodes: Nodes, clock: Clock) -> None:
        self._database, self._nodes, self._clock = database, nodes, clock

    async def move(self, lesson_id: str, to: str | None = None) -> Moved:
        """To this node, or to the least loaded other one. Rights are the caller's to check."""
        way = await self._decide(lesson_id, to)
        try:
            await self._nodes.hand_over(way.old, lesson_id, way.epoch - 1)
            await open_room(self._database, self._nodes, way.new, room_spec(way.lesson, way.epoch))
        except (NodeUnreachableError, NodeRefusedError) as error:
            log.warning("%s stays on %s: %s", lesson_id, way.old.id, error)
            raise UnavailableError("room_stays") from error
        if not await self._write_down(way, self._clock.now()):
            await self._call_off(way)
            raise ConflictError("room_stays")
        try:
            await self._nodes.tell_moved(way.old, lesson_id, way.epoch)
        except (NodeUnreachableError, NodeRefusedError) as error:
            log.warning("%s hears of it with its next heartbeat: %s", way.old.id, error)
        return Moved(lesson_id, way.epoch, way.old.id, way.new.id)

    async def drain(self, node_id: str) -> tuple[list[str], list[str]]:
        """Lessons that moved, and those that could not. No room comes to this node from now on."""
        async with self._database.transaction() as session:
            await store.drain_node(session, SYSTEM, node_id)
        async with self._database.reading() as session:
            lessons = await store.lessons_on(session, SYSTEM, node_id)
        gate = asyncio.Semaphore(AT_ONCE)
        done = await asyncio.gather(*(self._try(lesson, gate) for lesson in lessons))
        pairs = list(zip(lessons, done, strict=True))
        return [lesson for lesson, moved in pairs if moved], [lesson for lesson, moved in pairs if not moved]

    async def _try(self, lesson: str, gate: asyncio.Semaphore) -> bool:
        async with gate:
            try:
                await self.move(lesson)
            except TongtangError as error:
                log.warning("%s cannot be moved: %s", lesson, error.key)
                return False
            return True

    async def _decide(self, lesson_id: str, to: str | None) -> _Way:
        now = self._clock.now()
        async with self._database.reading() as session:
            lesson = await store.lesson(session, SYSTEM, lesson_id)
            held = await store.placement(session, SYSTEM, lesson_id)
            nodes = await store.nodes(session, SYSTEM)
            near = await store.nodes_near(session, SYSTEM, lesson) if lesson else frozenset()
        old = next((node for node in nodes if held is not None and node.id == held.node_id), None)
        if lesson is None or held is None or old is None:
            raise ConflictError("room_nowhere")
        if to is not None and (to == old.id or to not in {node.id for node in nodes}):
            raise InvalidError("node_other", field="to")
        others = [node for node in nodes if to is None or node.id == to]
        new = placement.choose(others, now, frozenset({old.id}), near)
        if new is None:
            raise UnavailableError("node_no_other")
        return _Way(lesson, held.epoch + 1, old, new)

    async def _write_down(self, way: _Way, now: datetime) -> bool:
        async with self._database.transaction() as session:
            await store.lesson(session, SYSTEM, way.lesson.id, lock=True)
            held = await store.placement(session, SYSTEM, way.lesson.id)
            if not _still(held, way):
                return False
            assert held is not None
            held.epoch, held.node_id, held.placed_at = way.epoch, way.new.id, now
        return True

    async def _call_off(self, way: _Way) -> None:
        """Somebody else placed the room meanwhile: what the new node opened is nobody's."""
        try:
            await self._nodes.close_room(way.new, way.lesson.id, way.epoch, "epoch")
        except (NodeUnreachableError, NodeRefusedError) as error:
            log.warning("%s closes %s with its next heartbeat: %s", way.new.id, way.lesson.id, error)


def _still(held: Placement | None, way: _Way) -> bool:
    return held is not None and held.epoch == way.epoch - 1 and held.node_id == way.old.id
