"""A workbook of many rooms into a full register, as its owner brings it: taken in, checked, accepted, written."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from sqlalchemy import select

from server.clock import SystemClock
from server.database import Database
from server.exchange import job, service, workbook
from server.exchange.models import Upload
from server.exchange.sheets import SHEETS
from server.schools.models import School
from server.scope import Scope
from server.templating import texts
from tests.support.municipality import Known
from tests.support.web import MemoryObjects


async def import_rows(database: Database, known: Known, count: int) -> float:
    """Seconds from handing in to written; the file itself is made before."""
    async with database.reading() as session:
        codes = list(await session.scalars(select(School.code).order_by(School.code)))
    data = workbook.write(
        "rooms",
        SHEETS["rooms"],
        (
            {
                "school_code": codes[number % len(codes)],
                "code": f"NEW-{number:06d}",
                "name": f"新教室 {number}",
                "kind": "receiving",
                "pupils": 30,
                "equipment": ["screen"],
            }
            for number in range(count)
        ),
        texts("zh-CN"),
    )
    scope = Scope(person=known.people["city_admin"], posts=frozenset({"city_admin"}), city=True)
    objects, clock = MemoryObjects(), SystemClock()
    began = time.monotonic()
    async with database.transaction() as session:
        row = await service.take(session, scope, objects, "rooms", "rooms.xlsx", data, datetime.now(UTC))  # type: ignore[arg-type]
    await job.run(database, objects, clock)  # type: ignore[arg-type]
    async with database.transaction() as session:
        await service.accept(session, scope, row.id)
    await job.run(database, objects, clock)  # type: ignore[arg-type]
    taken = time.monotonic() - began
    async with database.reading() as session:
        done = await session.get_one(Upload, row.id)
    if (done.state, done.new) != ("done", count):
        raise RuntimeError(f"import: {done.state} {done.new} {done.problems}")
    return taken
