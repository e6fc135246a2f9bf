"""The demo city: as large as promised, the same every time, alive on every day of the year."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload

from server.accounts.models import Person, PostHeld
from server.classrooms.models import Classroom
from server.clock import city_date
from server.database import Base, Database, make_engine
from server.demo import DEMO_ACCOUNTS, DEMO_PASSWORD, build, clip, lessons, ordinary, participation, plans
from server.demo.people import person_id
from server.indicators.models import RollUp
from server.lessons.models import Lesson
from server.ordinary.falls import meet
from server.participation.models import Attendance
from server.participation.picture import Picture, pictures
from server.participation.receipts import opened
from server.recordings.models import Recording
from server.schools.models import District, Pairing, School, SettlementCode
from server.security import Passwords
from server.studios.activities.models import Activity
from server.studios.models import Studio
from server.timetable.models import SchoolSpan
from server.timetable.terms import is_school_day
from tests.support.web import Web

NOW = datetime(2026, 11, 18, 2, 33, 20, tzinfo=UTC)
"""A Wednesday, half past ten in the city."""


async def count(database: Database, model: type[Base], *where: Any) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(model).where(*where)) or 0


async def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, but for what may differ: hashed passwords have a salt."""
    async with database.reading() as session:
        return {
            table.name: sorted(
                (await session.execute(select(*[c for c in table.columns if c.name != "password_hash"]))).all(),
                key=repr,
            )
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.slow
@pytest.mark.real
async def test_the_city_is_there_and_stays_the_same_on_both_databases(web: Web, postgres_url: str) -> None:
    await build(web.database, web.objects, NOW)
    assert await count(web.database, District) == 16
    assert await count(web.database, School, School.demo) >= 120
    assert await count(web.database, Classroom, Classroom.demo) == 30
    assert await count(web.database, Studio, Studio.demo) == 50
    assert await count(web.database, Lesson, ~Lesson.demo) == await count(web.database, Person, ~Person.demo) == 0

    await _pairings_cover_all_but_two(web)
    await _a_lesson_is_about_to_start(web)
    await _something_is_under_way(web)
    await _the_past_is_alive(web)
    await _the_replays_are_whole(web)
    await _accounts_open(web)

    before = await dump(web.database)
    await build(web.database, web.objects, NOW + timedelta(seconds=30))
    assert await dump(web.database) == before
    await _as_on_postgresql(web, postgres_url)


async def _pairings_cover_all_but_two(web: Web) -> None:
    async with web.database.reading() as session:
        villages = set(
            await session.scalars(select(SettlementCode.school_id).where(SettlementCode.code.startswith("2")))
        )
        paired = set(await session.scalars(select(Pairing.village_school_id)))
        codes = (await session.scalars(select(School.code))).all()
    assert len(villages) > 50
    assert len(villages - paired) == 2
    assert paired < villages
    assert len(set(codes)) == len(codes)
    assert {code[:4] for code in codes} == {"2112", "3112"}


async def _a_lesson_is_about_to_start(web: Web) -> None:
    async with web.database.reading() as session:
        soon = select(Lesson).where(Lesson.starts_at > NOW, Lesson.starts_at < NOW + timedelta(minutes=6))
        lesson = (await session.scalars(soon)).unique().one()
        assert lesson.starts_at - NOW >= timedelta(minutes=4)
        assert lesson.teacher.login == "teacher"
        assert len(lesson.receipts) == 3
        assert lesson.receipts[0].assistant is not None
        assert lesson.receipts[0].assistant.login == "assistant"
        assert (lesson.state, lesson.kind) == ("published", "formal")


async def _something_is_under_way(web: Web) -> None:
    browser = await web.sign_in(await web.person("city_admin"))
    needs = (await browser.get("/api/v1/demands")).json()["items"]
    assert len(needs) == len(plans.NEEDING) and sum(len(need["offers"]) for need in needs) == 1
    plan = (await browser.post("/api/v1/timetable/plan", json={"term": needs[0]["term"]})).json()
    assert (plan["renew"], plan["withdraw"], plan["clashes"]) == (0, 0, []), (
        "what is published is what the timetable says"
    )
    assert await count(web.database, SchoolSpan) == await count(web.database, Activity) == 1
    assert await count(web.database, Activity, Activity.starts_at > NOW, Activity.starts_at < NOW + timedelta(days=8))


async def _the_past_is_alive(web: Web) -> None:
    async with web.database.reading() as session:
        reasons = Counter((await session.scalars(select(Attendance.reason))).all())
        states = Counter((await session.scalars(select(Lesson.state).where(Lesson.ends_at <= NOW))).all())
        city = select(RollUp).where(RollUp.code == "L1", RollUp.level == "city", RollUp.denominator > 20)
        rates = [row.numerator / row.denominator for row in await session.scalars(city)]
    assert set(reasons) == {None, "not_held", "short", "unsigned", "absent"}
    assert reasons[None] > 500
    assert states["cancelled"] > 5 and states["closed"] > 300
    assert len(rates) >= 2
    assert all(0.85 < rate < 0.99 for rate in rates)


async def _the_replays_are_whole(web: Web) -> None:
    async with web.database.reading() as session:
        recordings = (await session.scalars(select(Recording))).all()
    assert len(recordings) == 2
    browser = await web.sign_in(await web.person("city_admin"))
    for recording in recordings:
        assert (recording.state, recording.duration_ms) == ("closed", clip.LENGTH_MS)
        assert f"lessons/{recording.lesson_id}/e1/manifest.json" in web.objects.held
        answer = (await browser.get(f"/api/v1/lessons/{recording.lesson_id}/replay")).json()
        assert {track["kind"] for track in answer["tracks"]} == {"audio", "video"}
        for track in answer["tracks"]:
            for fragment in track["fragments"]:
                assert len((await browser.get(fragment["url"])).content) == fragment["size"]


async def _accounts_open(web: Web) -> None:
    async with web.database.reading() as session:
        for account in DEMO_ACCOUNTS:
            person = await session.get_one(Person, person_id(account.login), options=[selectinload(Person.posts)])
            assert await Passwords().verify(person.password_hash, DEMO_PASSWORD)
            assert account.post in {post.post for post in person.posts}
        others = select(func.count()).select_from(Person).where(Person.password_hash.is_not(None))
        assert await session.scalar(others) == len(DEMO_ACCOUNTS)
        open_ended = select(func.count()).select_from(PostHeld).where(PostHeld.ends_on.is_not(None))
        assert await session.scalar(open_ended) == 0


@pytest.mark.parametrize(
    "now",
    [datetime(2026, month, day, 17, 58, tzinfo=UTC) for month, day in ((1, 25), (2, 10), (7, 20), (9, 2), (10, 3))],
)
def test_on_every_day_there_is_a_past_a_today_and_a_future(now: datetime) -> None:
    made = list(lessons.lessons(now))
    assert len({lesson.id for lesson in made}) == len(made)
    assert sum(lesson.ends_at < now for lesson in made) > 200
    days = {city_date(now), city_date(now + timedelta(days=1))}
    if any(is_school_day(day, lessons.special()) for day in days):
        assert sum(now < lesson.starts_at < now + timedelta(days=1) for lesson in made) > 3
    assert sum(lesson.starts_at > now + timedelta(days=7) for lesson in made) > 50


def test_the_timetable_keeps_off_sundays_and_holidays() -> None:
    days = {city_date(lesson.starts_at) for lesson in lessons.lessons(NOW)}
    assert [day for day in days if not is_school_day(day, lessons.special())] == []
    assert date(2026, 10, 10) in days, "a Saturday that makes up for a holiday"


def test_no_room_and_no_teacher_is_in_two_places_at_once() -> None:
    spans: dict[str, list[tuple[datetime, datetime]]] = {}
    for lesson in [*lessons.lessons(NOW), lessons.coming(NOW)]:
        for key in (lesson.teacher_id, lesson.lead_room_id, *(receipt.room_id for receipt in lesson.receipts)):
            spans.setdefault(key, []).append((lesson.starts_at, lesson.ends_at))
    for held in spans.values():
        held.sort()
        assert all(before[1] <= after[0] for before, after in pairwise(held))


def test_ordinary_hours_keep_off_the_synchronous_lessons_and_each_other() -> None:
    made = list(ordinary.hours("2026-1", NOW))
    assert len(made) > 60 and len({one.id for one in made}) == len(made)
    by_id = {one.id: one for one in lessons.courses()}
    for slot in lessons.slots():
        course = by_id[slot.classroom_id]
        for one in made:
            taught = one.teacher_id == person_id(course.teacher)
            heard = one.class_id is not None and one.school_id in {village.id for village in course.villages}
            assert not ((taught or heard) and meet(one, slot)), (one.weekday, one.period)
    whose = Counter((one.teacher_id, one.class_id, one.weekday, one.period) for one in made)
    assert set(whose.values()) == {1}


def test_the_same_lesson_has_the_same_past() -> None:
    lesson = next(lessons.lessons(NOW))
    told = participation.facts(lesson)
    assert participation.facts(lesson) == told
    assert len({fact.id for fact in told}) == len(told)
    assert told[0].at_ms <= told[-1].at_ms


def test_rooms_with_weak_lines_got_stills_or_sound_for_some_minutes() -> None:
    shown: list[Picture] = []
    for lesson in [one for one in lessons.lessons(NOW) if one.ends_at <= NOW][:150]:
        told = participation.facts(lesson)
        shown += pictures(told, opened(told)).values()
    assert all(any(getattr(one, ms) for one in shown) for ms in ("stills_ms", "sound_ms"))
    moving = [one for one in shown if not (one.stills_ms or one.sound_ms)]
    assert 0.8 < len(moving) / len(shown) < 1


async def _as_on_postgresql(web: Web, url: str) -> None:
    """Every statement of the ledger, the roll-ups and the demo on the other database, with the same figures."""
    held = Database(make_engine(url))
    async with held.engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    try:
        await build(held, web.objects, NOW)
        assert await figures(held) == await figures(web.database)
    finally:
        await held.dispose()


async def figures(database: Database) -> list[tuple[Any, ...]]:
    async with database.reading() as session:
        rows = (await session.scalars(select(RollUp).order_by(RollUp.id))).all()
        return [(row.code, row.period, row.level, row.part, row.numerator, row.denominator) for row in rows]
