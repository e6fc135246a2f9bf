"""Lessons as a timetable makes them: rows from a classroom and a time, and the ones that were made before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import lazyload, selectinload

from server.classrooms.models import Classroom
from server.clock import CITY
from server.errors import ForbiddenError
from server.ids import new_id
from server.lessons.models import Lesson, Receipt, receipts_of
from server.scope import Scope
from server.timetable.service import Dated


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY)


async def by_origin(session: AsyncSession, scope: Scope, classrooms: Sequence[str], now: datetime) -> dict[str, Lesson]:
    """Lessons that came from these classrooms' slots and have not begun, by origin. A moved one is found too."""
    if not scope.system:
        raise ForbiddenError
    query = select(Lesson).where(Lesson.classroom_id.in_(classrooms), Lesson.origin.is_not(None))
    query = query.where(Lesson.starts_at > now).options(lazyload("*"), selectinload(Lesson.receipts).lazyload("*"))
    return {lesson.origin or "": lesson for lesson in await session.scalars(query)}


def make(classroom: Classroom, when: Dated, origin: str, by: str | None, now: datetime) -> list[Lesson | Receipt]:
    lesson = Lesson(
        id=new_id(),
        classroom_id=classroom.id,
        title=classroom.name,
        subject=classroom.subject,
        grade=classroom.grade,
        kind="formal",
        form="delivery",
        state="published",
        lead_room_id=classroom.lead_room_id,
        teacher_id=classroom.lead_teacher_id,
        starts_at=when.starts_at,
        ends_at=when.ends_at,
        created_by=by,
        created_at=now,
        origin=origin,
        demo=classroom.demo,
    )
    return [lesson, *receipts(lesson.id, classroom)]


def receipts(lesson_id: str, classroom: Classroom) -> list[Receipt]:
    return receipts_of(lesson_id, ((one.room, one.assistant_id, one.school_class) for one in classroom.receivers))


def differs(lesson: Lesson, classroom: Classroom, when: Dated) -> bool:
    """Whether the timetable now says something else than this lesson does."""
    held = (lesson.starts_at, lesson.ends_at, lesson.teacher_id, lesson.lead_room_id)
    wanted = (when.starts_at, when.ends_at, classroom.lead_teacher_id, classroom.lead_room_id)
    places = [(one.room_id, one.assistant_id, one.class_id) for one in lesson.receipts]
    return held != wanted or places != [(one.room_id, one.assistant_id, one.class_id) for one in classroom.receivers]


async def replace_receipts(session: AsyncSession, scope: Scope, lesson: Lesson, rows: Sequence[Receipt]) -> None:
    old = delete(Receipt).where(Receipt.lesson_id == lesson.id).execution_options(synchronize_session=False)
    await session.execute(old)
    session.add_all(rows)
    await session.flush()
    session.expire(lesson, ["receipts"])
