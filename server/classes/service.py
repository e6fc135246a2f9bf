"""Rules of classes: of a phase the school teaches, in a year that can be; headcounts keep what they were."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.classes import store
from server.classes.grades import years
from server.classes.schemas import ClassBody, ClassCreate, ClassEdit, ConsentBody
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.schools import history
from server.schools import service as schools
from server.schools.models import School, SchoolClass
from server.scope import Action, Scope, allows

KEPT = ("name", "pupils", "head_id", *ConsentBody.model_fields, "closed_on")
"""What pasts say of a class."""


def check(school: School, body: ClassBody, today: date) -> None:
    if school.phase != "nine_year" and body.phase != school.phase:
        raise InvalidError("enrolment_phase", field="phase")
    if body.entry_year not in years(body.phase, today):
        known = years(body.phase, today)
        raise InvalidError("class_year", field="entry_year", first=known[-1], last=known[0])


async def get(session: AsyncSession, scope: Scope, class_id: str, action: Action = "class.write") -> SchoolClass:
    """A class that the asker may write, or do ``action`` with."""
    row = await store.one(session, scope, class_id)
    if row is None:
        raise NotFoundError
    if not allows(scope, action, schools.part_of(row.school)):
        raise ForbiddenError
    return row


async def create(session: AsyncSession, scope: Scope, body: ClassCreate, now: datetime) -> SchoolClass:
    school = await schools.get(session, scope, body.school_id, "class.write")
    check(school, body, city_date(now))
    if await store.same(session, scope, school.id, body.phase, body.entry_year, body.number):
        raise ConflictError("class_twice", field="number")
    row = SchoolClass(id=new_id(), school=school, **body.model_dump())
    await store.add(session, scope, row)
    return row


async def edit(session: AsyncSession, scope: Scope, class_id: str, body: ClassEdit, now: datetime) -> SchoolClass:
    row = await get(session, scope, class_id)
    if body.head_id not in (None, row.head_id) and body.head_id not in {
        one.id for one in await store.staff(session, scope, row.school_id, city_date(now))
    }:
        raise InvalidError("class_head", field="head_id")
    _check_consent(body)
    said = body.model_dump()
    if any(getattr(row, name) != value for name, value in said.items()):
        await _keep(session, scope, row, now)
    for name, value in said.items():
        setattr(row, name, value)
    await session.flush()
    return row


def _check_consent(body: ConsentBody) -> None:
    """What is said of a consent hangs on the day it was given; a new one clears the day the old one was withdrawn."""
    given = body.consent_on
    for name in ConsentBody.model_fields:
        if given is None and getattr(body, name) is not None:
            raise InvalidError("consent_day", field="consent_on")
    for name in ("consent_until", "consent_withdrawn_on"):
        day = getattr(body, name)
        if given is not None and day is not None and day < given:
            raise InvalidError("consent_order", field=name)


async def _keep(session: AsyncSession, scope: Scope, row: SchoolClass, now: datetime) -> None:
    """All of it: there is one past a day, and the day's second change is another column's."""
    is_open = row.closed_on is None
    await history.keep(
        session, scope, "class", row, KEPT, city_date(now), now, school_id=row.school_id, is_open=is_open
    )


async def headless(session: AsyncSession, scope: Scope, person_id: str, now: datetime) -> None:
    """Who goes to another school heads no class here any more; the caller has checked the right to move them."""
    for row in await store.headed_by(session, scope, person_id):
        await _keep(session, scope, row, now)
        row.head_id = None


async def close(session: AsyncSession, scope: Scope, class_id: str, now: datetime) -> SchoolClass:
    """撤班; done again, it is open again."""
    row = await get(session, scope, class_id)
    await _keep(session, scope, row, now)
    row.closed_on = None if row.closed_on else city_date(now)
    await session.flush()
    return row
