"""All SQL of terms, calendar and weekly slots. Terms and the calendar are public; slots follow their classroom."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.scope import Scope
from server.timetable.models import CalendarDay, Term, WeeklySlot


async def term_on(session: AsyncSession, scope: Scope, day: date) -> Term | None:
    """The term a day lies in; between terms the one before."""
    return await session.scalar(select(Term).where(Term.starts_on <= day).order_by(Term.starts_on.desc()).limit(1))


async def calendar(session: AsyncSession, scope: Scope, first: date, last: date) -> Sequence[CalendarDay]:
    statement = select(CalendarDay).where(CalendarDay.day.between(first, last)).order_by(CalendarDay.day)
    return (await session.scalars(statement)).all()


async def slots(session: AsyncSession, scope: Scope, classrooms: Collection[str]) -> Sequence[WeeklySlot]:
    """Slots of classrooms the caller was allowed to read."""
    statement = (
        select(WeeklySlot)
        .where(WeeklySlot.classroom_id.in_(classrooms))
        .order_by(WeeklySlot.classroom_id, WeeklySlot.weekday, WeeklySlot.starts)
    )
    return (await session.scalars(statement)).all()
