"""SQL of feeds and of the lessons in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.errors import ForbiddenError
from server.feeds.models import Feed
from server.lessons.models import Lesson, Receipt
from server.schools.models import Room, School
from server.scope import Scope


async def by_secret(session: AsyncSession, scope: Scope, sha256: str) -> Feed | None:
    """Whoever has the address has the feed: it is asked for by programs that cannot sign in. That of a disabled person,
    a closed room or a closed school is silent, as long as they are."""
    query = select(Feed).outerjoin(Person, Person.id == Feed.person_id).outerjoin(Room, Room.id == Feed.room_id)
    query = query.outerjoin(School, School.id == Room.school_id)
    query = query.where(Person.disabled_at.is_(None), Room.closed_on.is_(None), School.closed_on.is_(None))
    return await session.scalar(query.where(Feed.secret_sha256 == sha256, Feed.revoked_at.is_(None)))


async def standing(session: AsyncSession, scope: Scope, person: str | None, room: str | None) -> list[Feed]:
    """Feeds of the asker, or of a room the service has checked."""
    owner = Feed.room_id == room if room else Feed.person_id == (person or "")
    return list(await session.scalars(select(Feed).where(owner, Feed.revoked_at.is_(None))))


async def add(session: AsyncSession, scope: Scope, row: Feed) -> None:
    session.add(row)
    await session.flush()


async def lessons(session: AsyncSession, scope: Scope, feed: Feed, start: datetime, end: datetime) -> list[Lesson]:
    """Of the feed's person or room, called off ones too: a calendar must be told that they are."""
    if not scope.system:
        raise ForbiddenError
    if feed.room_id:
        received = select(Receipt.lesson_id).where(Receipt.room_id == feed.room_id)
        mine = or_(Lesson.lead_room_id == feed.room_id, Lesson.id.in_(received))
    else:
        received = select(Receipt.lesson_id).where(Receipt.assistant_id == feed.person_id)
        mine = or_(Lesson.teacher_id == feed.person_id, Lesson.id.in_(received))
    query = select(Lesson).where(
        mine, Lesson.starts_at >= start, Lesson.starts_at < end, Lesson.state != "planned", Lesson.robots == 0
    )
    return list((await session.scalars(query.order_by(Lesson.starts_at, Lesson.id))).unique())
