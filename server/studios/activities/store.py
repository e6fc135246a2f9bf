"""SQL of activities. ``visible``: who takes part, whose room it takes, who runs or supervises the studio."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, exists, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.feeds.models import Feed
from server.schools.models import Room, School
from server.scope import Scope
from server.studios.activities.models import Activity, ActivityPerson, ActivityPlace
from server.studios.models import Studio


def _joined(person: str) -> ColumnElement[bool]:
    return exists().where(ActivityPerson.activity_id == Activity.id, ActivityPerson.person_id == person)


def _placed(room_is: ColumnElement[bool]) -> ColumnElement[bool]:
    rooms = select(Room.id).join(School, School.id == Room.school_id).where(room_is)
    return exists().where(ActivityPlace.activity_id == Activity.id, ActivityPlace.room_id.in_(rooms))


def visible(scope: Scope) -> ColumnElement[bool]:
    if scope.city or scope.system:
        return true()
    ways: list[ColumnElement[bool]] = []
    schools = scope.schools | ({scope.school} if scope.school and not scope.has("pupil") else frozenset())
    if scope.person:
        ways.append(_joined(scope.person))
    if scope.studios:
        ways.append(Activity.studio_id.in_(scope.studios))
    if schools:
        ways.append(_placed(School.id.in_(schools)))
    if scope.districts:
        studios = select(Studio.id).join(School, School.id == Studio.school_id)
        ways.append(Activity.studio_id.in_(studios.where(School.supervised_by.in_(scope.districts))))
        ways.append(_placed(School.supervised_by.in_(scope.districts)))
    return or_(*ways) if ways else false()


async def activity(session: AsyncSession, scope: Scope, activity_id: str, *, lock: bool = False) -> Activity | None:
    query = select(Activity).where(Activity.id == activity_id, visible(scope))
    return await session.scalar(query.with_for_update(of=Activity) if lock else query)


async def of_studio(session: AsyncSession, scope: Scope, studio_id: str, start: datetime, limit: int) -> list[Activity]:
    """From a moment on, the next first; called-off ones too: people plan by them."""
    query = select(Activity).where(Activity.studio_id == studio_id, Activity.ends_at > start, visible(scope))
    return list((await session.scalars(query.order_by(Activity.starts_at, Activity.id).limit(limit))).unique())


async def of_person(session: AsyncSession, scope: Scope, start: datetime, end: datetime) -> list[Activity]:
    """Those the asker takes part in, starting in [start, end)."""
    if scope.person is None:
        return []
    query = select(Activity).where(_joined(scope.person), Activity.starts_at >= start, Activity.starts_at < end)
    query = query.where(Activity.state != "cancelled").order_by(Activity.starts_at, Activity.id)
    return list((await session.scalars(query)).unique())


async def ahead(
    session: AsyncSession, scope: Scope, start: datetime, end: datetime, now: datetime, most: int
) -> list[Activity]:
    """Planned ones that start in [start, end) and are not over."""
    query = select(Activity).where(Activity.starts_at >= start, Activity.starts_at < end, Activity.ends_at > now)
    query = query.where(Activity.state == "planned", visible(scope)).order_by(Activity.starts_at, Activity.id)
    return list((await session.scalars(query.limit(most))).unique())


async def of_batch(session: AsyncSession, scope: Scope, batch: str, *, lock: bool = False) -> list[Activity]:
    """Those that one 停课令 called off."""
    query = select(Activity).where(Activity.cancel_batch == batch, visible(scope)).order_by(Activity.id)
    return list((await session.scalars(query.with_for_update(of=Activity) if lock else query)).unique())


async def in_week(
    session: AsyncSession, scope: Scope, of: str, id_: str, start: datetime, end: datetime
) -> list[Activity]:
    """What a week grid shows beside lessons: of a teacher, room, school or district."""
    ways: dict[str, ColumnElement[bool]] = {
        "teacher": _joined(id_),
        "room": _placed(Room.id == id_),
        "school": _placed(School.id == id_),
        "district": _placed(School.supervised_by == id_),
    }
    if of not in ways:
        return []
    query = select(Activity).where(ways[of], visible(scope), Activity.state != "cancelled")
    query = query.where(Activity.starts_at >= start, Activity.starts_at < end)
    return list((await session.scalars(query.order_by(Activity.starts_at, Activity.id))).unique())


async def in_feed(session: AsyncSession, scope: Scope, feed: Feed, start: datetime, end: datetime) -> list[Activity]:
    """Of the feed's person or room, called-off ones too."""
    mine = _placed(Room.id == feed.room_id) if feed.room_id else _joined(feed.person_id or "")
    query = select(Activity).where(mine, Activity.starts_at >= start, Activity.starts_at < end)
    return list((await session.scalars(query.order_by(Activity.starts_at, Activity.id))).unique())


async def rooms(session: AsyncSession, scope: Scope, schools: Collection[str]) -> list[Room]:
    """Rooms of schools the service has named, open ones."""
    query = select(Room).where(Room.school_id.in_(schools), Room.closed_on.is_(None))
    return list((await session.scalars(query.order_by(Room.school_id, Room.kind, Room.name))).unique())


async def people(session: AsyncSession, scope: Scope, ids: Collection[str]) -> list[Person]:
    query = select(Person).where(Person.id.in_(ids), Person.disabled_at.is_(None))
    return list(await session.scalars(query.order_by(Person.school_id, Person.name)))


async def add(session: AsyncSession, scope: Scope, row: Activity) -> None:
    session.add(row)
    await session.flush()
