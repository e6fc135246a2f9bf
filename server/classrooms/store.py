"""SQL of synchronous classrooms. ``visible``: whoever sees one of its schools, its lead teacher, its assistants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.classrooms.models import Classroom, Receiver
from server.database import Base
from server.paging import Paging, ids_of_page
from server.schools.models import Room, School, SchoolClass
from server.schools.store import visible as visible_school
from server.scope import Scope
from server.timetable.models import Term, WeeklySlot


@dataclass(frozen=True, slots=True)
class ClassroomFilter:
    q: str = ""
    subject: str = ""
    district: str = ""
    term: str = ""
    state: str = ""
    """"" running | accepted | archived"""
    sort: str = "name"


def visible(scope: Scope) -> ColumnElement[bool]:
    if scope.city or scope.system:
        return true()
    ways = _touch(select(Room.id).join(School, School.id == Room.school_id).where(visible_school(scope)))
    if scope.person:  # a screen is nobody: it would match every place that is still free
        ways.append(Classroom.lead_teacher_id == scope.person)
        assisted = select(Receiver.classroom_id).where(Receiver.assistant_id == scope.person)
        ways.append(Classroom.id.in_(assisted))
    return or_(*ways)


def _touch(rooms: Select[str]) -> list[ColumnElement[bool]]:
    """Classrooms that lead from or receive in one of these rooms; asked once for all, not classroom by classroom."""
    received = select(Receiver.classroom_id).where(Receiver.room_id.in_(rooms))
    return [Classroom.lead_room_id.in_(rooms), Classroom.id.in_(received)]


def _filtered(scope: Scope, wanted: ClassroomFilter) -> Select[str]:
    query = select(Classroom.id).where(visible(scope))
    archived = Classroom.archived_at.is_not(None)
    query = query.where(archived if wanted.state == "archived" else ~archived)
    if wanted.state == "accepted":
        query = query.where(Classroom.accepted_on.is_not(None))
    if wanted.subject:
        query = query.where(Classroom.subject == wanted.subject)
    if wanted.term:
        query = query.where(Classroom.term == wanted.term)
    if wanted.district:
        there = select(Room.id).join(School, School.id == Room.school_id).where(School.supervised_by == wanted.district)
        query = query.where(or_(*_touch(there)))
    if wanted.q:
        words = wanted.q.strip()
        teachers = select(Person.id).where(Person.name.contains(words, autoescape=True))
        rooms = select(Room.id).join(School, School.id == Room.school_id)
        rooms = rooms.where(School.name.contains(words, autoescape=True))
        named = or_(Classroom.name.contains(words, autoescape=True), Classroom.lead_teacher_id.in_(teachers))
        query = query.where(or_(named, *_touch(rooms)))
    return query


def _order(sort: str) -> list[ColumnElement[Any]]:
    lead = select(School.code).join(Room, Room.school_id == School.id).where(Room.id == Classroom.lead_room_id)
    columns: dict[str, Any] = {
        "name": Classroom.name,
        "subject": Classroom.subject,
        "grade": Classroom.grade,
        "school": lead.correlate(Classroom).scalar_subquery(),
    }
    down, key = sort.startswith("-"), sort.lstrip("-")
    column = columns.get(key, Classroom.name)
    return [column.desc() if down else column.asc(), Classroom.id.asc()]


async def list_classrooms(
    session: AsyncSession, scope: Scope, wanted: ClassroomFilter, page: int, size: int
) -> tuple[list[Classroom], Paging]:
    order = _order(wanted.sort)
    ids, paging = await ids_of_page(session, _filtered(scope, wanted).order_by(*order), page, size)
    query = select(Classroom).where(Classroom.id.in_(ids)).order_by(*order)
    return list((await session.scalars(query)).unique()), paging


async def classroom(session: AsyncSession, scope: Scope, classroom_id: str) -> Classroom | None:
    return await session.scalar(select(Classroom).where(Classroom.id == classroom_id, visible(scope)))


async def slots(session: AsyncSession, scope: Scope, classroom_ids: Sequence[str]) -> dict[str, list[WeeklySlot]]:
    """Weekly slots of classrooms the caller was allowed to read, in order of the week."""
    query = select(WeeklySlot).where(WeeklySlot.classroom_id.in_(classroom_ids))
    found: dict[str, list[WeeklySlot]] = {one: [] for one in classroom_ids}
    for slot in await session.scalars(query.order_by(WeeklySlot.weekday, WeeklySlot.starts)):
        found[slot.classroom_id].append(slot)
    return found


async def slots_beside(
    session: AsyncSession,
    scope: Scope,
    term: str,
    rooms: Sequence[str],
    people: Sequence[str],
    classes: Sequence[str],
    but: str,
) -> list[tuple[WeeklySlot, Classroom]]:
    """Slots of other running classrooms of the term that need one of these rooms, people or classes, whoever may see
    them."""
    held = _any({Receiver.room_id: rooms, Receiver.assistant_id: people, Receiver.class_id: classes})
    led = _any({Classroom.lead_room_id: rooms, Classroom.lead_teacher_id: people, Classroom.lead_class_id: classes})
    received = exists().where(Receiver.classroom_id == Classroom.id, held)
    query = (
        select(WeeklySlot, Classroom)
        .join(Classroom, Classroom.id == WeeklySlot.classroom_id)
        .where(Classroom.term == term, Classroom.archived_at.is_(None), Classroom.id != but)
        .where(or_(led, received))
    )
    return [(row[0], row[1]) for row in (await session.execute(query)).unique()]


def _any(wanted: Mapping[Any, Sequence[str]]) -> ColumnElement[bool]:
    """Some column holds one of its ids; an empty list would make databases read everything."""
    return or_(*(column.in_(ids) for column, ids in wanted.items() if ids), false())


async def _replace(session: AsyncSession, held: Sequence[Base], rows: Sequence[Base]) -> None:
    """Row by row through the session, so that the audit log knows what went; what is the same stays as it is."""
    there, wanted = [_values(row) for row in held], [_values(row) for row in rows]
    for row, values in zip(held, there, strict=True):
        if values not in wanted:
            await session.delete(row)
    await session.flush()  # the old first: the new may take their places
    session.add_all(row for row, values in zip(rows, wanted, strict=True) if values not in there)
    await session.flush()


def _values(row: Base) -> dict[str, Any]:
    return {column.key: getattr(row, column.key) for column in row.__table__.columns if column.key != "id"}


async def replace_slots(session: AsyncSession, scope: Scope, classroom_id: str, rows: Sequence[WeeklySlot]) -> None:
    held = await session.scalars(select(WeeklySlot).where(WeeklySlot.classroom_id == classroom_id))
    await _replace(session, list(held), rows)


async def replace_receivers(
    session: AsyncSession, scope: Scope, classroom: Classroom, rows: Sequence[Receiver]
) -> None:
    held = await session.scalars(select(Receiver).where(Receiver.classroom_id == classroom.id))
    await _replace(session, list(held.unique()), rows)
    session.expire(classroom, ["receivers"])
    await session.refresh(classroom, ["receivers"])


async def terms(session: AsyncSession, scope: Scope) -> list[Term]:
    return list(await session.scalars(select(Term).order_by(Term.starts_on.desc())))


async def staff(session: AsyncSession, scope: Scope, post: str, schools: Sequence[str], day: date) -> list[Person]:
    """People who hold a post on a day at the schools named; for choosing the teacher of a room."""
    held = exists().where(PostHeld.person_id == Person.id, PostHeld.post == post, held_on(day))
    query = select(Person).where(Person.school_id.in_(schools), Person.disabled_at.is_(None), held)
    return list(await session.scalars(query.order_by(Person.school_id, Person.name)))


async def room(session: AsyncSession, scope: Scope, room_id: str) -> Room | None:
    """Any room: a classroom crosses districts; the service checks the right."""
    return await session.get(Room, room_id)


async def classes(session: AsyncSession, scope: Scope, ids: Sequence[str]) -> dict[str, SchoolClass]:
    """Any class: the service checks whose it is."""
    return {one.id: one for one in (await session.scalars(select(SchoolClass).where(SchoolClass.id.in_(ids)))).unique()}


async def person(session: AsyncSession, scope: Scope, person_id: str) -> Person | None:
    """With their posts: who teaches must be a teacher on the day."""
    query = select(Person).options(selectinload(Person.posts)).where(Person.id == person_id)
    return await session.scalar(query)


async def add(session: AsyncSession, scope: Scope, row: Base) -> None:
    session.add(row)
    await session.flush()
