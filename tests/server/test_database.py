"""Writers on SQLite: one at a time and in turn, and nobody waits for one who only looks on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import text

from server.database import Database, make_engine

WRITERS, TURNS = 8, 12


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    held = Database(make_engine(f"sqlite+aiosqlite:///{tmp_path / 'd.db'}"))
    async with held.transaction() as session:
        await session.execute(text("CREATE TABLE said (number INTEGER)"))
    yield held
    await held.dispose()


async def write(database: Database, number: int) -> None:
    async with database.transaction() as session:
        await session.execute(text("INSERT INTO said VALUES (:number)"), {"number": number})
        await asyncio.sleep(0.001)


async def said(database: Database) -> list[int]:
    async with database.reading() as session:
        return list(await session.scalars(text("SELECT number FROM said ORDER BY rowid")))


async def test_writers_take_turns(database: Database) -> None:
    """Nobody is overtaken for long: SQLite's own waiting lets one try again and again while others pass."""

    async def writer(number: int) -> None:
        for _ in range(TURNS):
            await write(database, number)

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))
    order = await said(database)
    for number in range(WRITERS):
        places = [place for place, one in enumerate(order) if one == number]
        assert len(places) == TURNS
        assert max(after - before for before, after in pairwise(places)) <= 2 * WRITERS


async def test_who_gives_up_waiting_or_fails_leaves_the_turn_to_the_next(database: Database) -> None:
    first, waiting = asyncio.create_task(write(database, 1)), asyncio.create_task(write(database, 2))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await first
    with pytest.raises(ZeroDivisionError):
        async with database.transaction() as session:
            await session.execute(text("INSERT INTO said VALUES (3)"))
            raise ZeroDivisionError
    await asyncio.wait_for(write(database, 4), 5)
    assert await said(database) == [1, 4]


async def test_who_is_cancelled_while_writing_leaves_the_turn_too(database: Database) -> None:
    async def slowly() -> None:
        async with database.transaction() as session:
            await session.execute(text("INSERT INTO said VALUES (1)"))
            await asyncio.sleep(60)

    task = asyncio.create_task(slowly())
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(write(database, 2), 5)
    assert await said(database) == [2]


async def test_a_transaction_that_has_said_nothing_yet_holds_nobody_up(database: Database) -> None:
    async with database.transaction() as outer:
        await asyncio.wait_for(write(database, 1), 5)
        await outer.execute(text("INSERT INTO said VALUES (2)"))
    assert await said(database) == [1, 2]


async def test_a_writer_inside_another_is_refused_not_kept_for_ever(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.database.WAIT_SECONDS", 0.1)
    async with database.transaction() as outer:
        await outer.execute(text("INSERT INTO said VALUES (1)"))
        with pytest.raises(TimeoutError):
            await write(database, 2)
    await asyncio.wait_for(write(database, 3), 5)
    assert await said(database) == [1, 3]
