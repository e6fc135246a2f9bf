"""SQL of changes. A change is seen by whoever sees its lesson."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.lessons import store as lessons
from server.lessons.models import Lesson, LessonChange, Receipt
from server.participation.models import Attendance
from server.schools.models import Room
from server.scope import Scope


async def add(session: AsyncSession, scope: Scope, row: LessonChange) -> None:
    session.add(row)
    await session.flush()


async def of_lesson(session: AsyncSession, scope: Scope, lesson_id: str) -> list[LessonChange]:
    query = select(LessonChange).join(Lesson, Lesson.id == LessonChange.lesson_id)
    query = query.where(LessonChange.lesson_id == lesson_id, lessons.visible(scope))
    return list(await session.scalars(query.order_by(LessonChange.at, LessonChange.id)))


async def of_batch(session: AsyncSession, scope: Scope, batch: str) -> list[LessonChange]:
    query = select(LessonChange).join(Lesson, Lesson.id == LessonChange.lesson_id)
    query = query.where(LessonChange.batch == batch, lessons.visible(scope))
    return list(await session.scalars(query.order_by(LessonChange.at.desc(), LessonChange.id)))


async def locked(session: AsyncSession, scope: Scope, ids: Collection[str]) -> list[Lesson]:
    """Rows in the order of their ids, so that two batches never wait for each other crosswise."""
    query = select(Lesson).where(Lesson.id.in_(ids), lessons.visible(scope)).order_by(Lesson.id)
    return list((await session.scalars(query.with_for_update(of=Lesson))).unique())


async def of_school(
    session: AsyncSession, scope: Scope, school_id: str, start: datetime, end: datetime, states: Sequence[str]
) -> list[Lesson]:
    """Lessons that a school leads or receives and that start in [start, end)."""
    rooms = select(Room.id).where(Room.school_id == school_id)
    received = select(Receipt.lesson_id).where(Receipt.room_id.in_(rooms))
    query = select(Lesson).where(Lesson.starts_at >= start, Lesson.starts_at < end, Lesson.state.in_(states))
    query = query.where(or_(Lesson.lead_room_id.in_(rooms), Lesson.id.in_(received)), lessons.visible(scope))
    return list((await session.scalars(query.order_by(Lesson.starts_at, Lesson.id))).unique())


async def repaying(session: AsyncSession, scope: Scope, lesson_id: str) -> Lesson | None:
    """The lesson that repays a cancelled one, called off ones left out."""
    query = select(Lesson).where(Lesson.repays_id == lesson_id, Lesson.state != "cancelled")
    return await session.scalar(query.limit(1))


async def of_classroom(session: AsyncSession, scope: Scope, classroom_id: str, until: datetime) -> list[Lesson]:
    query = select(Lesson).where(Lesson.classroom_id == classroom_id, Lesson.kind == "formal", lessons.visible(scope))
    return list((await session.scalars(query.where(Lesson.ends_at <= until).order_by(Lesson.starts_at))).unique())


async def received(session: AsyncSession, scope: Scope, lesson_ids: Collection[str]) -> set[tuple[str, str]]:
    """(lesson, room) of effective receipts."""
    query = select(Attendance.lesson_id, Attendance.room_id)
    rows = await session.execute(query.where(Attendance.lesson_id.in_(lesson_ids), Attendance.effective))
    return {(row.lesson_id, row.room_id) for row in rows}
