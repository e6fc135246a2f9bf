"""SQL of choices: columns, not objects, because a city has a hundred thousand of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Row, String, and_, cast, exists, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.choices.schemas import Kind
from server.classrooms import store as classrooms
from server.classrooms.models import Classroom
from server.schools.models import Pairing, Room, School, SchoolClass, class_called
from server.schools.store import like, runs_on, visible
from server.scope import Action, Part, Scope, allows


@dataclass(frozen=True, slots=True)
class Choice:
    id: str
    text: str
    group: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """``ids``: just these; else what every word of ``q`` is found in."""

    day: date
    q: str = ""
    ids: tuple[str, ...] = ()
    term: str = ""
    most: int = 20


def _found(wanted: Wanted, id_: Any, columns: Sequence[Any]) -> ColumnElement[bool]:
    if wanted.ids:
        return id_.in_(wanted.ids)  # type: ignore[no-any-return]
    words = [like(word) for word in wanted.q.split()[:4]]
    return and_(true(), *(or_(*(column.like(word, escape="\\") for column in columns)) for word in words))


def _seen(scope: Scope, kind: Kind, day: date) -> ColumnElement[bool]:
    """Schools whose things may be chosen."""
    if kind.whole:
        crossing: tuple[Action, ...] = ("studio.write",) if kind.of == "person" else ("pairing.write", "group.write")
        return true() if any(allows(scope, action) for action in crossing) else false()
    if not kind.paired:
        return visible(scope)
    lead = select(School.id).where(visible(scope)).correlate(None)
    helped = select(Pairing.village_school_id).where(Pairing.lead_school_id.in_(lead), runs_on(day))
    return or_(visible(scope), School.id.in_(helped))


async def choices(session: AsyncSession, scope: Scope, kind: Kind, wanted: Wanted) -> list[Choice]:
    """In the order of the register; at most ``wanted.most`` and those filtered out by right."""
    query = _QUERIES[kind.of](scope, kind, wanted)
    rows = (await session.execute(query.limit(wanted.most))).all()
    may = kind.may
    return [_choice(kind, row) for row in rows if may is None or allows(scope, may, Part(row.school, row.district))]


def _choice(kind: Kind, row: Row[Any]) -> Choice:
    if kind.of == "school" or kind.of == "classroom":
        return Choice(row.id, row.name)
    if kind.of == "class":
        name = class_called(row.name, row.entry_year, row.number)
        return Choice(row.id, f"{name} ({row.pupils})" if row.pupils else name, row.school_name)
    return Choice(row.id, row.name, row.school_name)


def _schools(scope: Scope, kind: Kind, wanted: Wanted) -> Any:
    query: Any = select(School.id, School.name, School.id.label("school"), School.supervised_by.label("district"))
    query = query.where(_seen(scope, kind, wanted.day), School.closed_on.is_(None))
    query = query.where(_found(wanted, School.id, (School.name, School.short_name, School.code)))
    return query.order_by(School.supervised_by, School.code)


_AT = (School.id.label("school"), School.supervised_by.label("district"), School.short_name.label("school_name"))


def _rooms(scope: Scope, kind: Kind, wanted: Wanted) -> Any:
    query: Any = select(Room.id, Room.name, *_AT).join(School, School.id == Room.school_id)
    query = query.where(_seen(scope, kind, wanted.day), School.closed_on.is_(None), Room.closed_on.is_(None))
    query = query.where(Room.kind == kind.room) if kind.room else query
    query = query.where(_found(wanted, Room.id, (School.name, School.short_name, Room.name, Room.code)))
    return query.order_by(School.supervised_by, School.code, Room.kind, Room.name)


def _classes(scope: Scope, kind: Kind, wanted: Wanted) -> Any:
    query: Any = select(
        SchoolClass.id, SchoolClass.name, SchoolClass.entry_year, SchoolClass.number, SchoolClass.pupils, *_AT
    )
    query = query.join(School, School.id == SchoolClass.school_id)
    query = query.where(_seen(scope, kind, wanted.day), SchoolClass.closed_on.is_(None), School.closed_on.is_(None))
    year = cast(SchoolClass.entry_year, String)
    query = query.where(_found(wanted, SchoolClass.id, (School.name, School.short_name, SchoolClass.name, year)))
    return query.order_by(School.supervised_by, School.code, SchoolClass.entry_year.desc(), SchoolClass.number)


def _people(scope: Scope, kind: Kind, wanted: Wanted) -> Any:
    held = exists().where(PostHeld.person_id == Person.id, PostHeld.post == kind.post, held_on(wanted.day))
    query: Any = select(Person.id, Person.name, *_AT).join(School, School.id == Person.school_id)
    query = query.where(_seen(scope, kind, wanted.day), held, Person.disabled_at.is_(None))
    query = query.where(_found(wanted, Person.id, (School.name, School.short_name, Person.name, Person.login)))
    return query.order_by(School.supervised_by, School.code, Person.name)


def _classrooms(scope: Scope, kind: Kind, wanted: Wanted) -> Any:
    query: Any = select(Classroom.id, Classroom.name, School.id.label("school"), School.supervised_by.label("district"))
    query = query.join(Room, Room.id == Classroom.lead_room_id).join(School, School.id == Room.school_id)
    query = query.where(classrooms.visible(scope), Classroom.archived_at.is_(None))
    query = query.where(Classroom.term == wanted.term) if wanted.term else query
    query = query.where(_found(wanted, Classroom.id, (Classroom.name, School.name, School.short_name)))
    return query.order_by(Classroom.name, Classroom.id)


_QUERIES = {
    "school": _schools, "room": _rooms, "class": _classes, "person": _people, "classroom": _classrooms
}  # fmt: skip
