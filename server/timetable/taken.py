"""Who and what is taken when, in SQL: lessons, studios' activities and schools' ordinary hours, with their people,
rooms, classes and devices.

A device is what a room's picture is fetched from (``encoders``): one recording host that two rooms name serves one of
them at a time. Rehearsals with robots take nothing and nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.encoders.models import RoomSource
from server.ids import named_id
from server.lessons.models import Lesson, Receipt
from server.lessons.whose import Span, attended, led_or_received, one_of, taught_or_assisted
from server.ordinary import busy
from server.scope import Scope
from server.studios.activities.models import Activity, ActivityPerson, ActivityPlace
from server.timetable.conflicts import Entry, Resource, entry

BATCH = 400
"""Ids a statement."""

Devices = Mapping[str, str]
"""Room -> device."""


@dataclass(slots=True)
class Held:
    """What one lesson or activity holds beside its own row."""

    rooms: list[str] = field(default_factory=list)
    people: list[str | None] = field(default_factory=list)
    classes: list[str | None] = field(default_factory=list)


async def devices(session: AsyncSession, scope: Scope) -> Devices:
    """Few rooms have one: all of them at once."""
    rows = await session.execute(select(RoomSource.room_id, RoomSource.address))
    return {row.room_id: named_id("source", row.address.strip().lower()) for row in rows}


def with_devices(needs: Iterable[Resource], held: Devices) -> frozenset[Resource]:
    """The devices of the rooms among them, too."""
    named = frozenset(needs)
    return named | {Resource("device", held[one.id]) for one in named if one.kind == "room" and one.id in held}


def equipped(entries: Iterable[Entry], held: Devices) -> list[Entry]:
    return [replace(one, needs=with_devices(one.needs, held)) for one in entries]


async def taken(
    session: AsyncSession, scope: Scope, needs: Collection[Resource], start: datetime, end: datetime, held: Devices
) -> list[Entry]:
    """Lessons, activities and ordinary hours that need some of this in [start, end), whoever may see them; called-off
    ones need nothing, and an ordinary hour in a room not its recording host."""
    wanted = {kind: sorted(one.id for one in needs if one.kind == kind) for kind in ("person", "room", "class")}
    ordinary = await busy.entries(session, scope, wanted, start, end)
    shared = {one.id for one in needs if one.kind == "device"}
    wanted["room"] = sorted({*wanted["room"], *(room for room, device in held.items() if device in shared)})
    found = await _lessons(session, wanted, start, end) + await _activities(session, wanted, start, end)
    return [replace(one, needs=with_devices(one.needs, held)) for one in found] + ordinary


async def _lessons(session: AsyncSession, wanted: dict[str, list[str]], start: datetime, end: datetime) -> list[Entry]:
    span = (Lesson.starts_at < end, Lesson.ends_at > start, Lesson.state != "cancelled", Lesson.robots == 0)
    kinds = {"room": led_or_received, "person": taught_or_assisted, "class": attended}
    # an empty list would make SQLite read everything
    ways = [way for kind, of in kinds.items() if wanted[kind] for way in of(wanted[kind], Span.touching(start, end))]
    own = (Lesson.teacher_id, Lesson.lead_room_id, Lesson.lead_class_id)
    columns = (Lesson.id, Lesson.starts_at, Lesson.ends_at, *own)
    rows = (await session.execute(select(*columns).where(*span, one_of(ways)))).all()
    places = await _receipts(session, [row.id for row in rows])
    return [
        entry(
            row.id,
            row.starts_at,
            row.ends_at,
            people=[row.teacher_id, *places[row.id].people],
            rooms=[row.lead_room_id, *places[row.id].rooms],
            classes=[row.lead_class_id, *places[row.id].classes],
        )
        for row in rows
    ]


async def _receipts(session: AsyncSession, lessons: Sequence[str]) -> dict[str, Held]:
    found: dict[str, Held] = defaultdict(Held)
    columns = (Receipt.lesson_id, Receipt.room_id, Receipt.assistant_id, Receipt.class_id)
    for start in range(0, len(lessons), BATCH):
        for row in await session.execute(select(*columns).where(Receipt.lesson_id.in_(lessons[start : start + BATCH]))):
            one = found[row.lesson_id]
            one.rooms.append(row.room_id)
            one.people.append(row.assistant_id)
            one.classes.append(row.class_id)
    return found


async def _activities(
    session: AsyncSession, wanted: dict[str, list[str]], start: datetime, end: datetime
) -> list[Entry]:
    placed = select(ActivityPlace.activity_id).where(ActivityPlace.room_id.in_(wanted["room"]))
    joined = select(ActivityPerson.activity_id).where(ActivityPerson.person_id.in_(wanted["person"]))
    query = select(Activity.id, Activity.starts_at, Activity.ends_at)
    query = query.where(Activity.starts_at < end, Activity.ends_at > start, Activity.state != "cancelled")
    rows = (await session.execute(query.where(or_(Activity.id.in_(placed), Activity.id.in_(joined))))).all()
    found: dict[str, Held] = defaultdict(Held)
    ids = [row.id for row in rows]
    for first in range(0, len(ids), BATCH):
        some = ids[first : first + BATCH]
        for place in await session.execute(
            select(ActivityPlace.activity_id, ActivityPlace.room_id).where(ActivityPlace.activity_id.in_(some))
        ):
            found[place.activity_id].rooms.append(place.room_id)
        for who in await session.execute(
            select(ActivityPerson.activity_id, ActivityPerson.person_id).where(ActivityPerson.activity_id.in_(some))
        ):
            found[who.activity_id].people.append(who.person_id)
    return [
        entry(row.id, row.starts_at, row.ends_at, people=found[row.id].people, rooms=found[row.id].rooms)
        for row in rows
    ]
