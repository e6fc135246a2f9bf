"""Rules of declared gaps: the school's own, paired or not; withdrawn with a date, never deleted, never reopened."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.gaps import store
from server.gaps.schemas import GapCreate
from server.ids import new_id
from server.schools import service as schools
from server.schools.models import Gap
from server.scope import Scope, allows

GRADES = {"primary": range(1, 7), "junior": range(7, 10), "nine_year": range(1, 10)}


async def declare(session: AsyncSession, scope: Scope, body: GapCreate, now: datetime) -> Gap:
    school = await schools.get(session, scope, body.school_id, "gap.write")
    if body.grade not in GRADES[school.phase]:
        raise InvalidError("gap_grade", field="grade")
    if body.term not in {term.id for term in await store.terms(session, scope)}:
        raise InvalidError("classroom_term", field="term")
    today = city_date(now)
    held = await store.latest(session, scope, school.id, body.term, body.grade, body.subject)
    if held is not None and held.withdrawn_on is None:
        raise ConflictError("gap_twice", field="subject")
    if held is not None and held.declared_on == held.withdrawn_on == today:  # it stood on no day: it says nothing yet
        held.withdrawn_on, held.weekly, held.note = None, body.weekly, body.note
        return held
    row = Gap(id=new_id(), declared_on=today, declared_by=scope.person, **body.model_dump())
    await store.add(session, scope, row)
    return row


async def withdraw(session: AsyncSession, scope: Scope, gap_id: str, now: datetime) -> Gap:
    """From today on the school teaches it itself."""
    found = await store.one(session, scope, gap_id)
    if found is None:
        raise NotFoundError
    gap, school = found
    if not allows(scope, "gap.write", schools.part_of(school)):
        raise ForbiddenError
    gap.withdrawn_on = gap.withdrawn_on or city_date(now)
    await session.flush()
    return gap
