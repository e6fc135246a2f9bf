"""SQL of the front page. Strangers see what a notice board shows (title, subject, grade, time), not who or where."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.lessons.models import Lesson
from server.lessons.store import visible
from server.lessons.whose import LONGEST
from server.recordings.models import Recording
from server.schools.models import Room, School
from server.scope import Scope
from server.studios.models import Studio

NOTICE = ("published", "waiting", "live", "closed", "registered", "archived")


@dataclass(frozen=True, slots=True)
class Notice:
    """One lesson on the board. ``school``, ``teacher``: for those signed in. ``open``: inside the asker's scope."""

    id: str
    title: str
    subject: str
    grade: int
    state: str
    starts_at: datetime
    ends_at: datetime
    school: str | None
    teacher: str | None
    rooms: int
    open: bool


async def _notices(
    session: AsyncSession, scope: Scope, *where: ColumnElement[bool], newest: bool, most: int
) -> list[Notice]:
    order = Lesson.starts_at.desc() if newest else Lesson.starts_at.asc()
    query = select(Lesson, visible(scope)).where(Lesson.kind == "formal", *where).order_by(order, Lesson.id).limit(most)
    named = scope.person is not None  # a device is no reader
    return [_notice(row, named, bool(mine)) for row, mine in (await session.execute(query)).unique()]


def _notice(lesson: Lesson, named: bool, mine: bool) -> Notice:
    return Notice(
        id=lesson.id,
        title=lesson.title,
        subject=lesson.subject,
        grade=lesson.grade,
        state=lesson.state,
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        school=lesson.lead_room.school.short_name if named else None,
        teacher=lesson.teacher.name if named else None,
        rooms=len(lesson.receipts),
        open=mine,
    )


async def live(session: AsyncSession, scope: Scope, most: int) -> list[Notice]:
    return await _notices(session, scope, Lesson.state == "live", newest=False, most=most)


async def to_come(session: AsyncSession, scope: Scope, now: datetime, end: datetime, most: int) -> list[Notice]:
    """Lessons of today that are not over, the next first."""
    # what is not over began less than a day ago: lets the index on the start do the work
    within = (Lesson.starts_at >= now - LONGEST, Lesson.starts_at < end, Lesson.ends_at > now)
    return await _notices(session, scope, *within, Lesson.state.in_(NOTICE), newest=False, most=most)


async def over(session: AsyncSession, scope: Scope, start: datetime, now: datetime, most: int) -> list[Notice]:
    """Lessons of today that are over, the latest first."""
    within = (Lesson.starts_at >= start, Lesson.starts_at < now, Lesson.ends_at <= now)
    return await _notices(session, scope, *within, Lesson.state.in_(NOTICE), newest=True, most=most)


async def count_live(session: AsyncSession, scope: Scope) -> int:
    query = select(func.count()).select_from(Lesson).where(Lesson.kind == "formal", Lesson.state == "live")
    return await session.scalar(query) or 0


async def count_today(session: AsyncSession, scope: Scope, start: datetime, end: datetime) -> int:
    query = select(func.count()).select_from(Lesson).where(Lesson.kind == "formal", Lesson.state.in_(NOTICE))
    return await session.scalar(query.where(Lesson.starts_at >= start, Lesson.starts_at < end)) or 0


async def replays(session: AsyncSession, scope: Scope, now: datetime, most: int) -> list[Notice]:
    """Newest lessons with a recording that plays: looked for backwards from now, not among all recordings."""
    plays = exists().where(Recording.lesson_id == Lesson.id, Recording.duration_ms > 0, Recording.state == "closed")
    # one may be held before its hour
    return await _notices(session, scope, Lesson.starts_at < now + LONGEST, plays, newest=True, most=most)


async def studios(session: AsyncSession, scope: Scope, most: int) -> list[Studio]:
    """Studios with the most members first, one a subject before the second of any."""
    place = func.row_number().over(partition_by=(Studio.subject, Studio.phase), order_by=Studio.name).label("place")
    ranked = select(Studio.id, place).subquery()
    query = select(Studio).join(ranked, ranked.c.id == Studio.id).order_by(ranked.c.place, Studio.subject, Studio.name)
    return list((await session.scalars(query.limit(most))).unique())


async def counts(session: AsyncSession, scope: Scope) -> dict[str, int]:
    """Figures of the city for the head of the page; numbers only."""
    schools = select(func.count(func.distinct(School.id))).join(Room, Room.school_id == School.id)
    return {
        "schools": await session.scalar(schools.where(School.closed_on.is_(None))) or 0,
        "studios": await session.scalar(select(func.count()).select_from(Studio)) or 0,
    }
