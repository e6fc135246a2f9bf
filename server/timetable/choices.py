"""What a week grid or a form lets one choose from, within the asker's part of the city; never more than ``MOST``."""

from __future__ import annotations

from datetime import date

from sqlalchemy import exists, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.classrooms import store as classrooms
from server.schools import store as schools
from server.schools.models import Room, School
from server.schools.service import part_of
from server.scope import Scope, within

MOST = 400

Choice = tuple[str, str]


async def people(
    session: AsyncSession, scope: Scope, today: date, school: str | None = None, post: str = "teacher"
) -> list[Choice]:
    """Who holds the post; of one school, or of every school the asker sees."""
    held = exists().where(PostHeld.person_id == Person.id, PostHeld.post == post, held_on(today))
    query = select(Person.id, Person.name, School.short_name).join(School, School.id == Person.school_id)
    query = query.where(held, Person.disabled_at.is_(None))
    query = query.where(School.id == school) if school else query.where(schools.visible(scope))
    rows = await session.execute(query.order_by(School.code, Person.name).limit(MOST))
    return [(row.id, row.name if school else f"{row.short_name} {row.name}") for row in rows]


async def rooms_of_school(session: AsyncSession, scope: Scope, school: str, kind: str) -> list[Choice]:
    query = select(Room.id, Room.name).where(Room.school_id == school, Room.kind == kind, Room.closed_on.is_(None))
    return [(row.id, row.name) for row in await session.execute(query.order_by(Room.name).limit(MOST))]


async def school_of(session: AsyncSession, scope: Scope, of: str, id_: str) -> School | None:
    """The school whose bells the grid shows; only one the asker may see."""
    found: School | None = None
    if of == "school":
        found = await session.get(School, id_)
    elif of == "room":
        room = await session.get(Room, id_)
        found = room.school if room else None
    elif of == "teacher":
        person = await session.get(Person, id_)
        found = await session.get(School, person.school_id) if person and person.school_id else None
    elif of == "classroom":
        classroom = await classrooms.classroom(session, scope, id_)
        found = classroom.lead_room.school if classroom else None
    mine = found is not None and (within(scope, part_of(found)) or of == "classroom")
    return found if mine else None
