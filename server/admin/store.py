"""SQL of the overview: counts within the scope. ``visible`` rules are those of the registers themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.admin import store as people
from server.accounts.admin.store import PeopleFilter
from server.classrooms import store as classrooms
from server.classrooms.models import Classroom
from server.lessons import store as lessons
from server.lessons.models import Lesson
from server.lessons.whose import Span
from server.schools import store as schools
from server.schools.models import Device, Room, School
from server.schools.store import SchoolFilter
from server.scope import Scope
from server.studios import store as studios


@dataclass(frozen=True, slots=True)
class Counts:
    schools: int
    villages: int
    unpaired: int
    rooms: int
    devices: int
    devices_on: int
    classrooms: int
    accepted: int
    people: int
    studios: int


async def counts(session: AsyncSession, scope: Scope, today: date, seen_after: datetime, term: str = "") -> Counts:
    """Classrooms of one term: one that goes on is a row of each term, and accepted once."""
    school = select(func.count()).select_from(School).where(schools.visible(scope), School.closed_on.is_(None))
    room = select(func.count()).select_from(Room).join(School, School.id == Room.school_id)
    room = room.where(schools.visible(scope), School.closed_on.is_(None))
    device = select(func.count()).select_from(Device).join(Room, Room.id == Device.room_id)
    device = device.join(School, School.id == Room.school_id).where(schools.visible(scope), Device.revoked_at.is_(None))
    classroom = select(func.count()).select_from(Classroom)
    classroom = classroom.where(classrooms.visible(scope), Classroom.archived_at.is_(None))
    classroom = classroom.where(Classroom.term == term) if term else classroom
    asked = {
        "schools": school,
        "villages": school.where(schools.settlement_on(today).in_(schools.VILLAGE)),
        "unpaired": schools.count(scope, SchoolFilter(mark="unpaired"), today),
        "rooms": room,
        "devices": device,
        "devices_on": device.where(Device.seen_at >= seen_after),
        "classrooms": classroom,
        "accepted": classroom.where(Classroom.accepted_on.is_not(None)),
        "people": people.count(scope, PeopleFilter(), today),
    }  # in one statement
    found = await session.execute(select(*(query.scalar_subquery().label(name) for name, query in asked.items())))
    kept = await studios.count_kept(session, scope)
    return Counts(**found.one()._mapping, studios=kept)


async def states(session: AsyncSession, scope: Scope, start: datetime, end: datetime) -> dict[str, int]:
    """How many lessons of a day stand in each state."""
    span = Span(start, end)
    query = select(Lesson.state, func.count()).where(lessons.among(scope, span), Lesson.kind == "formal")
    query = query.where(*span.holds(Lesson.starts_at)).group_by(Lesson.state)
    return {row[0]: row[1] for row in await session.execute(query)}


async def seen(session: AsyncSession, scope: Scope, room_ids: Sequence[str]) -> dict[str, datetime | None]:
    """When a bound device of each room was last heard; rooms without a device are absent."""
    if not room_ids:
        return {}
    query = select(Device.room_id, func.max(Device.seen_at)).where(
        Device.room_id.in_(room_ids), Device.revoked_at.is_(None)
    )
    query = query.join(Room, Room.id == Device.room_id).join(School, School.id == Room.school_id)
    rows = await session.execute(query.where(schools.visible(scope)).group_by(Device.room_id))
    return {str(row[0]): row[1] for row in rows}
