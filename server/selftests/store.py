"""SQL of self tests, and of the rooms and lessons they are about."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import ForbiddenError
from server.lessons.models import Lesson, Receipt
from server.lessons.whose import Span, led_or_received, one_of
from server.schools.models import Device, Room, School
from server.schools.store import visible
from server.scope import Scope
from server.selftests.lines import MEASURES
from server.selftests.models import SelfTest
from server.selftests.schedule import OVERTIME

GOING = ("published", "waiting", "live")
Measure = tuple[int, int, datetime]


async def add(session: AsyncSession, scope: Scope, row: SelfTest) -> None:
    session.add(row)
    await session.flush()


async def of_rooms(
    session: AsyncSession, scope: Scope, rooms: Collection[str], since: datetime
) -> dict[str, list[SelfTest]]:
    """Tests since a moment by room, the oldest first. Whoever asks has named rooms they may see."""
    query = select(SelfTest).where(SelfTest.room_id.in_(rooms), SelfTest.at >= since).order_by(SelfTest.at)
    found: dict[str, list[SelfTest]] = defaultdict(list)
    for row in await session.scalars(query):
        found[row.room_id].append(row)
    return found


async def history(session: AsyncSession, scope: Scope, room: str, most: int) -> list[SelfTest]:
    """A room's tests, the newest first."""
    query = select(SelfTest).where(SelfTest.room_id == room).order_by(SelfTest.at.desc()).limit(most)
    return list(await session.scalars(query))


async def devices(session: AsyncSession, scope: Scope, rooms: Collection[str]) -> list[Device]:
    """Screens bound to these rooms."""
    query = select(Device).where(Device.room_id.in_(rooms), Device.revoked_at.is_(None))
    return list(await session.scalars(query))


async def screened(session: AsyncSession, scope: Scope, district: str, school: str, most: int) -> list[Room]:
    """Rooms with a bound screen of the asker's part of the city, of a district or a school if one is named."""
    bound = exists().where(Device.room_id == Room.id, Device.revoked_at.is_(None))
    query = select(Room).join(School, School.id == Room.school_id).where(visible(scope), bound)
    query = query.where(Room.closed_on.is_(None), School.closed_on.is_(None))
    query = query.where(School.supervised_by == district) if district else query
    query = query.where(School.id == school) if school else query
    return list((await session.scalars(query.order_by(School.code, Room.name).limit(most))).unique())


async def awaiting(
    session: AsyncSession, scope: Scope, rooms: Collection[str], start: datetime, end: datetime
) -> set[str]:
    """Those of the rooms in which a lesson runs or is to come in [start, end), whoever may see it."""
    span = Span.touching(start, end)
    ahead = (Lesson.starts_at < end, Lesson.state.in_(GOING), or_(Lesson.state == "live", Lesson.ends_at > start))
    led = select(Lesson.lead_room_id).where(*ahead, *span.holds(Lesson.starts_at), Lesson.lead_room_id.in_(rooms))
    heard = select(Receipt.room_id).join(Lesson, Lesson.id == Receipt.lesson_id)
    heard = heard.where(*ahead, *span.holds(Receipt.starts_at), Receipt.room_id.in_(rooms))
    return set(await session.scalars(led)) | set(await session.scalars(heard))


async def room(session: AsyncSession, scope: Scope, room_id: str) -> Room | None:
    return await session.get(Room, room_id)


# --- lines ------------------------------------------------------------------------------------------------------------


async def measures(
    session: AsyncSession, scope: Scope, schools: Collection[str] | None, since: datetime
) -> dict[str, list[Measure]]:
    """(up, down, at) by school, the newest first, no more than count; None: of all the asker's pages may name."""
    query = select(SelfTest.school_id, SelfTest.up_kbps, SelfTest.down_kbps, SelfTest.at)
    query = query.where(SelfTest.at >= since, SelfTest.up_kbps.is_not(None), SelfTest.down_kbps.is_not(None))
    if schools is not None:
        query = query.where(SelfTest.school_id.in_(schools))
    found: dict[str, list[Measure]] = defaultdict(list)
    for school, up, down, at in await session.execute(query.order_by(SelfTest.at.desc())):
        if up is not None and down is not None and len(found[school]) < MEASURES:
            found[school].append((up, down, at))
    return found


async def schools(session: AsyncSession, scope: Scope, ids: Collection[str]) -> list[School]:
    query = select(School).where(School.id.in_(ids)).order_by(School.code)
    return list(await session.scalars(query))


async def school_of(session: AsyncSession, scope: Scope, rooms: Collection[str]) -> dict[str, str]:
    """room -> school"""
    query = select(Room.id, Room.school_id).where(Room.id.in_(rooms))
    return {row.id: row.school_id for row in await session.execute(query)}


async def running_at(session: AsyncSession, scope: Scope, school: str, start: datetime, end: datetime) -> bool:
    """Whether a room of the school has a lesson that is open, or planned to run in [start, end)."""
    rooms = select(Room.id).where(Room.school_id == school)
    here = one_of(led_or_received(rooms, Span.touching(start - OVERTIME, end)))
    planned = (Lesson.starts_at < end) & (Lesson.ends_at > start) & Lesson.state.in_(("published", "waiting"))
    live = (Lesson.state == "live") & (Lesson.ends_at > start - OVERTIME)
    query = select(Lesson.id).where(here, or_(live, planned)).limit(1)
    return (await session.scalar(query)) is not None


Held = tuple[str, str, datetime, datetime, str, list[str]]
"""lesson, title, start, end, lead room, receiving rooms"""


async def lessons_at(
    session: AsyncSession, scope: Scope, schools: Collection[str], start: datetime, end: datetime
) -> list[Held]:
    """Lessons that take something of these schools' lines in [start, end), whoever may see them."""
    rooms = select(Room.id).where(Room.school_id.in_(schools))
    span = (Lesson.starts_at < end, Lesson.ends_at > start, Lesson.state != "cancelled")
    columns = (Lesson.id, Lesson.title, Lesson.starts_at, Lesson.ends_at, Lesson.lead_room_id)
    query = select(*columns).where(*span, one_of(led_or_received(rooms, Span.touching(start, end))))
    rows = (await session.execute(query)).all()
    ids = query.with_only_columns(Lesson.id)
    places: dict[str, list[str]] = defaultdict(list)
    receipts = select(Receipt.lesson_id, Receipt.room_id).where(Receipt.lesson_id.in_(ids))
    for lesson, place in await session.execute(receipts):
        places[lesson].append(place)
    return [(*row, places[row.id]) for row in rows]


async def forget(session: AsyncSession, scope: Scope, before: datetime) -> None:
    if not scope.system:
        raise ForbiddenError
    old = delete(SelfTest).where(SelfTest.at < before)
    await session.execute(old.execution_options(synchronize_session=False))


async def lessons_of(
    session: AsyncSession, scope: Scope, rooms: Sequence[str], start: datetime, end: datetime
) -> list[Lesson]:
    """A room's lessons that touch [start, end), called-off ones left out."""
    query = select(Lesson).where(one_of(led_or_received(rooms, Span.touching(start, end))))
    query = query.where(Lesson.ends_at > start, Lesson.starts_at < end, Lesson.state != "cancelled")
    return list((await session.scalars(query.order_by(Lesson.starts_at).limit(50))).unique())
