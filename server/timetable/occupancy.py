"""Locks by which two administrators wait for each other, and what is refused in which words (``taken``: who has what).

Rule: ``claim`` before anything that puts a lesson or an activity onto a time, a person, a room or a class. It locks the
rows of each resource and day in one order, then looks: so the clash that came a moment before us is seen, on SQLite and
on PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import date, timedelta

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.clock import CITY
from server.errors import ConflictError
from server.lessons.models import Lesson
from server.lessons.store import visible as visible_lesson
from server.ordinary import store as ordinary
from server.ordinary import words as hour_words
from server.ordinary.falls import slot_of
from server.ordinary.models import OrdinarySlot
from server.schools.models import Room, School, SchoolClass
from server.scope import SYSTEM, Scope
from server.studios.activities.models import Activity
from server.studios.activities.store import visible as visible_activity
from server.timetable.conflicts import Clash, Entry, clashes, days_needed, entry
from server.timetable.models import ResourceDay
from server.timetable.taken import devices, equipped, taken

ZONE = timedelta(hours=8)
"""Asia/Shanghai, without summer time since 1991."""
BATCH = 400
"""Locks a statement."""
NAMED = 20
"""Clashes that a refusal names; a clerk mends the first ones first."""


def entry_of(lesson: Lesson) -> Entry:
    if lesson.robots:
        return entry(lesson.id, lesson.starts_at, lesson.ends_at)
    people = [lesson.teacher_id, *(receipt.assistant_id for receipt in lesson.receipts)]
    rooms = [lesson.lead_room_id, *(receipt.room_id for receipt in lesson.receipts)]
    classes = [lesson.lead_class_id, *(receipt.class_id for receipt in lesson.receipts)]
    return entry(lesson.id, lesson.starts_at, lesson.ends_at, people=people, rooms=rooms, classes=classes)


async def lock(session: AsyncSession, scope: Scope, entries: Iterable[Entry]) -> None:
    """One row a resource and day, taken in the order of their key by everybody: no deadlock, no race."""
    if session.get_bind().dialect.name != "postgresql":
        return  # BEGIN IMMEDIATE: whoever writes has the database to themselves
    needed = days_needed(equipped(entries, await devices(session, scope)), ZONE)
    keys = [(key, date.fromisoformat(day)) for key, day in needed]
    for start in range(0, len(keys), BATCH):
        rows = [{"resource": key, "day": day} for key, day in keys[start : start + BATCH]]
        await session.execute(insert(ResourceDay).on_conflict_do_nothing(), rows)
    columns = tuple_(ResourceDay.resource, ResourceDay.day)
    for start in range(0, len(keys), BATCH):
        held = select(ResourceDay.day).where(columns.in_(keys[start : start + BATCH]))
        await session.execute(held.order_by(ResourceDay.resource, ResourceDay.day).with_for_update())


async def look(
    session: AsyncSession,
    scope: Scope,
    wanted: Sequence[Entry],
    without: Collection[str] = (),
    stood: Collection[Entry] = (),
) -> list[Clash]:
    """What stands in the way of these lessons, themselves and ``without`` left out.

    ``stood``: as they were. A school's ordinary hours give way to what stood beside them: who sends another assistant
    at the last minute need not first mend the school's timetable.
    """
    if not wanted:
        return []
    known = await devices(session, scope)
    wanted = equipped(wanted, known)
    needs = frozenset(need for one in wanted for need in one.needs)
    first, last = min(one.starts_at for one in wanted), max(one.ends_at for one in wanted)
    held = await taken(session, scope, needs, first, last, known)
    found = _plain(clashes(wanted, [one for one in held if one.id not in without]))
    before = {one.id: one for one in stood}
    return [one for one in found if not (slot_of(one.held.id) and _beside(one, before.get(one.wanted.id)))]


def _beside(clash: Clash, before: Entry | None) -> bool:
    """Whether the lesson, as it was, had this at that time already."""
    return before is not None and clash.resource in before.needs and before.meets(clash.held)


def _plain(found: list[Clash]) -> list[Clash]:
    """A room in the way is named by itself: that its camera is the same one goes without saying."""
    rooms = {(one.wanted.id, one.held.id) for one in found if one.resource.kind == "room"}
    return [one for one in found if one.resource.kind != "device" or (one.wanted.id, one.held.id) not in rooms]


async def claim(
    session: AsyncSession,
    scope: Scope,
    wanted: Sequence[Entry],
    without: Collection[str] = (),
    stood: Collection[Entry] = (),
) -> None:
    """Lock, look, refuse with every clash named as the asker may know it; or the way is free until this transaction
    ends. Looked for is what stands in the way, whoever may see it."""
    await lock(session, SYSTEM, wanted)
    found = await look(session, SYSTEM, wanted, without, stood)
    if found:
        raise await refusal(session, scope, found)


REFUSALS = {"person": ("lesson_teacher_busy", "teacher"), "room": ("lesson_room_busy", "room")}
"""(error, the word that names who or what)."""


async def refusal(session: AsyncSession, scope: Scope, found: Sequence[Clash]) -> ConflictError:
    """The clashes in words: which person, room, class or device, which lesson has it, when. Of a lesson that the asker
    may not see, only that there is one."""
    named = await named_clashes(session, scope, found)
    first = named[0]
    words = {"title": first["title"], "day": first["day"], "time": first["time"], "more": len(found) - 1}
    key, name = REFUSALS.get(first["kind"], (f"lesson_{first['kind']}_busy", "name"))
    key = key if first["title"] else key.replace("_busy", "_taken")
    if first["period"]:
        key, name = "lesson_ordinary", "name"
        words |= {one: first[one] for one in ("subject_key", "weekday_key", "period")}
    return ConflictError(key, clashes=named, **{name: first["name"]}, **words)


async def named_clashes(
    session: AsyncSession, scope: Scope, found: Sequence[Clash], most: int = NAMED
) -> list[dict[str, str]]:
    """Titles of what the scope may see; of the rest only that somebody or something is taken."""
    some = found[:most]
    if not some:
        return []
    ids = {clash.held.id for clash in some} | {clash.wanted.id for clash in some}
    lessons = await session.execute(select(Lesson.id, Lesson.title).where(Lesson.id.in_(ids), visible_lesson(scope)))
    activities = await session.execute(
        select(Activity.id, Activity.title).where(Activity.id.in_(ids), visible_activity(scope))
    )
    titles = {row.id: (row.title, f"/lessons/{row.id}") for row in lessons}
    titles |= {row.id: (row.title, f"/activities/{row.id}") for row in activities}
    slots = {clash.held.id: slot for clash in some if (slot := slot_of(clash.held.id))}
    hours = await ordinary.named(session, scope, set(slots.values()))
    names = await _names(session, some)
    return [_named(clash, names, titles) | _hour(clash, hours.get(slots.get(clash.held.id, ""))) for clash in some]


NO_HOUR = {"subject_key": "", "weekday_key": "", "period": ""}


def _hour(clash: Clash, hour: OrdinarySlot | None) -> dict[str, str]:
    """Of an ordinary hour: whose it is beside what clashes, which subject, when in the week."""
    if hour is None:
        return NO_HOUR
    href = f"/timetable/ordinary?term={hour.term}&school={hour.school_id}"
    return {"lesson": hour.id, "href": href, "hidden": "", **hour_words.words(hour, clash.resource.kind)}


async def _names(session: AsyncSession, some: Sequence[Clash]) -> dict[str, str]:
    wanted = {kind: {one.resource.id for one in some if one.resource.kind == kind} for kind in ("person", "room")}
    people = await session.execute(select(Person.id, Person.name).where(Person.id.in_(wanted["person"])))
    names = {row.id: row.name for row in people}
    device_of = {}
    if shared := {one.resource.id for one in some if one.resource.kind == "device"}:
        device_of = {room: device for room, device in (await devices(session, Scope())).items() if device in shared}
    rooms = select(Room.id, School.short_name, Room.name).join(School, School.id == Room.school_id)
    for row in await session.execute(rooms.where(Room.id.in_(wanted["room"] | set(device_of)))):
        names[device_of.get(row.id, row.id)] = names[row.id] = f"{row.short_name} {row.name}"
    if classes := {one.resource.id for one in some if one.resource.kind == "class"}:
        for one in (await session.scalars(select(SchoolClass).where(SchoolClass.id.in_(classes)))).unique():
            names[one.id] = f"{one.school.short_name} {one.called}"
    return names


def _named(clash: Clash, names: dict[str, str], titles: dict[str, tuple[str, str]]) -> dict[str, str]:
    start = clash.held.starts_at.astimezone(CITY)
    title, href = titles.get(clash.held.id, ("", ""))
    return {
        "kind": clash.resource.kind,
        "name": names.get(clash.resource.id, ""),
        "lesson": clash.held.id if title else "",
        "title": title,
        "href": href,
        "day": f"{start:%Y-%m-%d}",
        "time": f"{start:%H:%M}–{clash.held.ends_at.astimezone(CITY):%H:%M}",
        "wanted": clash.wanted.id,
        "hidden": "" if title or clash.held.id.startswith("new ") else "yes",
    }
