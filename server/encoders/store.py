"""SQL of stream keys and sources. Rooms are looked up by ``schools``, narrowed by scope; here the room is known."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.encoders.models import RoomSource, StreamKey
from server.errors import ForbiddenError
from server.lessons.lifecycle import OPEN
from server.lessons.models import Lesson, Node, Placement, Receipt
from server.lessons.store import visible
from server.scope import Scope


async def keys(session: AsyncSession, scope: Scope, rooms: Collection[str]) -> list[StreamKey]:
    """Those that hold, oldest first."""
    query = select(StreamKey).where(StreamKey.room_id.in_(rooms), StreamKey.revoked_at.is_(None))
    return list((await session.scalars(query.order_by(StreamKey.created_at))).unique())


async def key(session: AsyncSession, scope: Scope, room: str, key_id: str) -> StreamKey | None:
    return await session.scalar(select(StreamKey).where(StreamKey.id == key_id, StreamKey.room_id == room))


async def source(session: AsyncSession, scope: Scope, room: str) -> RoomSource | None:
    return await session.get(RoomSource, room)


async def sources(session: AsyncSession, scope: Scope, rooms: Collection[str]) -> list[RoomSource]:
    return list((await session.scalars(select(RoomSource).where(RoomSource.room_id.in_(rooms)))).unique())


async def all_sources(session: AsyncSession, scope: Scope) -> list[RoomSource]:
    """For our own jobs."""
    if not scope.system:
        raise ForbiddenError
    return list((await session.scalars(select(RoomSource))).unique())


async def add(session: AsyncSession, scope: Scope, row: StreamKey | RoomSource) -> None:
    session.add(row)
    await session.flush()


async def remove(session: AsyncSession, scope: Scope, row: RoomSource) -> None:
    await session.delete(row)


async def placed(session: AsyncSession, scope: Scope, room: str) -> Sequence[tuple[Lesson, Placement, Node]]:
    """Lessons of this room that have a live room now."""
    received = exists().where(Receipt.lesson_id == Lesson.id, Receipt.room_id == room)
    query = (
        select(Lesson, Placement, Node)
        .join(Placement, Placement.lesson_id == Lesson.id)
        .join(Node, Node.id == Placement.node_id)
        .where(visible(scope), Lesson.state.in_(OPEN), or_(Lesson.lead_room_id == room, received))
    )
    return [(lesson, held, node) for lesson, held, node in (await session.execute(query)).unique()]


async def lesson_now(session: AsyncSession, scope: Scope, room: str, since: datetime, until: datetime) -> str | None:
    """The lesson this room is in, or the next that begins before ``until``."""
    received = exists().where(Receipt.lesson_id == Lesson.id, Receipt.room_id == room)
    running = and_(Lesson.ends_at > since, Lesson.starts_at < until)
    query = (
        select(Lesson.id)
        .where(visible(scope), Lesson.state.in_(OPEN), or_(Lesson.lead_room_id == room, received))
        .where(or_(Lesson.state == "live", running))
        .order_by((Lesson.state == "live").desc(), Lesson.starts_at)
        .limit(1)
    )
    return await session.scalar(query)
