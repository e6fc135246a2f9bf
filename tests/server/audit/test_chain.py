"""The audit log: nothing is forgotten, nothing is changed unseen, one chain in spite of many writers and sealers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select, text, update
from sqlalchemy.exc import DBAPIError

from server import migrations
from server.audit import chain
from server.audit.models import AuditEntry, AuditSeal
from server.audit.watch import acting, watch
from server.clock import FixedClock
from server.database import Database, make_engine
from server.ids import new_id
from server.lessons.changes import store as changes
from server.lessons.models import LessonChange
from server.schools.models import District, Room, School
from server.scope import Scope
from tests.support.web import MONDAY, Web

pytestmark = pytest.mark.slow

CITY = Scope(person="p", posts=frozenset({"city_admin"}), city=True)


async def told(database: Database) -> list[AuditEntry]:
    async with database.reading() as session:
        return list(await session.scalars(select(AuditEntry).order_by(AuditEntry.at, AuditEntry.id)))


async def test_every_change_is_told_with_before_and_after(web: Web) -> None:
    school = await web.school(await web.district())
    room = await web.room(school, "一班")
    async with web.transaction() as session:
        acting(session, CITY, "192.0.2.7")
        (await session.get_one(Room, room.id)).name = "二班"
    last = next(one for one in await told(web.database) if one.act == "change")
    assert (last.kind, last.row_id, last.told) == ("rooms", room.id, {"name": ["一班", "二班"]})
    assert (last.person_id, last.address) == ("p", "192.0.2.7")
    assert (last.school_id, last.district_id) == (school.id, "120113"), "whose administrators may read it"


async def test_a_lesson_s_change_is_told_to_the_school_that_leads_it(web: Web) -> None:
    school = await web.school(await web.district())
    lead, room = await web.room(school, "主讲", kind="lead"), await web.room(school)
    lesson = await web.lesson(await web.person("teacher", school=school), lead, room)
    async with web.transaction() as session:
        kept = {"id": new_id(), "batch": new_id(), "lesson_id": lesson.id, "at": web.clock.now()}
        session.add(LessonChange(kind="about", before={}, after={}, **kept))
    last = next(one for one in await told(web.database) if one.kind == "lesson_changes")
    assert (last.school_id, last.district_id) == (school.id, "120113")


async def test_bulk_statements_and_deletions_are_told(web: Web) -> None:
    school = await web.school(await web.district())
    room = await web.room(school)
    async with web.transaction() as session:
        await session.execute(update(School).values(phone="022-1234567"))
        await session.delete(await session.get_one(Room, room.id))
    found = {(one.act, one.kind) for one in await told(web.database)}
    assert {("change", "schools"), ("delete", "rooms")} <= found


async def test_a_set_is_told_once_for_each_district_with_its_count(web: Web) -> None:
    """Thousands of rows of one act are one entry, by which each row is found; whose schools they are may read it."""
    lessons = []
    for code, schools in (("120113", 1), ("120114", 2)):
        district = await web.district(code)
        for number in range(schools):
            school = await web.school(district, f"学校{code}{number}")
            lead, room = await web.room(school, "主讲", kind="lead"), await web.room(school)
            teacher = await web.person("teacher", school=school)
            lessons += [await web.lesson(teacher, lead, room) for _ in range(2)]
    batch = new_id()
    rows = [
        {"batch": batch, "lesson_id": one.id, "kind": "cancel", "at": web.clock.now(), "before": {}, "after": {"n": n}}
        for n, one in enumerate(lessons)
    ]
    async with web.transaction() as session:
        acting(session, CITY, "192.0.2.7")
        await changes.add_all(session, CITY, rows)
    found = {one.district_id: one for one in await told(web.database) if one.kind == "lesson_changes"}
    assert {key: one.told["rows"] for key, one in found.items()} == {"120113": 2, "120114": 4}
    near, far = found["120113"], found["120114"]
    assert near.act == "create" and near.row_id is None and near.person_id == "p"
    assert near.told["batch"] == [None, batch] and near.told["kind"] == [None, "cancel"] and "after" not in near.told
    assert near.school_id is not None and far.school_id is None, "one school's own; two schools' only the district's"


async def test_a_set_of_the_citys_own_schools_is_told_to_each(web: Web) -> None:
    """No district answers for them: without their school nobody but the city could read it."""
    district, lessons, own = await web.district("120113"), [], []
    for number in range(2):
        school = await web.school(district, f"直属{number}")
        async with web.transaction() as session:
            (await session.get_one(School, school.id)).supervised_by = None
        lead, room = await web.room(school, "主讲", kind="lead"), await web.room(school)
        teacher = await web.person("teacher", school=school)
        lessons += [await web.lesson(teacher, lead, room) for _ in range(2)]
        own.append(school.id)
    rows = [
        {"batch": "b", "lesson_id": one.id, "kind": "cancel", "at": web.clock.now(), "before": {}, "after": {}}
        for one in lessons
    ]
    async with web.transaction() as session:
        await changes.add_all(session, CITY, rows)
    found = [one for one in await told(web.database) if one.kind == "lesson_changes"]
    assert sorted((one.school_id, one.district_id, one.told["rows"]) for one in found) == sorted(
        (school, None, 2) for school in own
    )


async def test_what_is_rolled_back_is_not_told(web: Web) -> None:
    before = len(await told(web.database))
    with pytest.raises(RuntimeError):
        async with web.transaction() as session:
            session.add(District(id="120101", name="和平区", name_en="Heping", kind="central"))
            await session.flush()
            raise RuntimeError
    assert len(await told(web.database)) == before


async def test_passwords_are_told_without_being_shown(web: Web) -> None:
    await web.person("teacher", password_hash="$argon2id$secret")
    assert "argon2id" not in str([one.told for one in await told(web.database)])


# --- on both databases ------------------------------------------------------------------------------------------------


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
async def migrated(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    """A database made by the migrations, triggers and all."""
    if request.param == "sqlite":
        url = f"sqlite+aiosqlite:///{tmp_path / 'log.db'}"
    else:
        url = request.getfixturevalue("postgres_url")
    migrations.upgrade(url)
    database = Database(make_engine(url))
    watch(database, FixedClock(MONDAY))
    yield database
    await database.dispose()


async def write(database: Database, number: int) -> None:
    async with database.transaction() as session:
        session.add(District(id=f"12{number:04d}", name=f"{number}区", name_en="x", kind="far"))


def tamper(database: Database, *statements: str) -> None:
    """As somebody who owns the database: triggers off first."""
    engine = create_engine(migrations.sync_url(database.engine.url.render_as_string(hide_password=False)))
    with engine.begin() as connection:
        for table in ("audit_entries", "audit_seals"):
            if connection.dialect.name == "sqlite":
                for verb in ("update", "delete"):
                    connection.execute(text(f"DROP TRIGGER {table}_refuse_{verb}"))
            else:
                connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        for statement in statements:
            assert connection.execute(text(statement)).rowcount > 0, statement
    engine.dispose()


async def test_many_writers_and_two_sealers_make_one_chain(migrated: Database) -> None:
    clock = FixedClock(MONDAY)

    async def sealer() -> None:
        for _ in range(6):
            await chain.seal(migrated, clock)
            await asyncio.sleep(0)

    await asyncio.gather(*(write(migrated, number) for number in range(16)), sealer(), sealer())
    await chain.seal(migrated, clock)
    verdict = await chain.verify(migrated, MONDAY)
    assert (verdict.problems, verdict.count, verdict.waiting) == ([], 16, 0)


async def test_the_log_refuses_to_be_rewritten(migrated: Database) -> None:
    await write(migrated, 1)
    await chain.seal(migrated, FixedClock(MONDAY))
    for statement in ("UPDATE audit_entries SET act = 'view'", "DELETE FROM audit_seals", "DELETE FROM audit_entries"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with migrated.transaction() as session:
                await session.execute(text(statement))


FORGED = f"""INSERT INTO audit_entries (id, at, act, kind, told)
VALUES ('{new_id()}', '2026-11-16 00:00:00', 'change', 'schools', '{{}}')"""


@pytest.mark.parametrize(
    ("statement", "blame"),
    [
        ("UPDATE audit_entries SET person_id = 'somebody' WHERE id = (SELECT min(id) FROM audit_entries)", "changed"),
        ("DELETE FROM audit_entries WHERE id = (SELECT min(id) FROM audit_entries)", "missing"),
        ("DELETE FROM audit_seals WHERE number = 2", "seals 2 to 2 are missing"),
        ("UPDATE audit_seals SET sha256 = entry_sha256 WHERE number = 3", "does not follow"),
        (FORGED, "neither sealed nor waiting"),
    ],
)
async def test_tampering_is_seen(migrated: Database, statement: str, blame: str) -> None:
    for number in range(4):
        await write(migrated, number)
    await chain.seal(migrated, FixedClock(MONDAY))
    assert (await chain.verify(migrated, MONDAY)).good
    tamper(migrated, statement)
    verdict = await chain.verify(migrated, MONDAY)
    assert any(blame in problem for problem in verdict.problems), verdict.problems


async def test_a_chain_made_anew_differs_from_the_head_that_was_noted(migrated: Database) -> None:
    for number in range(3):
        await write(migrated, number)
    clock = FixedClock(MONDAY)
    await chain.seal(migrated, clock)
    noted = await chain.verify(migrated, MONDAY)
    tamper(
        migrated,
        "DELETE FROM audit_seals",
        "UPDATE audit_entries SET person_id = 'somebody else'",
        "INSERT INTO audit_waiting SELECT id FROM audit_entries",
    )
    await chain.seal(migrated, clock)
    assert (await chain.verify(migrated, MONDAY)).good, "the database alone cannot know"
    verdict = await chain.verify(migrated, MONDAY, (noted.count, noted.head))
    assert verdict.problems == ["seal 3 is not the one that was noted"]


async def test_an_entry_that_waits_too_long_is_a_finding(migrated: Database) -> None:
    await write(migrated, 1)
    assert (await chain.verify(migrated, MONDAY + timedelta(seconds=30))).good
    assert "is a worker running" in str((await chain.verify(migrated, MONDAY + timedelta(minutes=2))).problems)
    async with migrated.reading() as session:
        assert await session.scalar(select(AuditSeal).limit(1)) is None
