"""SQL of notices. Everybody reads their own and nobody else's; whom to ring is asked by who answers for a school."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.lessons import store as lessons
from server.lessons.models import Lesson
from server.notices.models import Notice, NoticeBell
from server.schools.models import School
from server.scope import Scope

Bell = tuple[str, datetime]
"""A lesson's id, and the moment when its class gathers."""
TOLD_AT_SCHOOL = ("school_admin", "dean")


async def add(session: AsyncSession, scope: Scope, *rows: Notice, bells: Mapping[str, Collection[Bell]]) -> None:
    """``bells`` by person."""
    session.add_all(rows)
    await session.flush()
    for row in rows:
        held = sorted(bells.get(row.person_id, ()))
        session.add_all(NoticeBell(notice_id=row.id, lesson_id=lesson, at=at) for lesson, at in held)
    await session.flush()


async def add_bells(session: AsyncSession, scope: Scope, notice_id: str, bells: Iterable[Bell]) -> None:
    """Those that a notice does not have yet."""
    query = select(NoticeBell.lesson_id, NoticeBell.at).where(NoticeBell.notice_id == notice_id)
    held = {(lesson, at) for lesson, at in await session.execute(query)}
    new = sorted(set(bells) - held)
    session.add_all(NoticeBell(notice_id=notice_id, lesson_id=lesson, at=at) for lesson, at in new)
    await session.flush()


async def sweep_bells(session: AsyncSession, scope: Scope, before: datetime) -> None:
    """Nobody is rung of bells that have rung."""
    await session.execute(delete(NoticeBell).where(NoticeBell.at < before))


async def mine(session: AsyncSession, scope: Scope, offset: int, limit: int) -> list[Notice]:
    """Unread ones first, the newest first."""
    query = select(Notice).where(Notice.person_id == (scope.person or ""))
    query = query.order_by(Notice.read_at.is_not(None), Notice.at.desc(), Notice.id).offset(offset).limit(limit)
    return list(await session.scalars(query))


async def since(
    session: AsyncSession, scope: Scope, people: Collection[str], keys: Collection[str], moment: datetime
) -> list[Notice]:
    """What these people were told since; for our own rules, which go on telling them."""
    query = select(Notice).where(Notice.person_id.in_(people), Notice.key.in_(keys), Notice.at >= moment)
    return list(await session.scalars(query.order_by(Notice.at, Notice.id))) if scope.system else []


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
    """Notices not read, of lessons that the asker sees, with a bell in [start, end); with the school where the person
    works. Who was replaced is among them: they would come for nothing."""
    query = (
        select(Notice, Person, Lesson, School)
        .join(NoticeBell, NoticeBell.notice_id == Notice.id)
        .join(Person, Person.id == Notice.person_id)
        .join(School, School.id == Person.school_id)
        .join(Lesson, Lesson.id == NoticeBell.lesson_id)
        .where(Notice.read_at.is_(None), NoticeBell.at >= start, NoticeBell.at < end, lessons.visible(scope))
        .order_by(NoticeBell.at, Notice.at)
    )
    return [(row[0], row[1], row[2], row[3]) for row in (await session.execute(query)).unique()]
