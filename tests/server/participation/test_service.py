"""The ledger: each fact once, whoever sends it and however often; attendance from nothing but facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from server.clock import FixedClock
from server.database import Database, make_engine
from server.lessons.models import Lesson
from server.models import Base
from server.participation import service, store
from server.participation.models import Attendance, FactRow, LedgerMark
from server.scope import SYSTEM
from signaling.facts import Fact
from tests.support.ledger import MINUTE, Story, lesson
from tests.support.web import MONDAY, Web

FAR = MONDAY + timedelta(days=1)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.real)])
async def ledger(request: pytest.FixtureRequest, database: Database) -> AsyncIterator[Database]:
    """A database of each kind."""
    if request.param == "sqlite":
        yield database
        return
    held = Database(make_engine(request.getfixturevalue("postgres_url")))
    async with held.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield held
    await held.dispose()


def some_facts(count: int, lesson: str = "a-lesson-nobody-knows") -> list[Fact]:
    return [
        Fact(f"{lesson}:1:{number}", "Hand", lesson, 1, number, 1_000 + number, "room", None, {"seat": "s", "up": True})
        for number in range(count)
    ]


async def stored(database: Database) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(FactRow)) or 0


async def test_each_id_is_stored_once_and_always_acknowledged(ledger: Database) -> None:
    facts = some_facts(5)
    async with ledger.transaction() as session:
        assert await service.ingest(session, facts[:3], MONDAY) == [fact.id for fact in facts[:3]]
    async with ledger.transaction() as session:
        changed = [replace(facts[0], data={"seat": "s", "up": False}), *facts[1:], facts[4]]
        assert await service.ingest(session, changed, MONDAY) == [fact.id for fact in facts]
    assert await stored(ledger) == 5
    async with ledger.reading() as session:
        first = await session.get_one(FactRow, facts[0].id)
        assert first.data["up"] is True  # what was said first stays


async def test_batches_that_race_each_other_store_each_fact_once(ledger: Database) -> None:
    facts = some_facts(60)

    async def send(batch: list[Fact]) -> list[str]:
        async with ledger.transaction() as session:
            return await service.ingest(session, batch, MONDAY)

    answers = await asyncio.gather(
        send(facts), send(facts[::-1]), send(facts[20:]), send(facts[:40][::-1]), send(facts[::2]), send(facts[1::2])
    )
    assert await stored(ledger) == 60
    assert set(answers[0]) == set(answers[1]) == {fact.id for fact in facts}


async def test_facts_of_unknown_lessons_are_kept_and_their_marks_dropped(ledger: Database) -> None:
    async with ledger.transaction() as session:
        await service.ingest(session, some_facts(2), MONDAY)
    await service.catch_up(ledger, FixedClock(MONDAY))
    assert await stored(ledger) == 2
    async with ledger.reading() as session:
        assert await store.marked(session, SYSTEM, FAR) == 0


async def test_what_fits_no_column_is_not_acknowledged_and_holds_nobody_up(ledger: Database) -> None:
    good = some_facts(1)[0]
    bad = [
        replace(good, id="x" * 81),
        replace(good, id="b", lesson="l" * 25),
        replace(good, id="c", at_ms=2**62),
        replace(good, id="d", epoch=2**40),
        replace(good, id="e\0"),
    ]
    async with ledger.transaction() as session:
        assert await service.ingest(session, [*bad, good], MONDAY) == [good.id]
    assert await stored(ledger) == 1


async def test_empty_batches_are_welcome(ledger: Database) -> None:
    async with ledger.transaction() as session:
        assert await service.ingest(session, [], MONDAY) == []


class City:
    """One lesson with two receiving rooms."""

    def __init__(self, web: Web) -> None:
        self.web = web

    async def built(self, **given: object) -> Story:
        district = await self.web.district()
        town, village = await self.web.school(district, "实验小学"), await self.web.school(district, "柳河镇中心小学")
        lead = await self.web.room(town, "主讲教室", kind="lead")
        self.rooms = [await self.web.room(village, name) for name in ("一班", "二班")]
        teacher = await self.web.person("teacher", school=town)
        return Story(await lesson(self.web, lead, self.rooms, teacher, **given))  # type: ignore[arg-type]

    async def tell(self, facts: list[Fact], minutes: float = 45) -> None:
        self.web.clock.moment = MONDAY + timedelta(minutes=minutes)
        async with self.web.transaction() as session:
            await service.ingest(session, facts, self.web.clock.now())

    async def attendance(self) -> list[Attendance]:
        await service.catch_up(self.web.database, self.web.clock)
        async with self.web.database.reading() as session:
            return list((await session.scalars(select(Attendance).order_by(Attendance.room_id))).all())


async def test_a_lesson_becomes_attendance(web: Web) -> None:
    city = City(web)
    told = await city.built()
    first, second = (room.id for room in city.rooms)
    told.open().sign_in(first).hears(first, 0, 40).sign_in(second).hears(second, 0, 10).close()
    await city.tell(told.facts)
    rows = {row.room_id: row for row in await city.attendance()}
    assert rows[first].effective and rows[first].reason is None
    assert rows[first].heard == [[told.start, told.start + 40 * MINUTE]]
    assert (rows[second].effective, rows[second].reason, rows[second].heard_ms) == (False, "short", 10 * MINUTE)
    async with web.database.reading() as session:
        held = await session.get_one(Lesson, told.lesson.id)
        assert held.state == "closed"
        assert await store.marked(session, SYSTEM, FAR) == 0


async def test_facts_that_come_after_an_outage_change_the_row(web: Web) -> None:
    city = City(web)
    told = await city.built()
    room = city.rooms[0].id
    told.open().sign_in(room).hears(room, 0, 10).close()
    await city.tell(told.facts)
    assert next(row for row in await city.attendance() if row.room_id == room).reason == "short"
    before = len(told.facts)
    told.hears(room, 10, 40)
    await city.tell(told.facts[before:], minutes=60 * 20)
    assert next(row for row in await city.attendance() if row.room_id == room).effective


async def test_a_lesson_nobody_opened_is_not_held_without_a_single_fact(web: Web) -> None:
    city = City(web)
    await city.built()
    web.clock.moment = MONDAY + timedelta(minutes=39)
    assert await city.attendance() == []
    web.clock.moment = MONDAY + timedelta(minutes=41)
    assert [row.reason for row in await city.attendance()] == ["not_held", "not_held"]
    assert await service.catch_up(web.database, web.clock) == 0  # and is not computed again and again


async def test_a_cancelled_lesson_has_no_attendance(web: Web) -> None:
    city = City(web)
    told = await city.built()
    web.clock.moment = MONDAY + timedelta(minutes=41)
    assert len(await city.attendance()) == 2
    async with web.transaction() as session:
        held = await session.get_one(Lesson, told.lesson.id)
        held.state, held.cancel_reason = "cancelled", "teacher_ill"
        await service.touch(session, held.id, web.clock.now())
    assert await city.attendance() == []


async def test_unsound_facts_are_kept_and_count_for_nothing(web: Web) -> None:
    city = City(web)
    told = await city.built()
    room = city.rooms[0].id
    told.open().close()
    told.tell("Presence", 1, room, role="class", from_at="yesterday")
    told.tell("Headcount", 1, room, expected="thirty", present=None)
    await city.tell(told.facts)
    assert [row.reason for row in await city.attendance()] == ["absent", "absent"]
    assert await stored(web.database) == 4


async def test_marks_made_while_computing_are_not_lost(web: Web) -> None:
    city = City(web)
    told = await city.built()
    await city.tell(told.open().facts)
    async with web.transaction() as session:
        assert await store.take_marks(session, SYSTEM, FAR, 10) == [told.lesson.id]
        await store.mark(session, SYSTEM, [told.lesson.id], web.clock.now())
        assert (await session.scalars(select(LedgerMark.lesson_id))).all() == [told.lesson.id]


async def test_a_live_lesson_is_computed_every_half_minute_and_at_once_when_closed(web: Web) -> None:
    city = City(web)
    told = await city.built()
    room = city.rooms[0].id
    told.open().sign_in(room, 0).hears(room, 0, 10)
    await city.tell(told.facts, minutes=10)
    assert await city.attendance() == []
    told.hears(room, 10, 10.4)
    await city.tell(told.facts, minutes=10.4)
    assert await city.attendance() == []
    await city.tell(told.facts, minutes=10.5)
    assert next(row for row in await city.attendance() if row.room_id == room).heard_ms == 10.4 * MINUTE
    told.close(11)
    await city.tell(told.facts, minutes=11)
    assert next(row for row in await city.attendance() if row.room_id == room).fact_count == len(told.facts)


async def test_rebuilding_computes_every_lesson_anew(web: Web) -> None:
    city = City(web)
    told = await city.built()
    await city.tell(told.open().close().facts)
    await city.attendance()
    async with web.transaction() as session:
        await service.rebuild(session, web.clock.now())
    assert await service.catch_up(web.database, web.clock) == 1


async def test_recomputing_from_the_raw_ledger_gives_the_same_rows(web: Web) -> None:
    city = City(web)
    told = await city.built()
    for room in city.rooms:
        told.sign_in(room.id).hears(room.id, -1, 17).hears(room.id, 16, 39)
    told.open().close()
    await city.tell(told.facts)
    columns = [column.key for column in Attendance.__table__.columns if column.key != "computed_at"]
    before = [[getattr(row, key) for key in columns] for row in await city.attendance()]
    async with web.transaction() as session:
        for row in (await session.scalars(select(Attendance))).all():
            await session.delete(row)
        await service.recompute_all(session, [told.lesson.id], web.clock.now())
    after = [[getattr(row, key) for key in columns] for row in await city.attendance()]
    assert before == after
    assert len(before) == 2
