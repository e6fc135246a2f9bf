"""Who and what is taken when, as the database knows it; and the locks by which two administrators wait for each other.

Rule: ``claim`` before anything that puts a lesson onto a time, a person or a room. It locks the rows of each resource
and day in one order, then looks: so the clash that came a moment before us is seen, on SQLite and on PostgreSQL.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.clock import CITY
from server.errors import ConflictError
from server.lessons.models import Lesson, Receipt
from server.schools.models import Room, School
from server.scope import Scope
from server.timetable.conflicts import Clash, Entry, Resource, clashes, days_needed, entry
from server.timetable.models import ResourceDay

ZONE = timedelta(hours=8)
"""Asia/Shanghai, without summer time since 1991."""
BATCH = 400
"""Locks a statement."""
NAMED = 20
"""Clashes that a refusal names; a clerk mends the first ones first."""


def entry_of(lesson: Lesson) -> Entry:
    people = [lesson.teacher_id, *(receipt.assistant_id for receipt in lesson.receipts)]
    rooms = [lesson.lead_room_id, *(receipt.room_id for receipt in lesson.receipts)]
    return entry(lesson.id, lesson.starts_at, lesson.ends_at, people=people, rooms=rooms)


async def lock(session: AsyncSession, scope: Scope, entries: Iterable[Entry]) -> None:
    """One row a resource and day, taken in the order of their key by everybody: no deadlock, no race."""
    if session.get_bind().dialect.name != "postgresql":
        return  # BEGIN IMMEDIATE: whoever writes has the database to themselves
    keys = [(key, date.fromisoformat(day)) for key, day in days_needed(entries, ZONE)]
    for start in range(0, len(keys), BATCH):
        rows = [{"resource": key, "day": day} for key, day in keys[start : start + BATCH]]
        await session.execute(insert(ResourceDay).values(rows).on_conflict_do_nothing())
    columns = tuple_(ResourceDay.resource, ResourceDay.day)
    for start in range(0, len(keys), BATCH):
        held = select(ResourceDay.day).where(columns.in_(keys[start : start + BATCH]))
        await session.execute(held.order_by(ResourceDay.resource, ResourceDay.day).with_for_update())


async def taken(
    session: AsyncSession, scope: Scope, needs: Collection[Resource], start: datetime, end: datetime
) -> list[Entry]:
    """Lessons that need some of this in [start, end), whoever may see them. Called-off ones need nothing."""
    people = sorted(one.id for one in needs if one.kind == "person")
    rooms = sorted(one.id for one in needs if one.kind == "room")
    span = (Lesson.starts_at < end, Lesson.ends_at > start, Lesson.state != "cancelled")
    wanted = or_(Receipt.room_id.in_(rooms), Receipt.assistant_id.in_(people))
    received = select(Receipt.lesson_id).join(Lesson, Lesson.id == Receipt.lesson_id).where(*span, wanted)
    led = or_(Lesson.lead_room_id.in_(rooms), Lesson.teacher_id.in_(people))
    columns = (Lesson.id, Lesson.starts_at, Lesson.ends_at, Lesson.teacher_id, Lesson.lead_room_id)
    rows = (await session.execute(select(*columns).where(*span, or_(led, Lesson.id.in_(received))))).all()
    places = await _receipts(session, [row.id for row in rows])
    return [
        entry(
            row.id,
            row.starts_at,
            row.ends_at,
            people=[row.teacher_id, *(assistant for _, assistant in places[row.id])],
            rooms=[row.lead_room_id, *(room for room, _ in places[row.id])],
        )
        for row in rows
    ]


async def _receipts(session: AsyncSession, lessons: Sequence[str]) -> dict[str, list[tuple[str, str | None]]]:
    found: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for start in range(0, len(lessons), BATCH):
        query = select(Receipt.lesson_id, Receipt.room_id, Receipt.assistant_id)
        for row in await session.execute(query.where(Receipt.lesson_id.in_(lessons[start : start + BATCH]))):
            found[row.lesson_id].append((row.room_id, row.assistant_id))
    return found


async def look(
    session: AsyncSession, scope: Scope, wanted: Sequence[Entry], without: Collection[str] = ()
) -> list[Clash]:
    """What stands in the way of these lessons, themselves and ``without`` left out."""
    if not wanted:
        return []
    needs = frozenset(need for one in wanted for need in one.needs)
    first, last = min(one.starts_at for one in wanted), max(one.ends_at for one in wanted)
    held = await taken(session, scope, needs, first, last)
    return clashes(wanted, [one for one in held if one.id not in without])


async def claim(session: AsyncSession, scope: Scope, wanted: Sequence[Entry], without: Collection[str] = ()) -> None:
    """Lock, look, refuse with every clash named; or the way is free until this transaction ends."""
    await lock(session, scope, wanted)
    found = await look(session, scope, wanted, without)
    if found:
        raise await refusal(session, scope, found)


async def refusal(session: AsyncSession, scope: Scope, found: Sequence[Clash]) -> ConflictError:
    """The clashes in words: which person or room, which lesson has them, when."""
    named = await named_clashes(session, scope, found)
    first = named[0]
    teacher = first["kind"] == "person"
    words = {"title": first["title"], "day": first["day"], "time": first["time"], "more": len(found) - 1}
    if teacher:
        return ConflictError("lesson_teacher_busy", teacher=first["name"], clashes=named, **words)
    return ConflictError("lesson_room_busy", room=first["name"], clashes=named, **words)


async def named_clashes(session: AsyncSession, scope: Scope, found: Sequence[Clash]) -> list[dict[str, str]]:
    some = found[:NAMED]
    ids = {clash.held.id for clash in some} | {clash.wanted.id for clash in some}
    people = {clash.resource.id for clash in some if clash.resource.kind == "person"}
    rooms = {clash.resource.id for clash in some if clash.resource.kind == "room"}
    titles = {
        row.id: row.title for row in await session.execute(select(Lesson.id, Lesson.title).where(Lesson.id.in_(ids)))
    }
    names = {
        row.id: row.name for row in await session.execute(select(Person.id, Person.name).where(Person.id.in_(people)))
    }
    query = select(Room.id, School.short_name, Room.name).join(School, School.id == Room.school_id)
    for row in await session.execute(query.where(Room.id.in_(rooms))):
        names[row.id] = f"{row.short_name} {row.name}"
    return [_named(clash, names, titles) for clash in some]


def _named(clash: Clash, names: dict[str, str], titles: dict[str, str]) -> dict[str, str]:
    start = clash.held.starts_at.astimezone(CITY)
    return {
        "kind": clash.resource.kind,
        "name": names.get(clash.resource.id, ""),
        "lesson": clash.held.id if clash.held.id in titles else "",
        "title": titles.get(clash.held.id, ""),
        "day": f"{start:%Y-%m-%d}",
        "time": f"{start:%H:%M}–{clash.held.ends_at.astimezone(CITY):%H:%M}",
        "wanted": clash.wanted.id,
    }
