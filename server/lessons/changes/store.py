"""SQL of changes. A change is seen by whoever sees its lesson."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.ids import new_id
from server.lessons import store as lessons
from server.lessons.models import Lesson, LessonChange
from server.lessons.whose import Span, led_or_received, one_of
from server.participation.models import Attendance
from server.schools.models import Room, School
from server.scope import Scope


async def add(session: AsyncSession, scope: Scope, row: LessonChange) -> None:
    session.add(row)
    await session.flush()


async def add_all(session: AsyncSession, scope: Scope, rows: Sequence[dict[str, Any]]) -> None:
    """Changes of many lessons as one set, told to the audit log as one for each district."""
    if rows:
        await session.execute(insert(LessonChange), [{"id": new_id(), **row} for row in rows])


async def of_lesson(session: AsyncSession, scope: Scope, lesson_id: str) -> list[LessonChange]:
    query = select(LessonChange).join(Lesson, Lesson.id == LessonChange.lesson_id)
    query = query.where(LessonChange.lesson_id == lesson_id, lessons.visible(scope))
    return list(await session.scalars(query.order_by(LessonChange.at, LessonChange.id)))


async def of_batch(session: AsyncSession, scope: Scope, batch: str) -> list[LessonChange]:
    query = select(LessonChange).join(Lesson, Lesson.id == LessonChange.lesson_id)
    query = query.where(LessonChange.batch == batch, lessons.visible(scope))
    return list(await session.scalars(query.order_by(LessonChange.at.desc(), LessonChange.id)))


async def locked(session: AsyncSession, scope: Scope, ids: Collection[str]) -> list[Lesson]:
    """Rows as they are now, in the order of their ids, so that two batches never wait for each other crosswise."""
    query = select(Lesson).where(Lesson.id.in_(ids), lessons.visible(scope)).order_by(Lesson.id)
    return list(
        (await session.scalars(query.with_for_update(of=Lesson).execution_options(populate_existing=True))).unique()
    )


async def of_school(
    session: AsyncSession, scope: Scope, school_id: str, start: datetime, end: datetime, states: Sequence[str]
) -> list[Lesson]:
    """Lessons that a school leads or receives and that start in [start, end)."""
    rooms = select(Room.id).where(Room.school_id == school_id)
    span = Span(start, end)
    query = select(Lesson).where(*span.holds(Lesson.starts_at), Lesson.state.in_(states))
    query = query.where(one_of(led_or_received(rooms, span)), lessons.visible(scope))
    return list((await session.scalars(query.order_by(Lesson.starts_at, Lesson.id))).unique())


async def named(session: AsyncSession, scope: Scope, ids: Collection[str]) -> list[Lesson]:
    query = select(Lesson).where(Lesson.id.in_(ids), lessons.visible(scope))
    return list((await session.scalars(query.order_by(Lesson.starts_at, Lesson.id))).unique())


def closed(districts: Collection[str], ids: Collection[str]) -> ColumnElement[bool]:
    """Schools of a 停课令: those named, and those that stand in a district or that it answers for."""
    return or_(School.located_in.in_(districts), School.supervised_by.in_(districts), School.id.in_(ids))


async def of_area(
    session: AsyncSession,
    scope: Scope,
    area: ColumnElement[bool] | None,
    start: datetime,
    end: datetime,
    states: Sequence[str],
    most: int,
) -> list[Lesson]:
    """Lessons that schools of an area lead or receive (None: all) and that start in [start, end); rehearsals with
    robots need no school."""
    span = Span(start, end)
    query = select(Lesson).where(*span.holds(Lesson.starts_at), Lesson.state.in_(states))
    query = query.where(lessons.among(scope, span), Lesson.robots == 0)
    if area is not None:
        rooms = select(Room.id).join(School, School.id == Room.school_id).where(area)
        query = query.where(one_of(led_or_received(rooms, span)))
    return list((await session.scalars(query.order_by(Lesson.starts_at, Lesson.id).limit(most))).unique())


async def schools(session: AsyncSession, scope: Scope, ids: Collection[str]) -> list[School]:
    return list(await session.scalars(select(School).where(School.id.in_(ids)))) if ids else []


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
