"""Rules of self tests: what a screen is told to test, what its results become, which light a room has."""

from __future__ import annotations

import random
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY, city_date
from server.errors import ForbiddenError, NotFoundError
from server.ids import new_id
from server.lessons import store as lessons
from server.lessons.models import Lesson
from server.lessons.service import day_bounds, lead_part
from server.schools.models import Device, Room
from server.schools.service import part_of
from server.scope import SYSTEM, Scope, allows
from server.selftests import schedule, store
from server.selftests.checks import Light, Verdict, judge, merged
from server.selftests.models import SelfTest
from server.selftests.schemas import SelfTestBody
from server.timetable import service as timetable
from server.timetable.bells import in_force
from server.timetable.terms import is_school_day

KEPT = timedelta(days=90)
"""As long as other live telemetry (domain.md section 5)."""
ALIVE = timedelta(minutes=3)
"""A screen asks every five seconds and is written down every minute."""
FRESH = timedelta(minutes=30)
"""So long before its bell a room that is not switched on is red: there is time to ring somebody up."""


@dataclass(frozen=True, slots=True)
class RoomLight:
    light: Light
    cause: str = ""
    tested_at: datetime | None = None
    demo: bool = False

    def band(self, starts_at: datetime, now: datetime) -> str:
        """Colour and shape (components.html, ``status``). 未开机 is alarming only when the lesson is near."""
        if self.light == "off":
            return "bad" if starts_at - now < FRESH else "none"
        return {"green": "good", "yellow": "caution", "red": "bad", "grey": "none"}[self.light]


# --- lights -----------------------------------------------------------------------------------------------------------


async def room_lights(
    session: AsyncSession, scope: Scope, rooms: Collection[str], now: datetime
) -> dict[str, RoomLight]:
    """By room; whoever asks has found these rooms by their own right."""
    since, _ = day_bounds(now)
    screens: dict[str, list[Device]] = {}
    for one in await store.devices(session, scope, rooms):
        screens.setdefault(one.room_id or "", []).append(one)
    tests = await store.of_rooms(session, scope, rooms, since)
    return {room: light_of(screens.get(room, []), tests.get(room, []), now) for room in rooms}


def light_of(screens: Sequence[Device], tests: Sequence[SelfTest], now: datetime) -> RoomLight:
    """Of several screens the one that gave a sign of life last speaks for the room; a real one before a made-up one."""
    known = {one.device_id: one.at for one in tests}
    signs = {one.id: at for one in screens if (at := _later(one.seen_at, known.get(one.id))) is not None}
    living = {screen: at for screen, at in signs.items() if now - at <= ALIVE}
    made_up = {one.device_id for one in tests if one.demo}
    heard = living or signs
    speaks = max(heard, key=lambda screen: (screen not in made_up, heard[screen]), default=None)
    mine = [one for one in tests if one.device_id == speaks]
    reading = replace(merged(mine), bound=bool(screens), alive=bool(living))
    verdict = judge(reading)
    return RoomLight(verdict.light, verdict.cause, mine[-1].at if mine else None, any(one.demo for one in mine))


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max(filter(None, (one, other)), default=None)


# --- what a screen is told --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Plan:
    due: schedule.Due | None
    measure: bool
    light: RoomLight


async def screen(session: AsyncSession, scope: Scope) -> tuple[Device, Room]:
    """The asking screen and its room; only a bound screen tests itself."""
    device = await lessons.device(session, SYSTEM, scope.device) if scope.device else None
    if device is None:
        raise ForbiddenError
    room = await store.room(session, SYSTEM, device.room_id) if device.room_id else None
    if room is None:
        raise NotFoundError
    return device, room


async def plan(session: AsyncSession, scope: Scope, now: datetime) -> Plan:
    device, room = await screen(session, scope)
    since, _ = day_bounds(now)
    tests = (await store.of_rooms(session, SYSTEM, [room.id], since)).get(room.id, [])
    mine = [one for one in tests if one.device_id == device.id]
    done = [schedule.Done(one.kind, one.at, one.lesson_id) for one in mine]
    near = await store.lessons_of(session, SYSTEM, [room.id], since, now + timedelta(hours=1))
    held = [_held(one, now) for one in near]
    wait = random.Random(device.id).random() * schedule.SPREAD
    morning = datetime.combine(city_date(now), schedule.MORNING, CITY)
    due = schedule.due(await periods(session, room, now), morning, held, done, now, wait)
    lesson_there = await store.running_at(session, SYSTEM, room.school_id, now, now + schedule.TAKES_SCREEN)
    verdict = verdict_of(mine)
    light = RoomLight(verdict.light, verdict.cause, mine[-1].at if mine else None)
    return Plan(due, not lesson_there, light)


def _held(lesson: Lesson, now: datetime) -> schedule.Held:
    running = lesson.state in ("waiting", "live") and now < lesson.ends_at + schedule.OVERTIME
    return schedule.Held(lesson.id, lesson.starts_at, lesson.ends_at, running)


async def periods(session: AsyncSession, room: Room, now: datetime) -> list[schedule.Span]:
    """Today's periods of all phases that ring in the house; none where no school is held."""
    day = city_date(now)
    special = await timetable.special_days(session, SYSTEM, day, day)
    if not is_school_day(day, special):
        return []
    phases = ("primary", "junior") if room.school.phase == "nine_year" else (room.school.phase,)
    rung = await timetable.bells_of(session, SYSTEM, [room.school_id])
    seasons = [in_force(rung[room.school_id, phase], day) for phase in phases]
    return [bell.on(day) for season in seasons if season for bell in season.bells]


# --- what a screen found ----------------------------------------------------------------------------------------------


async def keep(session: AsyncSession, scope: Scope, body: SelfTestBody, now: datetime) -> RoomLight:
    """Written down with the light it makes. A lesson that is not this room's is no reason to lose the test."""
    device, room = await screen(session, scope)
    since, _ = day_bounds(now)
    held = await store.lessons_of(session, SYSTEM, [room.id], now - timedelta(hours=4), now + timedelta(hours=1))
    row = SelfTest(
        id=new_id(),
        device_id=device.id,
        room_id=room.id,
        school_id=room.school_id,
        at=now,
        lesson_id=body.lesson if body.lesson in {one.id for one in held} else None,
        demo=False,
        **body.model_dump(exclude={"lesson"}),
    )
    before = (await store.of_rooms(session, SYSTEM, [room.id], since)).get(room.id, [])
    verdict = verdict_of([*(one for one in before if one.device_id == device.id), row])
    row.light, row.cause = verdict.light, verdict.cause
    device.seen_at = now
    await store.add(session, scope, row)
    return RoomLight(verdict.light, verdict.cause, now)


def verdict_of(tests: Sequence[SelfTest]) -> Verdict:
    """Of a screen that is there: it has just spoken, whatever the minute in which that was last written down."""
    return judge(merged(tests))


# --- who may look -----------------------------------------------------------------------------------------------------


def may_see(scope: Scope, room: Room, lesson: Lesson) -> bool:
    """A room's light: who looks after its school, and who answers for the lesson."""
    return allows(scope, "light.read", part_of(room.school)) or allows(scope, "light.read", lead_part(lesson.lead_room))


async def room_for(session: AsyncSession, scope: Scope, room_id: str) -> Room:
    room = await store.room(session, scope, room_id)
    if room is None or not allows(scope, "light.read", part_of(room.school)):
        raise NotFoundError
    return room
