"""SQL of ordinary timetables. ``visible``: whoever reads the school's timetable, and everybody's own hours."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, case, exists, false, or_, select, true, union_all
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, lazyload

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.classrooms.models import Classroom, Receiver
from server.database import Base
from server.ordinary.falls import Hour
from server.ordinary.models import OrdinarySlot
from server.paging import Paging, ids_of_page
from server.schools.models import Room, School, SchoolClass
from server.schools.store import visible as visible_school
from server.scope import RIGHTS, Scope
from server.timetable.models import Term, WeeklySlot

HELD: Mapping[str, Any] = {
    "class": OrdinarySlot.class_id,
    "person": OrdinarySlot.teacher_id,
    "room": OrdinarySlot.room_id,
}
"""Kind of resource -> its column."""
NAMED = (joinedload(OrdinarySlot.school_class), joinedload(OrdinarySlot.teacher), joinedload(OrdinarySlot.room))
"""An hour with whom and what it holds."""
WHOLE = (*NAMED, joinedload(OrdinarySlot.school))
ORDER = (OrdinarySlot.weekday, OrdinarySlot.period, OrdinarySlot.starts, OrdinarySlot.id)


def visible(scope: Scope) -> ColumnElement[bool]:
    if scope.city or scope.system:
        return true()
    ways: list[ColumnElement[bool]] = []
    if any(post in scope.posts and reach != "lesson" for post, reach in RIGHTS["ordinary.read"].items()):
        ways.append(OrdinarySlot.school_id.in_(select(School.id).where(visible_school(scope))))
    if scope.person:
        ways.append(OrdinarySlot.teacher_id == scope.person)
    return or_(*ways) if ways else false()


# --- what is taken ----------------------------------------------------------------------------------------------------


async def hours(
    session: AsyncSession, scope: Scope, wanted: Mapping[str, Sequence[str]], first: date, last: date
) -> list[Hour]:
    """Hours of terms that touch [first, last] which need some of these, whoever may see them. By index from each kind:
    an "or" over them would read everything."""
    ways = [select(OrdinarySlot.id).where(column.in_(wanted[kind])) for kind, column in HELD.items() if wanted[kind]]
    if not ways:
        return []
    query = _hours().where(OrdinarySlot.id.in_(union_all(*ways)), Term.starts_on <= last, Term.ends_on >= first)
    return [Hour(*row) for row in await session.execute(query)]


async def hours_of(session: AsyncSession, scope: Scope, term: str, school: str, but: str = "") -> list[Hour]:
    """Of one school: whatever stands in another hour's way is there."""
    query = _hours().where(OrdinarySlot.school_id == school, OrdinarySlot.term == term, OrdinarySlot.id != but)
    return [Hour(*row) for row in await session.execute(query)]


async def hours_beside(
    session: AsyncSession, scope: Scope, term: str, wanted: Mapping[str, Sequence[str]]
) -> list[Hour]:
    """Of one term, of any school."""
    ways = [select(OrdinarySlot.id).where(column.in_(wanted[kind])) for kind, column in HELD.items() if wanted[kind]]
    if not ways:
        return []
    query = _hours().where(OrdinarySlot.id.in_(union_all(*ways)), OrdinarySlot.term == term)
    return [Hour(*row) for row in await session.execute(query.order_by(*ORDER))]


def _hours() -> Select[Any]:
    """The columns of ``Hour``, in its order. A class says by whose bells; else the school does, a nine-year school's
    as its primary part rings. Who has moved to another school is no longer kept busy by the old one's timetable."""
    usual = case((School.phase == "junior", "junior"), else_="primary")
    phase = case((SchoolClass.phase.is_not(None), SchoolClass.phase), else_=usual)
    names = ("id", "school_id", "weekday", "period", "starts", "minutes", "weeks", "follows_bell", "class_id")
    columns = [getattr(OrdinarySlot, name) for name in names]
    teacher = case((Person.school_id == OrdinarySlot.school_id, OrdinarySlot.teacher_id))
    query = select(*columns, teacher, OrdinarySlot.room_id, phase, Term.starts_on, Term.ends_on)
    query = query.select_from(OrdinarySlot).join(Term, Term.id == OrdinarySlot.term)
    query = query.join(School, School.id == OrdinarySlot.school_id)
    query = query.outerjoin(SchoolClass, SchoolClass.id == OrdinarySlot.class_id)
    return query.outerjoin(Person, Person.id == OrdinarySlot.teacher_id)


async def named(session: AsyncSession, scope: Scope, ids: Collection[str]) -> dict[str, OrdinarySlot]:
    """Those of them that the scope may see."""
    if not ids:
        return {}
    query = select(OrdinarySlot).where(OrdinarySlot.id.in_(ids), visible(scope)).options(*WHOLE)
    return {row.id: row for row in (await session.scalars(query)).unique()}


