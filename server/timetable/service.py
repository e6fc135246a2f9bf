"""Which term and teaching week a day lies in, and when a classroom's weekly slots really fall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.scope import Scope
from server.timetable import store
from server.timetable.models import Term
from server.timetable.terms import SpecialDay, days_of, lesson_span, teaching_week


@dataclass(frozen=True, slots=True)
class Dated:
    """One slot on one day."""

    classroom: str
    period: int
    starts_at: datetime
    ends_at: datetime


async def week_of(session: AsyncSession, scope: Scope, day: date) -> tuple[Term, int] | None:
    """(term, 第 n 周); None before the first term that is known."""
    term = await store.term_on(session, scope, day)
    return None if term is None else (term, teaching_week(term.starts_on, day))


async def special_days(session: AsyncSession, scope: Scope, first: date, last: date) -> dict[date, SpecialDay]:
    days = await store.calendar(session, scope, first, last)
    return {day.day: SpecialDay(day.kind == "holiday", day.runs_weekday) for day in days}


async def dated(session: AsyncSession, scope: Scope, classrooms: list[str], first: date, last: date) -> list[Dated]:
    """Every lesson time that the weekly slots of some classrooms give between two days, in order."""
    special = await special_days(session, scope, first, last)
    found = [
        Dated(slot.classroom_id, slot.period, *lesson_span(day, slot.starts, slot.minutes))
        for slot in await store.slots(session, scope, classrooms)
        for day in days_of(slot.weekday, first, last, special)
    ]
    return sorted(found, key=lambda one: (one.starts_at, one.classroom))
