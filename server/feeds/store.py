"""SQL of feeds and of the lessons in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.errors import ForbiddenError
from server.feeds.models import Feed
from server.lessons.models import Lesson
from server.lessons.whose import Span, led_or_received, one_of, taught_or_assisted
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
    span = Span(start, end)
    mine = led_or_received([feed.room_id], span) if feed.room_id else taught_or_assisted([feed.person_id or ""], span)
    query = select(Lesson).where(one_of(mine), *span.holds(Lesson.starts_at))
    query = query.where(Lesson.state != "planned", Lesson.robots == 0)
    return list((await session.scalars(query.order_by(Lesson.starts_at, Lesson.id))).unique())
