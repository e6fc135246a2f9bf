"""A file that is being written says how far it is, on both databases, without anybody seeing into its transaction."""

from __future__ import annotations

from typing import Any

import pytest

from server.exchange import job, service
from server.exchange.progress import Progress, key_of, percent
from server.schools.models import Room
from signaling.ports import ObjectStoreError
from tests.server.exchange.test_large import CLOCK, city, count, database, rooms
from tests.support.web import MemoryObjects, Web

__all__ = ["database"]


class Ticking:
    """A second for every look."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> Any:
        return CLOCK.now()

    def monotonic(self) -> float:
        self.at += 1.0
        return self.at


class Noting(MemoryObjects):
    """Remembers what was said, and what the register held for others then."""

    said: list[int]

    async def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
        await super().put(key, data)
        if key.endswith(".percent"):
            self.said.append(int(data))


@pytest.mark.slow
async def test_writing_says_how_far_it_is(database: Any) -> None:
    person, objects = await city(database, 20), Noting()
    objects.said = []
    async with database.reading() as session:
        scope = await service.scope_for(session, service.Upload(person_id=person.id), CLOCK.now())
    async with database.transaction() as session:
        row = await service.take(session, scope, objects, "rooms", "x.xlsx", rooms(2500, 20), CLOCK.now())
    await job.run(database, objects, Ticking())
    assert objects.said == [], "checking stands in the row"
    async with database.transaction() as session:
        await service.accept(session, scope, row.id)
    await job.run(database, objects, Ticking())
    assert await count(database, Room) == 2500
    assert objects.said == sorted(objects.said) and objects.said[-1] == 99
    assert any(0 < one < 50 for one in objects.said) and any(50 < one < 99 for one in objects.said)
    assert objects.held == {}, "it goes with the file"


class Away(MemoryObjects):
    async def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
        raise ObjectStoreError(key)


async def test_a_store_that_is_away_stops_nothing() -> None:
    progress = Progress(Away(), CLOCK, "u", 0)
    await progress.checked(1)
    progress.to_write(0)
    await progress.wrote(1)
    await progress.over()
    assert await percent(Away(), "u") == 0


async def test_the_page_shows_it(web: Web) -> None:
    person = await web.person("city_admin")
    admin = await web.sign_in(person)
    await web.add(
        service.Upload(
            id="u", kind="rooms", state="writing", name="x.xlsx", sha256="", person_id=person.id, rows=9,
            created_at=web.clock.now(),
        )
    )  # fmt: skip
    assert "已完成 0%" in (await admin.get("/admin/exchange/u")).text
    await web.objects.put(key_of("u"), b"42")
    assert "已完成 42%" in (await admin.get("/admin/exchange/u")).text
