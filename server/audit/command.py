"""``tongtang audit verify``: the chain of a database, from the command line."""

from __future__ import annotations

import re

from server.audit.chain import Verdict, verify
from server.clock import SystemClock
from server.config import WebSettings
from server.database import Database, make_engine

NOTED = re.compile(r"^(\d{1,18}):([0-9a-f]{64})$")


async def verified(held: WebSettings, expect: str) -> Verdict:
    noted = NOTED.match(expect)
    if expect and noted is None:
        return Verdict(problems=[f"--expect wants NUMBER:HASH, not {expect!r}"])
    database = Database(make_engine(held.database_url))
    try:
        return await verify(database, SystemClock().now(), (int(noted[1]), noted[2]) if noted else None)
    finally:
        await database.dispose()
