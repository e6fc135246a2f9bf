"""SQL of invitations. A receiving school sees its own; the lead school and its district see those they sent."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.classrooms import store as classrooms
from server.classrooms.models import Classroom
from server.lessons import store as lessons
from server.lessons.models import Invitation, Lesson
from server.paging import Paging
from server.schools import store as schools
from server.schools.models import School
from server.scope import Scope


def visible(scope: Scope) -> ColumnElement[bool]:
    if scope.city or scope.system:
        return true()
    mine = select(School.id).where(schools.visible(scope))
    # one by one from the invitation's side: the other way around it would be every lesson of the term
    sent = exists().where(Classroom.id == Invitation.classroom_id, classrooms.visible(scope))
    of_lesson = exists().where(Lesson.id == Invitation.lesson_id, lessons.visible(scope))
    return or_(Invitation.school_id.in_(mine), sent, of_lesson)


async def invitation(session: AsyncSession, scope: Scope, invitation_id: str) -> Invitation | None:
    return await session.scalar(select(Invitation).where(Invitation.id == invitation_id, visible(scope)))


async def invitations(
    session: AsyncSession, scope: Scope, answers: Collection[str], page: int, size: int
) -> tuple[list[Invitation], Paging]:
    """What is due first stands first."""
    some = (visible(scope), Invitation.answer.in_(answers))
    count = await session.scalar(select(func.count()).select_from(Invitation).where(*some))
    paging = Paging(page, count or 0, size)
    query = select(Invitation).where(*some).order_by(Invitation.due_on, Invitation.id)
    return list(await session.scalars(query.offset(paging.offset).limit(size))), paging


async def of_classroom(session: AsyncSession, scope: Scope, classroom_id: str) -> list[Invitation]:
    query = select(Invitation).where(Invitation.classroom_id == classroom_id, Invitation.lesson_id.is_(None))
    return list(await session.scalars(query.where(visible(scope)).order_by(Invitation.asked_at)))


async def of_lesson(session: AsyncSession, scope: Scope, lesson_id: str) -> list[Invitation]:
    query = select(Invitation).where(Invitation.lesson_id == lesson_id)
    return list(await session.scalars(query.where(visible(scope)).order_by(Invitation.asked_at)))


async def pending(
    session: AsyncSession, scope: Scope, classroom_ids: Collection[str] = (), lesson_id: str | None = None
) -> list[Invitation]:
    """Questions still open, which a new one replaces."""
    query = select(Invitation).where(Invitation.answer == "pending")
    whole = and_(Invitation.classroom_id.in_(classroom_ids), Invitation.lesson_id.is_(None))
    return list(await session.scalars(query.where(whole if lesson_id is None else Invitation.lesson_id == lesson_id)))


async def pending_of(session: AsyncSession, scope: Scope, lesson_ids: Collection[str]) -> list[Invitation]:
    """Open questions about these lessons themselves."""
    query = select(Invitation).where(Invitation.answer == "pending", Invitation.lesson_id.in_(lesson_ids))
    return list(await session.scalars(query))


async def silent(session: AsyncSession, scope: Scope, today: date) -> list[Invitation]:
    """Not answered in time and not yet passed on."""
    query = select(Invitation).where(Invitation.answer == "pending", Invitation.due_on < today)
    return list(await session.scalars(query.where(Invitation.escalated_at.is_(None)).with_for_update()))


async def names(session: AsyncSession, scope: Scope, rows: Collection[Invitation]) -> dict[str, str]:
    """Of the schools that were asked and the people who answered, by id."""
    asked = select(School.id, School.short_name).where(School.id.in_({row.school_id for row in rows}))
    by = select(Person.id, Person.name).where(Person.id.in_({row.answered_by for row in rows if row.answered_by}))
    return {row[0]: row[1] for query in (asked, by) for row in await session.execute(query)}


async def school(session: AsyncSession, scope: Scope, school_id: str) -> School:
    return await session.get_one(School, school_id)


async def classroom(session: AsyncSession, scope: Scope, classroom_id: str | None) -> Classroom | None:
    return await session.get(Classroom, classroom_id) if classroom_id else None


async def lesson(session: AsyncSession, scope: Scope, lesson_id: str | None) -> Lesson | None:
    return await session.get(Lesson, lesson_id) if lesson_id else None


async def add(session: AsyncSession, scope: Scope, *rows: Invitation) -> None:
    session.add_all(rows)
    await session.flush()
