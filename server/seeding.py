"""What a city knows before anybody types: its districts, and the school calendar as far as it is announced."""

from __future__ import annotations

from server.audit.watch import watch
from server.clock import SystemClock
from server.config import WebSettings
from server.database import Database, make_engine
from server.schools import districts
from server.scope import SYSTEM
from server.timetable import calendar


async def seed(settings: WebSettings) -> None:
    """After every migration; what is there stays as it is, what was taken away by hand stays away."""
    database = Database(make_engine(settings.database_url))
    clock = SystemClock()
    watch(database, clock)
    try:
        async with database.transaction() as session:
            await districts.seed(session, SYSTEM)
            await calendar.seed(session, SYSTEM, clock.now())
    finally:
        await database.dispose()
