"""登记 and 归档: what nobody does by hand. The worker looks every half hour; looking twice or late does no harm.

Closed lessons are registered when the three school days for 补签 and 申诉 are over; registered ones are archived when
their term has been over for two weeks.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from server.audit.watch import tell
from server.clock import CITY, Clock, city_date
from server.database import Database
from server.errors import ForbiddenError
from server.lessons.invitations import service as invitations
from server.lessons.models import Lesson
from server.notices import store as notices
from server.schools.models import Room, School
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
        await register(session, SYSTEM, await settled_before(session, now), now)
        await archive(session, SYSTEM, now)
        await invitations.escalate(session, now)
        await terms.sweep(session, SYSTEM, city_date(now) - timedelta(days=7))
        await notices.sweep_bells(session, SYSTEM, now - timedelta(days=1))


async def settled_before(session: AsyncSession, now: datetime) -> datetime:
    """Lessons closed before this moment are settled: the first midnight after which some school day is not yet over."""
    today = city_date(now)
    special = await timetable.special_days(session, SYSTEM, today - LOOK_BACK, today)
    day = today
    while day > today - LOOK_BACK and school_days_after(day, DAYS_TO_MEND, special) >= today:
        day -= timedelta(days=1)
    return datetime.combine(day + timedelta(days=1), time(), CITY)


async def register(session: AsyncSession, scope: Scope, before: datetime, now: datetime) -> None:
    _ours(scope)
    due = and_(Lesson.state == "closed", Lesson.closed_at < before)
    await _put(session, due, ("closed", "registered"), {"closed_at": before}, now)


async def archive(session: AsyncSession, scope: Scope, now: datetime) -> None:
    """All lessons of the terms that are over, whichever classroom they belonged to."""
    _ours(scope)
    ended = (
        select(Term.ends_on).where(Term.ends_on < city_date(now) - AFTER_TERM).order_by(Term.ends_on.desc()).limit(1)
    )
    last = await session.scalar(ended)
    if last is not None:
        end = datetime.combine(last, time(), CITY) + timedelta(days=1)
        due = and_(Lesson.state == "registered", Lesson.starts_at < end)
        await _put(session, due, ("registered", "archived"), {"starts_at": end}, now)


async def _put(
    session: AsyncSession, due: ColumnElement[bool], state: tuple[str, str], before: dict[str, datetime], now: datetime
) -> None:
    """One statement for the city's; the audit log is told how many of each district, and until when, by which each
    lesson is found; schools of the city's own are told each by itself."""
    own = case((School.supervised_by.is_(None), School.id))
    query = (
        select(own, School.supervised_by, func.count()).select_from(Lesson).join(Room, Room.id == Lesson.lead_room_id)
    )
    query = query.join(School, School.id == Room.school_id).where(due).group_by(own, School.supervised_by)
    counts = [((school, district), count) for school, district, count in await session.execute(query)]
    if not counts:
        return
    await session.execute(update(Lesson.__table__).where(due).values(state=state[1]))  # type: ignore[arg-type]
    until = {name: f"< {moment.isoformat()}" for name, moment in before.items()}
    for place, count in counts:
        told = {"rows": count, "state": list(state), **until}
        tell(session, now, "change", "lessons", None, told, place)


def _ours(scope: Scope) -> None:
    if not scope.system:
        raise ForbiddenError
