"""Roll-ups: sums, month ends, undone and redone after a crash, the same again from the raw ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, select

from server.indicators import rollup, store
from server.indicators.models import FillState, RollUp
from server.lessons.models import Lesson
from server.participation import service as ledger
from server.participation.models import Attendance
from server.schools.models import Room, School
from tests.support.ledger import Story, lesson
from tests.support.web import MONDAY, Web

pytestmark = pytest.mark.slow


class City:
    """Two districts, each with a village school of one receiving room, and one lead room in the first."""

    def __init__(self, web: Web) -> None:
        self.web = web

    async def build(self) -> City:
        near, far = await self.web.district("120113"), await self.web.district("120115", "far")
        self.town = await self.web.school(near, "实验小学")
        self.schools: list[School] = [
            await self.web.school(near, "柳河镇中心小学"),
            await self.web.school(far, "清河镇学校", phase="nine_year"),
        ]
        self.lead = await self.web.room(self.town, "主讲教室", kind="lead")
        self.rooms: list[Room] = [await self.web.room(school) for school in self.schools]
        self.teacher = await self.web.person("teacher", school=self.town)
        return self

    async def lesson(
        self, *heard: float, minutes: int = 40, grade: int = 3, at: datetime = MONDAY, kind: str = "formal"
    ) -> Lesson:
        """A lesson that was taught; room n heard so many minutes of it."""
        held = await lesson(
            self.web, self.lead, self.rooms, self.teacher, starts_at=at, minutes=minutes, grade=grade, kind=kind
        )
        story = Story(held).open(0)
        for room, until in zip(self.rooms, heard, strict=False):
            story.sign_in(room.id).hears(room.id, 0, until)
        story.close(minutes)
        self.web.clock.moment = max(self.web.clock.moment, at + timedelta(minutes=minutes + 5))
        async with self.web.transaction() as session:
            await ledger.ingest(session, story.facts, self.web.clock.now())
        return held

    async def figures(self, period: str = "2026-11") -> dict[tuple[str, str, str], tuple[float, float]]:
        await ledger.catch_up(self.web.database, self.web.clock)
        async with self.web.database.reading() as session:
            rows = (await session.scalars(select(RollUp).where(RollUp.period == period))).all()
        return {(row.code, row.level, row.part): (row.numerator, row.denominator) for row in rows}


@pytest.fixture
async def city(web: Web) -> City:
    return await City(web).build()


async def test_smaller_parts_sum_into_larger_ones(city: City) -> None:
    await city.lesson(40, 10)
    await city.lesson(40, 40, at=MONDAY + timedelta(hours=1))
    got = await city.figures()
    assert got["L1", "room", city.rooms[0].id] == (2, 2)
    assert got["L1", "room", city.rooms[1].id] == (1, 2)
    assert got["L1", "school", city.schools[1].id] == (1, 2)
    assert got["L1", "district", "120113"] == (2, 2)
    assert got["L1", "district", "120115"] == (1, 2)
    assert got["L1", "city", "city"] == got["L1", "lead", city.town.id] == (3, 4)
    assert got["L3", "city", "city"] == (3, 1)
    assert got["A1", "city", "city"] == (130 * 60_000, 160 * 60_000)


async def test_forty_and_forty_five_minutes_in_one_district(city: City) -> None:
    await city.lesson(40, 40)
    await city.lesson(45, 45, minutes=45, grade=8, at=MONDAY + timedelta(hours=1))
    assert (await city.figures())["L3", "district", "120115"] == (2, 1)


async def test_schools_without_lessons_stay_and_have_no_rate(city: City) -> None:
    await city.lesson(40, 40)
    got = await city.figures()
    assert got["L1", "school", city.town.id] == (0, 0)
    assert got["L3", "school", city.town.id] == (0, 1)
    assert got["L1", "room", city.rooms[0].id] == (1, 1)


async def test_a_city_school_counts_in_the_city_and_in_no_district(city: City) -> None:
    async with city.web.transaction() as session:
        (await session.get_one(School, city.schools[0].id)).supervised_by = None
    await city.lesson(40, 40)
    got = await city.figures()
    assert got["L1", "district", "120113"] == (0, 0)
    assert got["L1", "city", "city"] == (2, 2)


async def test_only_formal_lessons_count(city: City) -> None:
    for number, kind in enumerate(("trial", "drill", "formal")):
        await city.lesson(40, 40, kind=kind, at=MONDAY + timedelta(hours=number))
    assert (await city.figures())["L1", "city", "city"] == (2, 2)


async def test_a_lesson_counts_in_the_citys_month_in_which_it_starts(city: City) -> None:
    before_midnight = datetime(2026, 11, 30, 15, 40, tzinfo=UTC)  # 23:40 in the city, ends on 1 December
    after_midnight = datetime(2026, 11, 30, 16, 0, tzinfo=UTC)  # 00:00 on 1 December in the city
    await city.lesson(40, 40, at=before_midnight)
    await city.lesson(40, 40, at=after_midnight + timedelta(hours=1))
    assert (await city.figures("2026-11"))["L1", "city", "city"] == (2, 2)
    assert (await city.figures("2026-12"))["L1", "city", "city"] == (2, 2)


async def test_lessons_to_come_are_not_due(city: City) -> None:
    await city.lesson(40, 40)
    await lesson(city.web, city.lead, city.rooms, city.teacher, starts_at=MONDAY + timedelta(days=3))
    assert (await city.figures())["L1", "city", "city"] == (2, 2)


async def test_a_lesson_that_ends_unseen_is_found_by_looking_again(city: City) -> None:
    await city.lesson(40, 40)
    await lesson(city.web, city.lead, city.rooms, city.teacher, starts_at=MONDAY + timedelta(days=3))
    assert (await city.figures())["L1", "city", "city"] == (2, 2)
    city.web.clock.moment = MONDAY + timedelta(days=4)
    assert (await city.figures())["L1", "city", "city"] == (2, 4)


async def test_a_lesson_closed_before_its_plan_counts_at_once_until_it_is_reopened(city: City) -> None:
    held = await lesson(city.web, city.lead, city.rooms, city.teacher)
    story = Story(held).open(0).close(30)
    for room in city.rooms:
        story.sign_in(room.id, 1).hears(room.id, 0, 30)
    city.web.clock.moment = MONDAY + timedelta(minutes=31)
    async with city.web.transaction() as session:
        await ledger.ingest(session, story.facts, city.web.clock.now())
    assert (await city.figures())["L1", "city", "city"] == (0, 2)  # 30 of 40 minutes: short
    story.reopen(32)
    city.web.clock.moment = MONDAY + timedelta(minutes=33)
    async with city.web.transaction() as session:
        await ledger.ingest(session, story.facts, city.web.clock.now())
    city.web.clock.moment += timedelta(seconds=31)
    assert (await city.figures())["L1", "city", "city"] == (0, 0)


async def test_called_off_lessons_by_cause(city: City) -> None:
    for number, reason in enumerate(("weather", "teacher_ill")):
        held = await lesson(city.web, city.lead, city.rooms, city.teacher, starts_at=MONDAY + timedelta(hours=number))
        async with city.web.transaction() as session:
            row = await session.get_one(Lesson, held.id)
            row.state, row.cancel_reason = "cancelled", reason
    city.web.clock.moment = MONDAY + timedelta(days=1)
    got = await city.figures()
    assert got["L1", "city", "city"] == (0, 2)
    assert got["L3P", "city", "city"] == (2, 1)


async def test_late_facts_change_the_figure(city: City) -> None:
    held = await lesson(city.web, city.lead, city.rooms, city.teacher)
    city.web.clock.moment = MONDAY + timedelta(hours=1)
    assert (await city.figures())["L1", "city", "city"] == (0, 2)
    story = Story(held).open().close()
    for room in city.rooms:
        story.sign_in(room.id).hears(room.id, 0, 40)
    city.web.clock.moment = MONDAY + timedelta(days=300)  # a spool found ten months later
    async with city.web.transaction() as session:
        await ledger.ingest(session, story.facts, city.web.clock.now())
    assert (await city.figures())["L1", "city", "city"] == (2, 2)


async def test_a_run_that_died_is_undone_and_redone(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    await city.lesson(40, 10)
    right = await city.figures()
    async with city.web.transaction() as session:
        await rollup.mark_stale(session, ["2026-11"])

    async def dies(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(store, "replace_roll_ups", dies)
        with pytest.raises(RuntimeError):
            await rollup.catch_up(city.web.database, city.web.clock)
    async with city.web.database.reading() as session:
        assert (await session.get_one(FillState, "2026-11")).state == "started"
    async with city.web.transaction() as session:  # half of it is gone, one row is nonsense
        await session.execute(delete(RollUp).where(RollUp.code == "A1"))
        (await session.scalars(select(RollUp).limit(1))).one().numerator = 999
    assert await rollup.catch_up(city.web.database, city.web.clock) == ["2026-11"]
    assert await city.figures() == right


async def test_nothing_to_do_does_nothing(city: City) -> None:
    await city.lesson(40, 40)
    await city.figures()
    assert await rollup.catch_up(city.web.database, city.web.clock) == []
    city.web.clock.moment += timedelta(minutes=5)
    assert await rollup.catch_up(city.web.database, city.web.clock) == []


async def test_the_raw_ledger_gives_the_same_figures_again(city: City) -> None:
    for number, heard in enumerate(((40, 10), (33, 40), (0, 40), (40, 31.9))):
        await city.lesson(*heard, at=MONDAY + timedelta(hours=number))
    before = await city.figures()
    async with city.web.database.reading() as session:
        print_before = (await session.get_one(FillState, "2026-11")).fingerprint
    async with city.web.transaction() as session:
        for table in (Attendance, RollUp, FillState):
            await session.execute(delete(table))
    assert await city.figures() == before
    async with city.web.database.reading() as session:
        assert (await session.get_one(FillState, "2026-11")).fingerprint == print_before
    assert len(before) > 20


def test_months_and_their_names() -> None:
    assert rollup.previous("2026-01") == "2025-12"
    assert rollup.month_of("2026-12")[1] == rollup.month_of("2027-01")[0]
    assert rollup.period_of(datetime(2026, 10, 31, 16, 0, tzinfo=UTC)) == "2026-11"
