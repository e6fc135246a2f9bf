"""An empty city can take its first school: districts and calendar are there, once, and stay as people leave them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import delete, func, select

from server import migrations
from server.config import WebSettings
from server.database import Database, make_engine
from server.demo.city import DISTRICTS
from server.schools.models import District
from server.seeding import seed
from server.timetable.models import CalendarDay, CalendarHorizon
from server.timetable.national import KNOWN_UNTIL, known_days


async def test_an_empty_city_is_ready_for_its_first_school(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'city.db'}"
    migrations.upgrade(url)
    settings = WebSettings.model_validate(
        {"data": tmp_path, "database_url": url, "seat_key": tmp_path / "seat.pem", "node_secret": "a secret of nodes"}
    )
    await seed(settings)
    database = Database(make_engine(url))
    try:
        async with database.transaction() as session:
            named = await session.get_one(District, "120113")
            named.name = "北辰"
            gone = (await session.scalars(select(CalendarDay).order_by(CalendarDay.day))).first()
            assert gone is not None
            await session.execute(delete(CalendarDay).where(CalendarDay.day == gone.day))
        await seed(settings)
        async with database.reading() as session:
            assert await session.scalar(select(func.count()).select_from(District)) == len(DISTRICTS) == 16
            assert (await session.get_one(District, "120113")).name == "北辰"
            assert await session.scalar(select(func.count()).select_from(CalendarDay)) == len(list(known_days())) - 1
            assert await session.scalar(select(CalendarHorizon.known_until)) == KNOWN_UNTIL
    finally:
        await database.dispose()
