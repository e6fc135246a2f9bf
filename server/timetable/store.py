"""All SQL of terms, calendar, bells, spans and weekly slots. Terms and the calendar are public; slots follow their
classroom, bells and spans their school.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date

from sqlalchemy import ColumnElement, Row, delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.classrooms import store as classrooms
from server.classrooms.models import Classroom
from server.database import Base
from server.paging import Paging
from server.schools import store as schools
from server.schools.models import Room, School
from server.scope import Scope
from server.timetable.models import (
    BellSchedule,
    CalendarDay,
    CalendarHorizon,
    ResourceDay,
    SchoolSpan,
    Term,
    WeeklySlot,
)

HORIZON = "city"
AT_ONCE = 1000
"""Ids a statement."""


async def term_on(session: AsyncSession, scope: Scope, day: date) -> Term | None:
    """The term a day lies in; between terms the one before."""
    return await session.scalar(select(Term).where(Term.starts_on <= day).order_by(Term.starts_on.desc()).limit(1))


async def term(session: AsyncSession, scope: Scope, term_id: str) -> Term | None:
    return await session.get(Term, term_id)


async def terms(session: AsyncSession, scope: Scope) -> list[Term]:
    """The latest first."""
    return list(await session.scalars(select(Term).order_by(Term.starts_on.desc())))


# --- calendar ---------------------------------------------------------------------------------------------------------


async def calendar(session: AsyncSession, scope: Scope, first: date, last: date) -> Sequence[CalendarDay]:
    statement = select(CalendarDay).where(CalendarDay.day.between(first, last)).order_by(CalendarDay.day)
    return (await session.scalars(statement)).all()


async def calendar_day(session: AsyncSession, scope: Scope, day: date) -> CalendarDay | None:
    return await session.get(CalendarDay, day)


async def horizon(session: AsyncSession, scope: Scope) -> CalendarHorizon | None:
    return await session.get(CalendarHorizon, HORIZON)


async def add(session: AsyncSession, scope: Scope, *rows: Base) -> None:
    session.add_all(rows)
    await session.flush()


async def drop(session: AsyncSession, scope: Scope, row: Base) -> None:
    await session.delete(row)
    await session.flush()


# --- bells and spans --------------------------------------------------------------------------------------------------


async def schedules(session: AsyncSession, scope: Scope, school_ids: Collection[str]) -> list[BellSchedule]:
    """Of any school: bells hang on the wall, and who plans with a school in another district must know them."""
    query = select(BellSchedule).where(BellSchedule.school_id.in_(school_ids))
    return list(await session.scalars(query.order_by(BellSchedule.school_id, BellSchedule.phase, BellSchedule.begins)))


async def schedule(session: AsyncSession, scope: Scope, schedule_id: str) -> BellSchedule | None:
    query = select(BellSchedule).join(School, School.id == BellSchedule.school_id)
    return await session.scalar(query.where(BellSchedule.id == schedule_id, schools.visible(scope)))


async def spans(
    session: AsyncSession, scope: Scope, school_ids: Collection[str], first: date, last: date
) -> list[SchoolSpan]:
    """Of any school, like bells: the name of a sports day is no secret."""
    query = select(SchoolSpan).where(SchoolSpan.school_id.in_(school_ids))
    query = query.where(SchoolSpan.first_on <= last, SchoolSpan.last_on >= first)
    return list(await session.scalars(query.order_by(SchoolSpan.first_on, SchoolSpan.id)))


async def list_spans(
    session: AsyncSession, scope: Scope, school: str, first: date | None, last: date | None, page: int, size: int
) -> tuple[list[SchoolSpan], Paging]:
    """Of the schools the asker sees, the latest first; those that touch [first, last]."""
    query = select(SchoolSpan).join(School, School.id == SchoolSpan.school_id).where(schools.visible(scope))
    query = query.where(SchoolSpan.school_id == school) if school else query
    query = query.where(SchoolSpan.last_on >= first) if first else query
    query = query.where(SchoolSpan.first_on <= last) if last else query
    paging = Paging(page, await session.scalar(select(func.count()).select_from(query.subquery())) or 0, size)
    query = query.order_by(SchoolSpan.first_on.desc(), SchoolSpan.id).offset(paging.offset).limit(size)
    return list(await session.scalars(query)), paging


async def span(session: AsyncSession, scope: Scope, span_id: str) -> SchoolSpan | None:
    query = select(SchoolSpan).join(School, School.id == SchoolSpan.school_id)
    return await session.scalar(query.where(SchoolSpan.id == span_id, schools.visible(scope)))


# --- slots ------------------------------------------------------------------------------------------------------------


async def slots(session: AsyncSession, scope: Scope, classrooms: Collection[str]) -> Sequence[WeeklySlot]:
    """Slots of classrooms the caller was allowed to read."""
    statement = (
        select(WeeklySlot)
        .where(WeeklySlot.classroom_id.in_(classrooms))
        .order_by(WeeklySlot.classroom_id, WeeklySlot.weekday, WeeklySlot.starts)
    )
    return (await session.scalars(statement)).all()


async def classrooms_of(
    session: AsyncSession, scope: Scope, term_id: str, ids: Collection[str] | None = None
) -> list[Classroom]:
    """Running classrooms of a term that the asker may see; only those named, where some are."""
    query = select(Classroom).where(*_running(scope, term_id)).order_by(Classroom.name, Classroom.id)
    query = query if ids is None else query.where(Classroom.id.in_(ids))
    return list((await session.scalars(query)).unique())


async def classrooms_beside(session: AsyncSession, scope: Scope, term_id: str, ids: Collection[str]) -> list[Classroom]:
    """Running classrooms of a term that lead from the rooms from which these, of any term, lead."""
    rooms = select(Classroom.lead_room_id).where(Classroom.id.in_(ids))
    query = select(Classroom).where(*_running(scope, term_id), Classroom.lead_room_id.in_(rooms))
    return list((await session.scalars(query.order_by(Classroom.name, Classroom.id))).unique())


async def leads_of(session: AsyncSession, scope: Scope, term_id: str) -> Sequence[Row[str, str, str | None]]:
    """(id, the lead school, its district) of the same, and nothing else of them."""
    query = select(Classroom.id, School.id, School.supervised_by).where(*_running(scope, term_id))
    query = query.join(Room, Room.id == Classroom.lead_room_id).join(School, School.id == Room.school_id)
    return (await session.execute(query.order_by(Classroom.name, Classroom.id))).all()


def _running(scope: Scope, term_id: str) -> tuple[ColumnElement[bool], ...]:
    return Classroom.term == term_id, Classroom.archived_at.is_(None), classrooms.visible(scope)


async def posts_on(session: AsyncSession, scope: Scope, people: Sequence[str], day: date) -> list[tuple[str, str]]:
    """(person, post) of people who may still sign in; the caller has checked that they are the asker's to plan."""
    query = select(PostHeld.person_id, PostHeld.post).join(Person, Person.id == PostHeld.person_id)
    query = query.where(Person.disabled_at.is_(None), held_on(day))
    found: list[tuple[str, str]] = []
    for start in range(0, len(people), AT_ONCE):
        rows = await session.execute(query.where(PostHeld.person_id.in_(people[start : start + AT_ONCE])))
        found += [(row.person_id, row.post) for row in rows]
    return found


async def sweep(session: AsyncSession, scope: Scope, before: date) -> None:
    """Lock rows of days that are over."""
    await session.execute(delete(ResourceDay).where(ResourceDay.day < before))
