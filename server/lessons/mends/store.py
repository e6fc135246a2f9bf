"""SQL of 补签. Who sees a lesson sees what was made good of it; who may ask and answer, the service says."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import and_, exists, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.lessons import store as lessons
from server.lessons.models import Lesson, Mend, Receipt
from server.participation.models import Attendance
from server.scope import Scope

STATES = ("closed", "disputed")
"""Over and not yet registered."""


async def add(session: AsyncSession, scope: Scope, row: Mend) -> None:
    session.add(row)
    await session.flush()


async def mend(session: AsyncSession, scope: Scope, mend_id: str) -> Mend | None:
    query = select(Mend).join(Lesson, Lesson.id == Mend.lesson_id).where(Mend.id == mend_id, lessons.visible(scope))
    return await session.scalar(query)


async def of_lessons(session: AsyncSession, scope: Scope, ids: Collection[str]) -> list[Mend]:
    query = select(Mend).join(Lesson, Lesson.id == Mend.lesson_id)
    query = query.where(Mend.lesson_id.in_(ids), lessons.visible(scope))
    return list(await session.scalars(query.order_by(Mend.asked_at, Mend.id)))


async def reason(session: AsyncSession, scope: Scope, lesson_id: str, room_id: str) -> str | None:
    """Why a receipt is not effective."""
    query = select(Attendance.reason).where(Attendance.lesson_id == lesson_id, Attendance.room_id == room_id)
    return await session.scalar(query)


async def missing(
    session: AsyncSession, scope: Scope, since: datetime, lesson_id: str | None, most: int
) -> list[tuple[Lesson, Receipt]]:
    """Receipts of 正式 lessons closed since then that only lack their sign-in and were not made good, oldest first.
    What was computed before cannot be of them: every desk asks this, and by that index it reads a few hundred rows."""
    held = aliased(Receipt)  # "visible" asks for receipts of its own
    good = exists().where(Mend.lesson_id == Lesson.id, Mend.room_id == held.room_id, Mend.answer == "approved")
    query = (
        select(Lesson, held)
        .join(held, held.lesson_id == Lesson.id)
        .join(Attendance, and_(Attendance.lesson_id == Lesson.id, Attendance.room_id == held.room_id))
        .where(Lesson.kind == "formal", Lesson.state.in_(STATES), Lesson.closed_at >= since)
        .where(Attendance.reason == "unsigned", Attendance.computed_at >= since, ~good, lessons.visible(scope))
        .order_by(Lesson.closed_at, held.id)
        .limit(most)
    )
    if lesson_id is not None:
        query = query.where(Lesson.id == lesson_id)
    return [(row[0], row[1]) for row in (await session.execute(query)).unique()]
