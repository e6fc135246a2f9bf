"""登记 and 归档: what nobody does by hand. The worker looks every half hour; looking twice or late does no harm.

Closed lessons are registered when the three school days for 补签 and 申诉 are over; registered ones are archived when
their term has been over for two weeks.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY, Clock, city_date
from server.database import Database
from server.errors import ForbiddenError
from server.lessons.invitations import service as invitations
from server.lessons.models import Lesson
from server.scope import SYSTEM, Scope
from server.timetable import service as timetable
from server.timetable import store as terms
from server.timetable.models import Term
from server.timetable.terms import school_days_after

DAYS_TO_MEND = 3
"""School days in which a missing sign-in may be made good (domain.md section 9)."""
AFTER_TERM = timedelta(days=14)
LOOK_BACK = timedelta(days=60)
"""Longer than the summer: at its end the lessons before it are due."""


async def round_(database: Database, clock: Clock) -> None:
    """One round of the worker."""
    now = clock.now()
    async with database.transaction() as session:
        await register(session, SYSTEM, await settled_before(session, now))
        await archive(session, SYSTEM, city_date(now))
        await invitations.escalate(session, now)
        await terms.sweep(session, SYSTEM, city_date(now) - timedelta(days=7))


async def settled_before(session: AsyncSession, now: datetime) -> datetime:
    """Lessons closed before this moment are settled: the first midnight after which some school day is not yet over."""
    today = city_date(now)
    special = await timetable.special_days(session, SYSTEM, today - LOOK_BACK, today)
    day = today
    while day > today - LOOK_BACK and school_days_after(day, DAYS_TO_MEND, special) >= today:
        day -= timedelta(days=1)
    return datetime.combine(day + timedelta(days=1), time(), CITY)


async def register(session: AsyncSession, scope: Scope, before: datetime) -> None:
    _ours(scope)
    await session.execute(
        update(Lesson).where(Lesson.state == "closed", Lesson.closed_at < before).values(state="registered")
    )


async def archive(session: AsyncSession, scope: Scope, today: date) -> None:
    """All lessons of the terms that are over, whichever classroom they belonged to."""
    _ours(scope)
    ended = select(Term.ends_on).where(Term.ends_on < today - AFTER_TERM).order_by(Term.ends_on.desc()).limit(1)
    last = await session.scalar(ended)
    if last is not None:
        end = datetime.combine(last, time(), CITY) + timedelta(days=1)
        over = update(Lesson).where(Lesson.state == "registered", Lesson.starts_at < end)
        await session.execute(over.values(state="archived"))


def _ours(scope: Scope) -> None:
    if not scope.system:
        raise ForbiddenError
