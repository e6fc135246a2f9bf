"""SQL of declared gaps. Seen by who sees their school."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.paging import Paging
from server.schools.models import Gap, School
from server.schools.store import visible
from server.scope import Scope
from server.timetable.models import Term


@dataclass(frozen=True, slots=True)
class GapFilter:
    school: str = ""
    district: str = ""
    term: str = ""
    subject: str = ""
    state: str = ""
    """"" open | withdrawn"""
    on: date | None = None
    """Those that stood on this day, whatever became of them since; ``state`` is not asked then."""


def _filtered(query: Select[Any], scope: Scope, wanted: GapFilter) -> Select[Any]:
    query = query.join(School, School.id == Gap.school_id).where(visible(scope))
    gone = Gap.withdrawn_on.is_not(None)
    if wanted.on is not None:
        stood = or_(Gap.withdrawn_on.is_(None), Gap.withdrawn_on > wanted.on)
        query = query.where(Gap.declared_on <= wanted.on, stood)
    else:
        query = query.where(gone if wanted.state == "withdrawn" else ~gone)
    if wanted.district:
        query = query.where(School.supervised_by == wanted.district)
    for column, value in ((Gap.school_id, wanted.school), (Gap.term, wanted.term), (Gap.subject, wanted.subject)):
        if value:
            query = query.where(column == value)
    return query


async def list_gaps(
    session: AsyncSession, scope: Scope, wanted: GapFilter, page: int, size: int
) -> tuple[list[tuple[Gap, School]], Paging]:
    count = await session.scalar(_filtered(select(func.count()).select_from(Gap), scope, wanted))
    paging = Paging(page, count or 0, size)
    both: Any = select(Gap, School)
    query = _filtered(both, scope, wanted).order_by(Gap.term.desc(), School.code, Gap.grade, Gap.subject)
    query = query.order_by(Gap.declared_on.desc(), Gap.id)
    rows = await session.execute(query.offset(paging.offset).limit(size))
    return [(row[0], row[1]) for row in rows], paging


async def one(session: AsyncSession, scope: Scope, gap_id: str) -> tuple[Gap, School] | None:
    query = select(Gap, School).join(School, School.id == Gap.school_id).where(Gap.id == gap_id, visible(scope))
    row = (await session.execute(query)).first()
    return (row[0], row[1]) if row else None


async def latest(
    session: AsyncSession, scope: Scope, school_id: str, term: str, grade: int, subject: str
) -> Gap | None:
    """The school's own last declaration of this gap, the open one first; the caller may write the school."""
    query = select(Gap).where(Gap.school_id == school_id, Gap.term == term)
    query = query.where(Gap.grade == grade, Gap.subject == subject)
    order = (Gap.withdrawn_on.is_not(None), Gap.declared_on.desc(), Gap.withdrawn_on.desc())
    return await session.scalar(query.order_by(*order).limit(1))


async def terms(session: AsyncSession, scope: Scope) -> list[Term]:
    """Terms are public."""
    return list(await session.scalars(select(Term).order_by(Term.starts_on.desc())))


async def add(session: AsyncSession, scope: Scope, row: Gap) -> None:
    session.add(row)
    await session.flush()
