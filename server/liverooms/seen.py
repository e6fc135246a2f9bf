"""How live rooms fare, asked from their nodes: each peer's last minutes, ready for a table and its spark lines.

Rights: the rooms are those of lessons the asker may see, and only for posts that look after lines (``live.read``). A
node that does not answer in time leaves its rooms without figures, never the page without rooms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from server.encoders import service as encoders
from server.errors import ForbiddenError
from server.lessons import service as lessons
from server.lessons import store
from server.lessons.models import Lesson, Node
from server.lessons.schemas import LessonFilter
from server.lessons.whose import LONGEST
from server.live import NodeRefusedError, Nodes, NodeUnreachableError
from server.liverooms.spark import Spark, spark
from server.paging import PAGE_ROWS, Paging
from server.scope import SYSTEM, Scope, allows

# Beyond these a figure is shown as bad; conversation suffers (signaling/participant.py has the same borders).
BAD_RTT_MS, BAD_LOSS, BAD_JITTER_MS = 250.0, 0.03, 60.0


class Row(BaseModel):
    """As ``signaling/seen.py`` tells it."""

    model_config = ConfigDict(extra="ignore")
    at_ms: int
    rtt_ms: float | None = None
    loss: float | None = None
    jitter_ms: float | None = None
    up_loss: float | None = None
    up_jitter_ms: float | None = None
    estimate: int | None = None
    down: int = 0
    up: int = 0
    freezes: int = 0
    resent: int = 0
    gets: str | None = None

    @property
    def lost(self) -> float | None:
        """The worse of both ways."""
        return max((way for way in (self.loss, self.up_loss) if way is not None), default=None)


class Peer(BaseModel):
    model_config = ConfigDict(extra="ignore")
    seat: str
    role: str
    name: str
    school: str
    room: str | None
    here: bool
    paths: list[str]
    sends: list[str]
    rows: list[Row]

    @property
    def now(self) -> Row:
        return self.rows[-1]

    @property
    def freezes(self) -> int:
        """Of all the minutes shown."""
        return sum(row.freezes for row in self.rows)

    @property
    def bad(self) -> bool:
        """Somebody should look at this line."""
        now = self.now
        return self.here and (
            (now.rtt_ms or 0) > BAD_RTT_MS or (now.lost or 0) > BAD_LOSS or now.gets in ("low", "stills", "sound")
        )

    def line(self, figure: str) -> Spark:
        return spark([getattr(row, figure) for row in self.rows])


@dataclass(frozen=True, slots=True)
class LiveRoom:
    """``peers`` None: its node does not answer."""

    lesson: Lesson
    node: Node | None
    epoch: int
    peers: list[Peer] | None
    sources: Mapping[str, str] = field(default_factory=dict)
    """How fetching from a classroom's camera goes, by the room's id (``encoders.service.STATES``)."""

    @property
    def cameras(self) -> list[tuple[str, str, str]]:
        """(classroom, how it goes, how bad that is) of those that do not send."""
        rooms = [self.lesson.lead_room, *(receipt.room for receipt in self.lesson.receipts)]
        states = [(f"{room.school.short_name} {room.name}", self.sources.get(room.id, "sending")) for room in rooms]
        return [(name, state, encoders.STATES[state]) for name, state in states if state != "sending"]

    @property
    def troubled(self) -> int:
        return sum(1 for peer in self.peers or () if peer.bad)


def may_look(scope: Scope, lesson: Lesson) -> bool:
    return allows(scope, "live.read", lessons.whole_part(lesson))


async def placed(session: AsyncSession, scope: Scope, found: Sequence[Lesson]) -> list[LiveRoom]:
    """Where these lessons' rooms are; those that are nowhere left out."""
    held = await store.placements(session, SYSTEM, [lesson.id for lesson in found])
    nodes = {node.id: node for node in await store.nodes(session, SYSTEM)}
    return [
        LiveRoom(lesson, nodes.get(held[lesson.id].node_id), held[lesson.id].epoch, None)
        for lesson in found
        if lesson.id in held
    ]


async def running(
    session: AsyncSession, scope: Scope, now: datetime, page: int = 1, size: int = PAGE_ROWS
) -> tuple[list[LiveRoom], Paging]:
    """Rooms that people are in or may be in, by when they begin. Their nodes are asked for one page only."""
    if not allows(scope, "live.read"):
        raise ForbiddenError

    async def part(number: int) -> tuple[list[Lesson], int]:
        first, last = now - LONGEST, now + LONGEST
        wanted = LessonFilter(starts_from=first, starts_before=last, states=("waiting", "live"), limit=size)
        return await lessons.find_lessons(session, scope, wanted.model_copy(update={"offset": (number - 1) * size}))

    found, count = await part(page)
    paging = Paging(page, count, size)
    if count and not found:
        found, _ = await part(paging.page)
    return await placed(session, scope, [lesson for lesson in found if may_look(scope, lesson)]), paging


async def one(session: AsyncSession, scope: Scope, lesson_id: str) -> LiveRoom | None:
    lesson = await lessons.get_lesson(session, scope, lesson_id)
    if not may_look(scope, lesson):
        raise ForbiddenError
    return next(iter(await placed(session, scope, [lesson])), None)


async def ask(nodes: Nodes, rooms: Sequence[LiveRoom]) -> list[LiveRoom]:
    """The same rooms with what their nodes say; all nodes at once."""
    told = await asyncio.gather(*(_ask(nodes, room) for room in rooms))
    return [replace(room, peers=peers, sources=sources) for room, (peers, sources) in zip(rooms, told, strict=True)]


async def _ask(nodes: Nodes, room: LiveRoom) -> tuple[list[Peer] | None, dict[str, str]]:
    if room.node is None:
        return None, {}
    try:
        told: dict[str, Any] = await nodes.seen(room.node, room.lesson.id)
        peers = [Peer.model_validate(peer) for peer in told.get("peers", []) if peer.get("rows")]
    except (NodeUnreachableError, NodeRefusedError, ValidationError):
        return None, {}
    return peers, {id_: encoders.known_state(state) for id_, state in told.get("sources", {}).items()}
