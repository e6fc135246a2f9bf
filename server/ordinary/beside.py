"""Where a school's ordinary hours lie upon weekly slots of its synchronous classrooms. Nothing is refused for them: the
synchronous lesson stands, and the school is shown what to change in its own timetable.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms.models import Classroom, Receiver
from server.ordinary import store
from server.ordinary.falls import Hour, meet, needs_of
from server.ordinary.models import OrdinarySlot
from server.scope import SYSTEM, Scope
from server.timetable.conflicts import Kind, Resource
from server.timetable.models import WeeklySlot

Weekly = tuple[WeeklySlot, Classroom, Sequence[Receiver]]


@dataclass(frozen=True, slots=True)
class Beside:
    """One hour, what it shares with a classroom, and the slot it lies upon."""

    hour: str
    need: Resource
    weekly: WeeklySlot
    classroom: Classroom


def needs(school: str, classroom: Classroom, receivers: Iterable[Receiver]) -> frozenset[Resource]:
    """What a classroom asks of this school."""
    held = list(receivers)
    leads = classroom.lead_room.school_id == school
    named: list[tuple[Kind, str | None]] = [("class", one.class_id) for one in held]
    named += [("person", one.assistant_id) for one in held] + [("room", one.room_id) for one in held]
    if leads:
        named += [("person", classroom.lead_teacher_id), ("room", classroom.lead_room_id)]
        named.append(("class", classroom.lead_class_id))
    return frozenset(Resource(kind, id_) for kind, id_ in named if id_)


def lie_upon(school: str, hours: Sequence[Hour], weekly: Iterable[Weekly]) -> list[Beside]:
    """In order of the slots; an hour that shares two things with a classroom is said once."""
    by_need: dict[Resource, list[Hour]] = defaultdict(list)
    for hour in hours:
        for need in needs_of(hour):
            by_need[need].append(hour)
    found: dict[tuple[str, str], Beside] = {}
    for slot, classroom, receivers in weekly:
        for need in sorted(needs(school, classroom, receivers)):
            for hour in by_need.get(need, ()):
                if meet(hour, slot):
                    found.setdefault((hour.id, slot.id), Beside(hour.id, need, slot, classroom))
    return list(found.values())


async def of_school(session: AsyncSession, scope: Scope, term: str, school: str) -> list[tuple[OrdinarySlot, Beside]]:
    """What the scope may see of it."""
    hours = await store.hours_of(session, SYSTEM, term, school)
    if not hours:
        return []
    found = lie_upon(school, hours, await store.weekly_of(session, SYSTEM, term, school))
    seen = await store.named(session, scope, {one.hour for one in found})
    return [(seen[one.hour], one) for one in found if one.hour in seen]
