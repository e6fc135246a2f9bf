"""SQL of classes. Seen by who sees their school."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.paging import Paging
from server.schools.models import School, SchoolClass
from server.schools.store import visible
from server.scope import Scope


@dataclass(frozen=True, slots=True)
class ClassFilter:
    school: str = ""
    district: str = ""
    state: str = ""
    """"" open | closed | consent (none that holds)"""
    day: date | None = None
    """On which a consent must hold."""
    entries: tuple[tuple[str, int], ...] = ()
    """(phase, entry year) of the grade asked for."""


def _filtered(query: Select[Any], scope: Scope, wanted: ClassFilter) -> Select[Any]:
    query = query.join(School, School.id == SchoolClass.school_id).where(visible(scope))
    closed = SchoolClass.closed_on.is_not(None)
    query = query.where(closed if wanted.state == "closed" else ~closed)
    if wanted.state == "consent":
        lapsed = or_(SchoolClass.consent_withdrawn_on <= wanted.day, SchoolClass.consent_until < wanted.day)
        query = query.where(or_(SchoolClass.consent_on.is_(None), lapsed))
    if wanted.school:
        query = query.where(SchoolClass.school_id == wanted.school)
    if wanted.district:
        query = query.where(School.supervised_by == wanted.district)
    if wanted.entries:
        ways = [and_(SchoolClass.phase == phase, SchoolClass.entry_year == year) for phase, year in wanted.entries]
        query = query.where(or_(*ways))
    return query


async def list_classes(
    session: AsyncSession, scope: Scope, wanted: ClassFilter, page: int, size: int
) -> tuple[list[SchoolClass], Paging]:
    count = await session.scalar(_filtered(select(func.count()).select_from(SchoolClass), scope, wanted))
    paging = Paging(page, count or 0, size)
    query = _filtered(select(SchoolClass), scope, wanted)
    query = query.order_by(School.code, SchoolClass.phase.desc(), SchoolClass.entry_year.desc(), SchoolClass.number)
    return list(await session.scalars(query.offset(paging.offset).limit(size))), paging


async def one(session: AsyncSession, scope: Scope, class_id: str) -> SchoolClass | None:
    query = select(SchoolClass).join(School, School.id == SchoolClass.school_id)
    return await session.scalar(query.where(SchoolClass.id == class_id, visible(scope)))


async def staff(session: AsyncSession, scope: Scope, school_id: str, day: date) -> list[Person]:
    """Who may head a class of the school, which the asker may write."""
    held = exists().where(
        PostHeld.person_id == Person.id, PostHeld.post.in_(("teacher", "class_teacher")), held_on(day)
    )
    query = select(Person).where(Person.school_id == school_id, Person.disabled_at.is_(None), held)
    return list(await session.scalars(query.order_by(Person.name, Person.id)))


async def headed_by(session: AsyncSession, scope: Scope, person_id: str) -> list[SchoolClass]:
    return list(await session.scalars(select(SchoolClass).where(SchoolClass.head_id == person_id)))


async def same(session: AsyncSession, scope: Scope, school_id: str, phase: str, year: int, number: int) -> bool:
    """Whether the school, which the asker may write, has this class."""
    query = select(SchoolClass.id).where(SchoolClass.school_id == school_id, SchoolClass.phase == phase)
    found = query.where(SchoolClass.entry_year == year, SchoolClass.number == number)
    return await session.scalar(found) is not None


async def add(session: AsyncSession, scope: Scope, row: SchoolClass) -> None:
    session.add(row)
    await session.flush()