async def weekly_of(
    session: AsyncSession, scope: Scope, term: str, school: str
) -> list[tuple[WeeklySlot, Classroom, list[Receiver]]]:
    """Weekly slots of the running classrooms that lead from this school or are received there, with who receives them
    there (empty: it leads)."""
    rooms = select(Room.id).where(Room.school_id == school)
    received = select(Receiver.classroom_id).where(Receiver.room_id.in_(rooms))
    query = select(WeeklySlot, Classroom).join(Classroom, Classroom.id == WeeklySlot.classroom_id)
    query = query.where(Classroom.term == term, Classroom.archived_at.is_(None))
    query = query.where(or_(Classroom.lead_room_id.in_(rooms), Classroom.id.in_(received)))
    found = (await session.execute(query.order_by(WeeklySlot.weekday, WeeklySlot.starts, Classroom.name))).unique()
    return [(slot, one, [held for held in one.receivers if held.room.school_id == school]) for slot, one in found]


# --- lists ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlotFilter:
    term: str = ""
    school: str = ""
    of: str = ""
    """"" class | person | room: whose week; ``id`` says which."""
    id: str = ""
    weekday: int | None = None


def _filtered(scope: Scope, wanted: SlotFilter) -> Select[Any]:
    query = select(OrdinarySlot.id).where(visible(scope))
    for column, value in (
        (OrdinarySlot.term, wanted.term),
        (OrdinarySlot.school_id, wanted.school),
        (OrdinarySlot.weekday, wanted.weekday),
    ):
        query = query.where(column == value) if value else query
    return query.where(HELD[wanted.of] == wanted.id) if wanted.of else query


async def page_of_slots(
    session: AsyncSession, scope: Scope, wanted: SlotFilter, page: int, size: int
) -> tuple[list[OrdinarySlot], Paging]:
    order = (OrdinarySlot.school_id, OrdinarySlot.term, *ORDER)  # that of the index
    ids, paging = await ids_of_page(session, _filtered(scope, wanted).order_by(*order), page, size)
    query = select(OrdinarySlot).where(OrdinarySlot.id.in_(ids)).order_by(*order).options(*WHOLE)
    return list((await session.scalars(query)).unique()), paging


async def week(session: AsyncSession, scope: Scope, wanted: SlotFilter) -> list[OrdinarySlot]:
    """All of one class, teacher or room: a week has an end."""
    ids = _filtered(scope, wanted)
    query = select(OrdinarySlot).where(OrdinarySlot.id.in_(ids)).order_by(*ORDER).options(*WHOLE)
    return list((await session.scalars(query)).unique())


async def slot(session: AsyncSession, scope: Scope, slot_id: str) -> OrdinarySlot | None:
    query = select(OrdinarySlot).where(OrdinarySlot.id == slot_id, visible(scope)).options(*WHOLE)
    return (await session.scalars(query.execution_options(populate_existing=True))).unique().one_or_none()


# --- whom and what ----------------------------------------------------------------------------------------------------


async def lock(session: AsyncSession, scope: Scope, school: str) -> None:
    """Two clerks of one school write one after the other: each sees what the other has put there."""
    await session.execute(select(School.id).where(School.id == school).with_for_update())


async def add(session: AsyncSession, scope: Scope, row: Base) -> None:
    session.add(row)
    await session.flush()


async def drop(session: AsyncSession, scope: Scope, row: Base) -> None:
    await session.delete(row)
    await session.flush()


# --- what a school's form offers --------------------------------------------------------------------------------------

Choice = tuple[str, str]
MOST = 400
"""Choices of one school."""


async def classes_of(session: AsyncSession, scope: Scope, school: str) -> list[Choice]:
    """Youngest first, as the register lists them."""
    query = select(SchoolClass).where(SchoolClass.school_id == school, SchoolClass.closed_on.is_(None))
    order = (SchoolClass.phase.desc(), SchoolClass.entry_year.desc(), SchoolClass.number)
    query = query.options(lazyload(SchoolClass.school)).order_by(*order).limit(MOST)
    return [(one.id, one.called) for one in await session.scalars(query)]


async def staff_of(session: AsyncSession, scope: Scope, school: str, posts: Sequence[str], day: date) -> list[Choice]:
    held = exists().where(PostHeld.person_id == Person.id, PostHeld.post.in_(posts), held_on(day))
    query = select(Person.id, Person.name).where(Person.school_id == school, Person.disabled_at.is_(None), held)
    return [(row.id, row.name) for row in await session.execute(query.order_by(Person.name, Person.id).limit(MOST))]


async def rooms_of(session: AsyncSession, scope: Scope, school: str) -> list[Choice]:
    query = select(Room.id, Room.name).where(Room.school_id == school, Room.closed_on.is_(None))
    return [(row.id, row.name) for row in await session.execute(query.order_by(Room.kind, Room.name).limit(MOST))]
