"""Puts the demo city into a database: rows that are not there yet, then the past as facts through the ledger.

Run again, it adds what is missing (new days of the timetable, the next lesson in four minutes) and changes nothing
else.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import lazyload, selectinload

from server.clock import FixedClock, city_date, from_ms
from server.database import Database
from server.demo import city, lessons, lights, ordinary, participation, people, plans, register, replay, studios
from server.lessons.models import Deck, Lesson
from server.participation import service as ledger
from server.participation.models import FactRow
from server.schools import districts
from server.schools.models import Device
from server.scope import SYSTEM
from server.security import Passwords
from server.timetable.models import CalendarHorizon
from server.timetable.national import KNOWN_UNTIL
from server.timetable.store import HORIZON
from server.timetable.terms import school_year
from signaling.facts import Fact
from signaling.ports import ObjectStore

LESSONS_A_BATCH = 40
"""About 4,000 facts a transaction."""


async def build(database: Database, objects: ObjectStore, now: datetime) -> None:
    since = date(school_year(city_date(now)), 9, 1)
    async with database.transaction() as session:
        await _places(session, now, since)
        await _people(session, now, since)
        await _timetable(session, now, since)
    async with database.transaction() as session:
        await _lights(session, now, since)
    await _past(database, now)
    await _replay(database, objects, now)
    await _figures(database, now)


async def _places(session: AsyncSession, now: datetime, since: date) -> None:
    await districts.seed(session, SYSTEM)
    await _add(session, city.schools(now, since.year))
    rooms = [room for course in lessons.courses() for room in (course.lead_room(), *course.receiving_rooms())]
    await _add(session, rooms)
    await _add(session, city.pairings(since.year))


async def _people(session: AsyncSession, now: datetime, since: date) -> None:
    held = [*lessons.people(now, since), *people.school_admins(city.places(), now, since)]
    password_hash = await Passwords().hash(people.DEMO_PASSWORD)
    await _add(session, people.account_holders(now, password_hash))
    await _add(session, [*(person for person, _ in held), *studios.people(now)])
    await _add(session, studios.studios(now, since))
    await _add(session, people.account_posts(since, studios.plans()[0].id))
    await _add(session, [*(post for _, post in held), *studios.posts(since)])


async def _timetable(session: AsyncSession, now: datetime, since: date) -> None:
    term = lessons.term(now)
    await _add(session, [term])
    await _add(session, lessons.calendar(), key="day")
    await _add(session, [CalendarHorizon(id=HORIZON, known_until=KNOWN_UNTIL)])
    await _add(session, lessons.bells())
    await _add(session, register.classes(now))
    await _add(session, register.gaps(term.id, since))
    await _add(session, register.groups(now, since))
    await _add(session, register.members(since))
    await _add(session, lessons.classrooms(now, term.id, since))
    await _add(session, lessons.slots())
    await _add(session, ordinary.hours(term.id, now))
    await _add(session, lessons.invitations(now))
    await _add(session, [_with_fate(lesson) for lesson in lessons.lessons(now) if lesson.ends_at > now])
    if not await _soon(session, now):
        await _add(session, [lessons.coming(now)])
    await _add(session, plans.demands(term.id, since, now))
    await _add(session, plans.offers(term.id, since, now))
    await _add(session, plans.spans(term.id, now))
    await _add(session, plans.activities(now))


async def _lights(session: AsyncSession, now: datetime, since: date) -> None:
    made = list(lights.devices(now, since))
    await _add(session, made)
    for one in made:  # a city made yesterday: its screens are on today too
        (await session.get_one(Device, one.id)).seen_at = one.seen_at
    await _add(session, lights.tests(now))


def _with_fate(lesson: Lesson) -> Lesson:
    what = participation.fate(lesson.id)
    if what not in ("held", "missed"):
        lesson.state, lesson.cancel_reason = "cancelled", what
        lesson.cancelled_at = lesson.starts_at - timedelta(hours=2)
    return lesson


async def _soon(session: AsyncSession, now: datetime) -> bool:
    """Whether the demo teacher has a lesson that is about to start or going on."""
    statement = select(Lesson.id).where(
        Lesson.teacher_id == people.person_id("teacher"),
        Lesson.state.in_(("published", "waiting", "live")),
        Lesson.starts_at < now + timedelta(minutes=20),
        Lesson.ends_at > now + timedelta(minutes=10),
    )
    return (await session.scalars(statement.limit(1))).first() is not None


async def _past(database: Database, now: datetime) -> None:
    """Lessons that are over come together with their facts, the newest first: no worker ever finds one without the
    other, and this month's pages are alive before last month's."""
    bare = (lazyload("*"), selectinload(Lesson.receipts).lazyload("*"))
    async with database.reading() as session:
        known = set((await session.scalars(select(Lesson.id).where(Lesson.demo))).all())
        told = select(FactRow.lesson_id).where(FactRow.lesson_id == Lesson.id).exists()
        over = select(Lesson).where(Lesson.demo, Lesson.state == "published", Lesson.ends_at <= now, ~told)
        silent = (await session.scalars(over.options(*bare))).all()
    missing = [_with_fate(one) for one in lessons.lessons(now) if one.ends_at <= now and one.id not in known]
    for batch in _batches(sorted([*silent, *missing], key=lambda one: (one.starts_at, one.id), reverse=True)):
        async with database.transaction() as session:
            session.add_all([lesson for lesson in batch if lesson.id not in known])
            await session.flush()
            await _tell(session, [one for one in batch if participation.fate(one.id) == "held"])


async def _tell(session: AsyncSession, held: Sequence[Lesson]) -> None:
    facts = [fact for lesson in held for fact in participation.facts(lesson)]
    if facts:
        await ledger.keep(session, facts, datetime.fromtimestamp(0, UTC) + participation.received_after(facts))
        await session.execute(update(Lesson), [_held(facts, lesson.id) for lesson in held])


def _held(facts: list[Fact], lesson: str) -> dict[str, Any]:
    """What ``lessons.note_fact`` would write fact by fact; told at once, thirty seconds sooner."""
    at = {fact.kind: from_ms(fact.at_ms) for fact in facts if fact.lesson == lesson and fact.room is None}
    return {"id": lesson, "state": "closed", "opened_at": at["LessonOpened"], "closed_at": at["LessonClosed"]}


def _batches(held: Sequence[Lesson]) -> Iterable[Sequence[Lesson]]:
    return (held[start : start + LESSONS_A_BATCH] for start in range(0, len(held), LESSONS_A_BATCH))


async def _replay(database: Database, objects: ObjectStore, now: datetime) -> None:
    async with database.reading() as session:
        made = select(Deck.lesson_id).join(Lesson, Lesson.id == Deck.lesson_id).where(Lesson.demo)
        if (await session.scalars(made.limit(1))).first() is not None:
            return
    tracks = await replay.encoded()
    for held in replay.recorded(now) if tracks else []:
        async with database.transaction() as session:
            await _add(session, [held])
            await _add(session, [replay.deck(held, now)])
            await replay.store(session, objects, held, tracks or {})


async def _figures(database: Database, now: datetime) -> None:
    """What the worker would do, at once: the first page already has figures."""
    await ledger.catch_up(database, FixedClock(now))


async def _add(session: AsyncSession, rows: Iterable[Any], key: str = "id") -> None:
    """Adds the rows whose key is not in the table yet."""
    wanted = {getattr(row, key): row for row in rows}
    if not wanted:
        return
    model = type(next(iter(wanted.values())))
    there = set((await session.scalars(select(getattr(model, key)))).all())
    session.add_all([row for id_, row in wanted.items() if id_ not in there])
    await session.flush()
