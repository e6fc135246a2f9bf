"""SQL of notices. Everybody reads their own and nobody else's; whom to ring is asked by who answers for a school."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.lessons import store as lessons
from server.lessons.models import Lesson
from server.notices.models import Notice
from server.schools.models import School
from server.scope import Scope

TOLD_AT_SCHOOL = ("school_admin", "dean")


async def add(session: AsyncSession, scope: Scope, *rows: Notice) -> None:
    session.add_all(rows)
    await session.flush()


async def mine(session: AsyncSession, scope: Scope, offset: int, limit: int) -> list[Notice]:
    """Unread ones first, the newest first."""
    query = select(Notice).where(Notice.person_id == (scope.person or ""))
    query = query.order_by(Notice.read_at.is_not(None), Notice.at.desc(), Notice.id).offset(offset).limit(limit)
    return list(await session.scalars(query))


async def count(session: AsyncSession, scope: Scope, *, unread: bool) -> int:
    query = select(func.count()).select_from(Notice).where(Notice.person_id == (scope.person or ""))
    return await session.scalar(query.where(Notice.read_at.is_(None)) if unread else query) or 0


async def notice(session: AsyncSession, scope: Scope, notice_id: str) -> Notice | None:
    return await session.scalar(select(Notice).where(Notice.id == notice_id, Notice.person_id == (scope.person or "")))


async def read_all(session: AsyncSession, scope: Scope, now: datetime) -> None:
    mine = update(Notice).where(Notice.person_id == (scope.person or ""), Notice.read_at.is_(None))
    await session.execute(mine.values(read_at=now))


async def holders(session: AsyncSession, scope: Scope, schools: Collection[str], day: date) -> list[str]:
    """Who is told for a school: its administrators and 教务主任."""
    return await _holding(session, PostHeld.school_id.in_(schools), TOLD_AT_SCHOOL, day)


async def district_holders(session: AsyncSession, scope: Scope, districts: Collection[str], day: date) -> list[str]:
    return await _holding(session, PostHeld.district_id.in_(districts), ("district_admin",), day)


async def city_holders(session: AsyncSession, scope: Scope, day: date) -> list[str]:
    return await _holding(session, True, ("city_admin",), day)


async def _holding(session: AsyncSession, where: object, posts: Collection[str], day: date) -> list[str]:
    query = select(PostHeld.person_id).where(PostHeld.post.in_(posts), held_on(day), where)  # type: ignore[arg-type]
    query = query.join(Person, Person.id == PostHeld.person_id).where(Person.disabled_at.is_(None))
    return sorted(set(await session.scalars(query)))


async def to_ring(
    session: AsyncSession, scope: Scope, start: datetime, end: datetime
) -> list[tuple[Notice, Person, Lesson, School]]:
    """Notices not read by who teaches or assists, of lessons that the asker sees and that begin in [start, end); with
    the school where the person works."""
    query = (
        select(Notice, Person, Lesson, School)
        .join(Person, Person.id == Notice.person_id)
        .join(School, School.id == Person.school_id)
        .join(Lesson, Lesson.id == Notice.lesson_id)
        .where(Notice.read_at.is_(None), Lesson.starts_at >= start, Lesson.starts_at < end)
        .where(lessons.visible(scope), or_(Lesson.teacher_id == Person.id, Lesson.receipts.any(assistant_id=Person.id)))
        .order_by(Lesson.starts_at, Notice.at)
    )
    return [(row[0], row[1], row[2], row[3]) for row in (await session.execute(query)).unique()]
