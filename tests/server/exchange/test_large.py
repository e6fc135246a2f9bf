"""Many rows: checked, written in one transaction, told one by one, on both databases; never half, never too many.

What twenty thousand take, the limit, is measured by ``bench register``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import func, select, text

from server import migrations
from server.accounts.models import Person, PostHeld
from server.audit import chain
from server.audit.models import AuditEntry
from server.audit.watch import watch
from server.clock import FixedClock
from server.database import Database, make_engine
from server.exchange import job, service, workbook
from server.exchange.models import Upload
from server.exchange.sheets import SHEETS
from server.ids import new_id
from server.schools.models import District, Room, School
from server.scope import Scope
from server.templating import texts
from tests.support.web import MONDAY, MemoryObjects

pytestmark = pytest.mark.slow

CLOCK = FixedClock(MONDAY)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'x.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    migrations.upgrade(url)
    held = Database(make_engine(url))
    watch(held, CLOCK)
    yield held
    await held.dispose()


async def city(database: Database, schools: int) -> Person:
    person = Person(id=new_id(), login="chen", name="陈管理员", created_at=MONDAY)
    async with database.transaction() as session:
        session.add(District(id="120113", name="北辰区", name_en="Beichen", kind="ring"))
        await session.flush()
        session.add(person)
        for number in range(schools):
            session.add(
                School(
                    id=new_id(), code=f"2112{number:06d}", name=f"第{number}小学", short_name=f"第{number}小学",
                    phase="primary", located_in="120113", supervised_by="120113", created_at=MONDAY,
                )
            )  # fmt: skip
        await session.flush()
        session.add(PostHeld(id=new_id(), person_id=person.id, post="city_admin", starts_on=date(2026, 1, 1)))
    return person


async def bring(database: Database, objects: MemoryObjects, person: Person, data: bytes) -> Upload:
    scope = Scope(person=person.id, posts=frozenset({"city_admin"}), city=True)
    async with database.transaction() as session:
        row = await service.take(session, scope, objects, "rooms", "rooms.xlsx", data, MONDAY)  # type: ignore[arg-type]
    await job.run(database, objects, CLOCK)  # type: ignore[arg-type]
    async with database.transaction() as session:
        if (await service.get(session, scope, row.id)).state == "ready":
            await service.accept(session, scope, row.id)
    await job.run(database, objects, CLOCK)  # type: ignore[arg-type]
    async with database.reading() as session:
        return await session.get_one(Upload, row.id)


def rooms(count: int, schools: int) -> bytes:
    values = (
        {
            "school_code": f"2112{number % schools:06d}",
            "code": f"R-{number}",
            "name": f"{number} 教室",
            "kind": "receiving",
            "pupils": 30,
            "equipment": ["screen"],
        }
        for number in range(count)
    )
    return workbook.write("rooms", SHEETS["rooms"], values, texts("zh-CN"))


async def count(database: Database, table: type) -> int:
    async with database.reading() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def test_a_file_of_hundreds_is_written_and_told_and_sealed(database: Database) -> None:
    person, objects = await city(database, 20), MemoryObjects()
    before = await count(database, AuditEntry)
    done = await bring(database, objects, person, rooms(600, 20))
    assert (done.state, done.new, await count(database, Room)) == ("done", 600, 600)
    assert await count(database, AuditEntry) == before + 600 + 1, "each row, and the import"
    again = await bring(database, objects, person, rooms(600, 20))
    assert (again.state, again.new, again.same) == ("done", 0, 600)
    await chain.seal(database, CLOCK)
    assert (await chain.verify(database, MONDAY)).good
    assert objects.held == {}, "what is written is not kept twice"


async def test_a_database_that_says_no_half_way_leaves_nothing_behind(database: Database) -> None:
    person, objects = await city(database, 5), MemoryObjects()
    async with database.transaction() as session:
        if session.get_bind().dialect.name == "sqlite":
            await session.execute(
                text(
                    "CREATE TRIGGER no_more BEFORE INSERT ON rooms WHEN NEW.code = 'R-1500' "
                    "BEGIN SELECT RAISE(ABORT, 'disk full'); END"
                )
            )
        else:
            await session.execute(text("ALTER TABLE rooms ADD CONSTRAINT no_more CHECK (code <> 'R-1500')"))
    done = await bring(database, objects, person, rooms(2000, 5))
    assert (done.state, done.problems[0]["key"]) == ("failed", "errors.bug")
    assert await count(database, Room) == 0
    assert (await chain.verify(database, MONDAY)).good


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # refused while it is read: the other says the same
async def test_more_rows_than_a_file_may_have_are_refused(database: Database) -> None:
    person, objects = await city(database, 1), MemoryObjects()
    more = await bring(database, objects, person, rooms(20_001, 1))
    assert (more.state, more.problems[0]["key"]) == ("wrong", "errors.workbook_rows")
