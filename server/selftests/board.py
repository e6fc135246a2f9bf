"""The board of a day's lessons with each room's light, and the measured lines, for whoever looks after them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import ForbiddenError
from server.lessons import store as lessons
from server.lessons.models import Lesson, Receipt
from server.lessons.schemas import LessonFilter
from server.lessons.service import day_bounds
from server.schools.models import Room, School
from server.schools.service import part_of
from server.scope import Scope, allows
from server.selftests import store
from server.selftests.lines import RECENT, Line, carries, measured
from server.selftests.schedule import OVERTIME
from server.selftests.service import RoomLight, may_see, room_lights

MOST = 60
"""Lessons one look judges. A city of thirty classrooms has sixty a day; a full city has thousands, and is shown what
comes next."""
TODAY = ("published", "waiting", "live", "closed", "registered")
OVER = ("closed", "registered")


@dataclass(frozen=True, slots=True)
class Lamp:
    """One room of a lesson with its light."""

    room: Room
    light: RoomLight
    band: str
    lead: bool
    phone: str
    whom: str
    """Whose number that is: the assistant's name, or the school's."""


@dataclass(frozen=True, slots=True)
class Row:
    lesson: Lesson
    lamps: list[Lamp]
    over: bool

    @property
    def bad(self) -> int:
        return sum(1 for one in self.lamps if one.band == "bad")


async def board(session: AsyncSession, scope: Scope, wanted: LessonFilter, now: datetime) -> tuple[list[Row], int]:
    """Today's lessons by time; where they are more than one look judges, the next that are not over, and how many there
    are in all (else 0)."""
    if not allows(scope, "light.read"):
        raise ForbiddenError
    start, end = day_bounds(now)
    today = wanted.model_copy(update={"starts_from": start, "starts_before": end, "states": TODAY, "limit": MOST})
    found, count = await lessons.page(session, scope, today)
    if count > MOST:
        going = tuple(state for state in TODAY if state not in OVER)
        left = today.model_copy(update={"ends_after": now - OVERTIME, "states": going})
        found = await lessons.lessons(session, scope, left)
    return await lit(session, scope, found, now, only_mine=True), count if count > MOST else 0


async def lit(
    session: AsyncSession, scope: Scope, found: Sequence[Lesson], now: datetime, *, only_mine: bool = False
) -> list[Row]:
    """These lessons with the lights of their rooms. ``only_mine``: rooms the asker looks after, no lesson without."""
    open_ = [one for one in found if not _over(one, now)]
    rooms = {room.id for one in open_ for room in (one.lead_room, *(receipt.room for receipt in one.receipts))}
    lights = await room_lights(session, scope, rooms, now)
    rows = []
    for lesson in found:
        over = _over(lesson, now)
        held = [receipt for receipt in lesson.receipts if not only_mine or may_see(scope, receipt.room, lesson)]
        lamps = [] if over else [_lamp(lesson, one, lights[one.room_id], now) for one in held]
        lead = lights.get(lesson.lead_room_id)
        # A lead room without a screen of its own is usual: its teacher's computer is not a kiosk.
        if not over and lead is not None and lead.cause != "unbound" and (not only_mine or _sees_lead(scope, lesson)):
            lamps.insert(0, _lead_lamp(lesson, lead, now))
        if held or _sees_lead(scope, lesson) or not only_mine:
            rows.append(Row(lesson, lamps, over))
    return rows


def _over(lesson: Lesson, now: datetime) -> bool:
    return lesson.state in OVER or (lesson.state != "live" and lesson.ends_at <= now)


def _sees_lead(scope: Scope, lesson: Lesson) -> bool:
    return may_see(scope, lesson.lead_room, lesson)


def _lamp(lesson: Lesson, receipt: Receipt, light: RoomLight, now: datetime) -> Lamp:
    band = light.band(lesson.starts_at, now)
    aide, school = receipt.assistant, receipt.room.school
    if aide is not None and aide.phone:
        return Lamp(receipt.room, light, band, False, aide.phone, aide.name)
    return Lamp(receipt.room, light, band, False, school.phone or "", school.short_name)


def _lead_lamp(lesson: Lesson, light: RoomLight, now: datetime) -> Lamp:
    room, teacher = lesson.lead_room, lesson.teacher
    phone = teacher.phone or room.school.phone or ""
    return Lamp(
        room,
        light,
        light.band(lesson.starts_at, now),
        True,
        phone,
        teacher.name if teacher.phone else room.school.short_name,
    )


MOST_IDLE = 600
"""Rooms that one look judges: a district's. A city chooses a district first."""
SHOWN_IDLE = 24


@dataclass(frozen=True, slots=True)
class Idle:
    """Rooms without a lesson to come today that somebody should look after: red ones, then those that are off."""

    lamps: list[Lamp]
    more: int = 0
    too_many: bool = False


async def idle(session: AsyncSession, scope: Scope, wanted: LessonFilter, now: datetime, *, only_bad: bool) -> Idle:
    """Not of those whose lesson the board shows, or would, were there not so many."""
    if not allows(scope, "light.read"):
        raise ForbiddenError
    rooms = await store.screened(session, scope, wanted.district_id or "", wanted.school_id or "", MOST_IDLE + 1)
    if len(rooms) > MOST_IDLE:
        return Idle([], too_many=True)
    there = await store.awaiting(session, scope, [one.id for one in rooms], now, day_bounds(now)[1])
    mine = [one for one in rooms if one.id not in there and allows(scope, "light.read", part_of(one.school))]
    lights = await room_lights(session, scope, {one.id for one in mine}, now)
    found = [
        one for light in (("red",) if only_bad else ("red", "off")) for one in mine if lights[one.id].light == light
    ]
    return Idle([_idle_lamp(one, lights[one.id]) for one in found[:SHOWN_IDLE]], max(0, len(found) - SHOWN_IDLE))


def _idle_lamp(room: Room, light: RoomLight) -> Lamp:
    band = "bad" if light.light == "red" else "none"
    return Lamp(room, light, band, room.kind == "lead", room.school.phone or "", room.school.short_name)


@dataclass(frozen=True, slots=True)
class MeasuredLine:
    school: School
    line: Line
    receives: int
    leads: int


async def lines(session: AsyncSession, scope: Scope, now: datetime) -> list[MeasuredLine]:
    """Every measured line the asker looks after, the narrowest first."""
    if not allows(scope, "light.read"):
        raise ForbiddenError
    rows = await store.measures(session, scope, None, now - RECENT)
    schools = await store.schools(session, scope, list(rows))
    held = [(one, measured(rows[one.id])) for one in schools if allows(scope, "light.read", part_of(one))]
    found = [
        MeasuredLine(school, line, carries(line, leads=False), carries(line, leads=True))
        for school, line in held
        if line is not None
    ]
    return sorted(found, key=lambda one: (one.line.down, one.school.code))
