"""Rules of activities: the studio's host (or who administers above) plans them; they take people and rooms as lessons
do, tell everybody concerned, and keep their id through every move.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.notices import service as notices
from server.notices import store as noticed
from server.outbox import service as outbox
from server.outbox.events import of_activity
from server.schools.models import Room
from server.scope import SYSTEM, Part, Scope, allows
from server.studios import store as studios
from server.studios.activities import store
from server.studios.activities.models import Activity, ActivityPerson, ActivityPlace
from server.studios.activities.schemas import ActivityBody, ActivitySeen, CallOff
from server.studios.models import Studio
from server.timetable import occupancy
from server.timetable.conflicts import Entry, entry

AHEAD = timedelta(days=400)
MOST = 500
"""Activities of one order."""


def part_of(studio: Studio) -> Part:
    return Part(school=studio.school_id, district=studio.school.supervised_by, studio=studio.id)


def may_write(scope: Scope, studio: Studio) -> bool:
    return allows(scope, "studio.write", part_of(studio))


async def studio_for(session: AsyncSession, scope: Scope, studio_id: str) -> Studio:
    """The studio, for somebody who may plan for it."""
    studio = await studios.studio(session, scope, studio_id)
    if studio is None:
        raise NotFoundError
    if not may_write(scope, studio):
        raise ForbiddenError
    return studio


async def get(session: AsyncSession, scope: Scope, activity_id: str, *, lock: bool = False) -> Activity:
    row = await store.activity(session, scope, activity_id, lock=lock)
    if row is None:
        raise NotFoundError
    return row


async def _for(session: AsyncSession, scope: Scope, activity_id: str, sequence: int | None) -> Activity:
    """The activity, locked, for somebody who may change it and saw it as it is."""
    row = await get(session, scope, activity_id, lock=True)
    if not may_write(scope, row.studio):
        raise ForbiddenError
    if row.state == "cancelled":
        raise ConflictError("activity_over")
    if sequence is not None and sequence != row.sequence:
        raise ConflictError("lesson_changed")
    return row


# --- whom and which rooms a studio may take ---------------------------------------------------------------------------


async def members(session: AsyncSession, studio: Studio, day: date) -> list[Person]:
    ids = [studio.host_id, *(one.person_id for one in studios.members_on(studio, day))]
    return await store.people(session, SYSTEM, ids)


async def rooms(session: AsyncSession, studio: Studio, day: date) -> list[Room]:
    """Of the studio's school and of its members' schools: 同步教研 sits in several."""
    people = await members(session, studio, day)
    schools = {studio.school_id} | {one.school_id for one in people if one.school_id}
    return await store.rooms(session, SYSTEM, sorted(schools))


async def _checked(
    session: AsyncSession, studio: Studio, body: ActivityBody, now: datetime
) -> tuple[list[Room], list[Person]]:
    if not now < body.starts_at < now + AHEAD:
        raise InvalidError("activity_when", field="starts_at")
    day = city_date(body.starts_at)
    open_rooms = {one.id: one for one in await rooms(session, studio, day)}
    open_people = {one.id: one for one in await members(session, studio, day)}
    if any(one not in open_rooms for one in body.rooms):
        raise InvalidError("activity_room", field="rooms")
    wanted = dict.fromkeys([studio.host_id, *body.people])
    if any(one not in open_people for one in wanted):
        raise InvalidError("activity_people", field="people")
    return [open_rooms[one] for one in dict.fromkeys(body.rooms)], [open_people[one] for one in wanted]


def entry_of(row: Activity) -> Entry:
    people = [one.person_id for one in row.people]
    return entry(row.id, row.starts_at, row.ends_at, people=people, rooms=[one.room_id for one in row.places])


def _fill(row: Activity, body: ActivityBody, places: Sequence[Room], people: Sequence[Person]) -> None:
    row.kind, row.title, row.note = body.kind, body.title.strip(), body.note.strip()
    row.starts_at, row.ends_at = body.starts_at, body.starts_at + timedelta(minutes=body.minutes)
    there = {one.room_id: one for one in row.places}
    row.places = [
        there.get(room.id) or ActivityPlace(id=new_id(), room_id=room.id, room=room, position=position)
        for position, room in enumerate(places, 1)
    ]
    joined = {one.person_id: one for one in row.people}
    row.people = [joined.get(one.id) or ActivityPerson(id=new_id(), person_id=one.id, person=one) for one in people]


# --- planning ---------------------------------------------------------------------------------------------------------


async def plan(session: AsyncSession, scope: Scope, studio_id: str, body: ActivityBody, now: datetime) -> Activity:
    studio = await studio_for(session, scope, studio_id)
    places, people = await _checked(session, studio, body, now)
    row = Activity(
        id=new_id(), studio_id=studio.id, studio=studio, state="planned", created_by=scope.person, created_at=now,
        sequence=0, cancel_note="", places=[], people=[],
    )  # fmt: skip
    with session.no_autoflush:
        _fill(row, body, places, people)
        await occupancy.claim(session, scope, [entry_of(row)])
    await store.add(session, scope, row)
    await _tell(session, scope, row, "activity", now)
    return row


async def change(session: AsyncSession, scope: Scope, activity_id: str, body: ActivityBody, now: datetime) -> Activity:
    """Who no longer takes part is told as well."""
    row = await _for(session, scope, activity_id, body.sequence)
    places, people = await _checked(session, row.studio, body, now)
    old, before = row.starts_at, [one.person_id for one in row.people]
    with session.no_autoflush:
        stood = entry_of(row)
        _fill(row, body, places, people)
        await occupancy.claim(session, scope, [entry_of(row)], stood=[stood])
    row.sequence, row.changed_at = row.sequence + 1, now
    await session.flush()
    await _tell(session, scope, row, "activity_moved", now, before, {"old_at": old.isoformat()})
    return row


async def call_off(session: AsyncSession, scope: Scope, activity_id: str, body: CallOff, now: datetime) -> Activity:
    row = await _for(session, scope, activity_id, body.sequence)
    if row.ends_at <= now:
        raise ConflictError("activity_over")
    row.state, row.cancel_note = "cancelled", body.note.strip()
    row.sequence, row.changed_at = row.sequence + 1, now
    await session.flush()
    await _tell(session, scope, row, "activity_cancelled", now, (), {"note": row.cancel_note})
    return row


async def ahead(session: AsyncSession, scope: Scope, start: datetime, end: datetime, now: datetime) -> list[Activity]:
    """Of studios that the asker keeps: starting in [start, end)."""
    found = await store.ahead(session, scope, start, end, now, MOST)
    return [one for one in found if may_write(scope, one.studio)]


async def call_off_by_order(
    session: AsyncSession, scope: Scope, row: Activity, note: str, batch: str, now: datetime
) -> None:
    row = await call_off(session, scope, row.id, CallOff(note=note), now)
    row.cancel_batch = batch


async def restore(session: AsyncSession, scope: Scope, batch: str, now: datetime) -> list[Activity]:
    """What an order called off and has not begun, if the old times are still free; everybody is told."""
    found = await store.of_batch(session, scope, batch, lock=True)
    rows = [one for one in found if may_write(scope, one.studio) and one.starts_at > now]
    with session.no_autoflush:
        for row in rows:
            row.state, row.cancel_note, row.cancel_batch = "planned", "", None
            row.sequence, row.changed_at = row.sequence + 1, now
        standing = [entry_of(one) for one in rows]
        await occupancy.claim(session, scope, standing, stood=standing)
    await session.flush()
    for row in rows:
        await _tell(session, scope, row, "activity", now)
    return rows


async def _tell(
    session: AsyncSession,
    scope: Scope,
    row: Activity,
    key: str,
    now: datetime,
    also: Sequence[str] = (),
    words: dict[str, str] | None = None,
) -> None:
    """Who takes part, and who answers for the schools whose rooms it takes."""
    schools = {one.room.school_id for one in row.places}
    people = [*(one.person_id for one in row.people), *also]
    people += await noticed.holders(session, SYSTEM, schools, city_date(now))
    named = {
        "studio": row.studio.name,
        "title": row.title,
        "starts_at": row.starts_at.isoformat(),
        "place": place_of(row) or "—",
        **(words or {}),
    }
    await notices.tell(session, scope, people, key, named, f"/activities/{row.id}", now)
    await outbox.announce(session, of_activity(key, row, now), now)


def place_of(row: Activity) -> str:
    return "、".join(one.room.called for one in row.places)


def seen(row: Activity) -> ActivitySeen:
    return ActivitySeen(
        id=row.id,
        studio=row.studio_id,
        studio_name=row.studio.name,
        kind=row.kind,
        title=row.title,
        note=row.note,
        state=row.state,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        rooms=[one.room.called for one in row.places],
        people=[one.person.name for one in row.people],
        sequence=row.sequence,
    )
