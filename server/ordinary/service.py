"""Rules of ordinary timetables: of one school, by the bell unless said otherwise, nobody in two hours at once.

An hour that lies upon a synchronous lesson is taken all the same (``beside`` shows it): lessons of several schools are
not undone by one school's timetable.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.accounts.service import held_posts
from server.classrooms import store as classrooms
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.ordinary import store, words
from server.ordinary.falls import Hour, in_the_way, needs_of
from server.ordinary.models import OrdinarySlot
from server.ordinary.schemas import HourBody, HourCreate
from server.schools import store as schools
from server.schools.models import School, SchoolClass
from server.schools.service import part_of
from server.scope import SYSTEM, Scope, allows
from server.timetable import service as timetable
from server.timetable import store as terms
from server.timetable.bells import bell, in_force
from server.timetable.models import Term


def may_write(scope: Scope, school: School) -> bool:
    return allows(scope, "ordinary.write", part_of(school))


def may_read_all(scope: Scope, school: School) -> bool:
    """The whole school's, not only one's own hours."""
    return allows(scope, "ordinary.read", part_of(school))


async def school_for(session: AsyncSession, scope: Scope, school_id: str) -> School:
    """A school whose timetable the asker writes."""
    school = await schools.school(session, scope, school_id)
    if school is None:
        raise NotFoundError
    if not may_write(scope, school):
        raise ForbiddenError
    return school


async def get(session: AsyncSession, scope: Scope, slot_id: str) -> OrdinarySlot:
    row = await store.slot(session, scope, slot_id)
    if row is None:
        raise NotFoundError
    return row


# --- checks -----------------------------------------------------------------------------------------------------------


async def _check_whose(
    session: AsyncSession, scope: Scope, body: HourBody, school: School, today: date
) -> SchoolClass | None:
    """Of this school, and there today; returns the class."""
    if not (body.class_id or body.teacher_id or body.room_id):
        raise InvalidError("ordinary_who", field="class_id")
    found = await classrooms.classes(session, scope, [body.class_id] if body.class_id else [])
    held = found.get(body.class_id or "")
    if body.class_id and (held is None or held.school_id != school.id or held.closed_on is not None):
        raise InvalidError("ordinary_school", field="class_id")
    room = await classrooms.room(session, scope, body.room_id) if body.room_id else None
    if body.room_id and (room is None or room.school_id != school.id or room.closed_on is not None):
        raise InvalidError("ordinary_school", field="room_id")
    person = await classrooms.person(session, scope, body.teacher_id) if body.teacher_id else None
    if body.teacher_id and (person is None or not works(person, school.id, today)):
        raise InvalidError("ordinary_school", field="teacher_id")
    return held


def works(person: Person, school: str, today: date) -> bool:
    """At this school, and is no pupil."""
    there = person.school_id == school and person.disabled_at is None
    return there and any(one.post in STAFF for one in held_posts(person, today))


STAFF = ("teacher", "assistant", "class_teacher", "dean", "school_admin", "technician", "studio_host", "studio_member")
"""Whoever of these works at the school may have an hour."""


class When(NamedTuple):
    starts: time
    minutes: int


async def _when(session: AsyncSession, scope: Scope, body: HourBody, school: School, phase: str, term: Term) -> When:
    """As said; else by the bell of the term's first day."""
    if body.starts is not None and body.minutes is not None:
        return When(body.starts, body.minutes)
    schedules = (await timetable.bells_of(session, scope, [school.id]))[school.id, phase]
    rung = bell(in_force(schedules, term.starts_on), body.period)
    if rung is None:
        raise InvalidError("ordinary_bell", field="period", period=body.period)
    return When(body.starts or rung.starts, body.minutes or rung.minutes)


def phase_of(school: School, held: SchoolClass | None) -> str:
    """By whose bells; as ``store.hours`` reads it."""
    if held is not None:
        return held.phase
    return "junior" if school.phase == "junior" else "primary"


async def _check_free(session: AsyncSession, scope: Scope, hour: Hour, term: str) -> None:
    """No class, teacher or room of the school in two ordinary hours at once."""
    for other in await store.hours_of(session, SYSTEM, term, hour.school, hour.id):
        shared = sorted(needs_of(hour) & needs_of(other))
        if shared and in_the_way(hour, other):
            held = (await store.named(session, SYSTEM, [other.id]))[other.id]
            kind = shared[0].kind
            raise ConflictError(
                "ordinary_busy", field="period", name=words.names(held)[kind], **words.words(held, kind)
            )


# --- writing ----------------------------------------------------------------------------------------------------------


async def _checked(
    session: AsyncSession, scope: Scope, body: HourBody, school: School, slot_id: str, now: datetime
) -> dict[str, Any]:
    """The row's values, all rules kept, until this transaction ends."""
    term = await terms.term(session, scope, body.term)
    if term is None:
        raise InvalidError("ordinary_term", field="term")
    held = await _check_whose(session, SYSTEM, body, school, city_date(now))
    phase = phase_of(school, held)
    when = await _when(session, SYSTEM, body, school, phase, term)
    values = {**body.model_dump(exclude={"school_id"}), **when._asdict()}
    await store.lock(session, SYSTEM, school.id)
    plain = {name: value for name, value in values.items() if name not in ("term", "subject")}
    hour = Hour(id=slot_id, school=school.id, phase=phase, first=term.starts_on, last=term.ends_on, **plain)
    await _check_free(session, scope, hour, body.term)
    return values


async def create(session: AsyncSession, scope: Scope, body: HourCreate, now: datetime) -> OrdinarySlot:
    school = await school_for(session, scope, body.school_id)
    id_ = new_id()
    values = await _checked(session, scope, body, school, id_, now)
    await store.add(session, scope, OrdinarySlot(id=id_, school_id=school.id, **values))
    return await get(session, SYSTEM, id_)


async def edit(session: AsyncSession, scope: Scope, slot_id: str, body: HourBody, now: datetime) -> OrdinarySlot:
    row = await get(session, scope, slot_id)
    school = await school_for(session, scope, row.school_id)
    values = await _checked(session, scope, body, school, row.id, now)
    for name, value in values.items():
        setattr(row, name, value)
    await session.flush()
    return await get(session, SYSTEM, slot_id)


async def drop(session: AsyncSession, scope: Scope, slot_id: str) -> OrdinarySlot:
    """Returns what it was."""
    row = await get(session, scope, slot_id)
    await school_for(session, scope, row.school_id)
    await store.drop(session, scope, row)
    return row
