"""What was changed in the register does not change a month that is over."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from server.indicators import rollup, store
from server.schools import service
from server.schools.schemas import CloseBody, SchoolEdit
from server.scope import SYSTEM, Scope
from tests.server.indicators.test_rollup import City
from tests.support.web import MONDAY, Web

CITY = Scope(person="p", posts=frozenset({"city_admin"}), city=True)
IN_OCTOBER = MONDAY - timedelta(days=28)


@pytest.fixture
async def city(web: Web) -> City:
    web.clock.moment = IN_OCTOBER - timedelta(days=30)
    built = await City(web).build()
    await built.lesson(40, 10, at=IN_OCTOBER)
    web.clock.moment = MONDAY
    return built


async def again(city: City, period: str) -> dict[tuple[str, str, str], tuple[float, float]]:
    """Computed anew from the ledger and the register as they stand now."""
    async with city.web.transaction() as session:
        await rollup.mark_stale(session, [period])
    await rollup.catch_up(city.web.database, city.web.clock)
    return await city.figures(period)


async def hand_over(city: City, to: str | None) -> None:
    async with city.web.transaction() as session:
        school = await service.get(session, CITY, city.schools[1].id)
        plain = {name: getattr(school, name) for name in SchoolEdit.model_fields if name != "effective_on"}
        # Codes of tests are drawn by name and phase; a nine-year school may hold a primary code.
        body = SchoolEdit(**{**plain, "supervised_by": to})
        await service.edit(session, CITY, school.id, body, city.web.clock.now())


async def test_a_school_that_changes_hands_leaves_its_past_where_it_was(city: City) -> None:
    before = await city.figures("2026-10")
    assert before["L1", "district", "120115"] == (0, 1)
    await hand_over(city, "120113")
    await city.lesson(40, 40, at=MONDAY + timedelta(hours=1))
    assert await again(city, "2026-10") == before
    november = await again(city, "2026-11")
    assert november["L1", "district", "120113"] == (2, 2)
    assert november["L1", "district", "120115"] == (0, 0)


async def test_a_day_of_this_month_divides_the_month(city: City) -> None:
    await city.lesson(40, 40, at=MONDAY - timedelta(days=7))
    city.web.clock.moment = MONDAY
    await hand_over(city, None)
    await city.lesson(40, 40, at=MONDAY + timedelta(hours=1))
    november = await again(city, "2026-11")
    assert november["L1", "district", "120115"] == (1, 1), "the week before it was theirs"
    assert november["L1", "city", "city"] == (4, 4)


async def test_the_evidence_of_a_district_is_what_its_figure_counts(city: City) -> None:
    await hand_over(city, "120113")
    async with city.web.database.reading() as session:
        month = rollup.month_of("2026-10")
        for district, count in (("120115", 1), ("120113", 1)):
            rows = await store.receipts_of(session, SYSTEM, month, MONDAY, "district", district)
            assert len(rows) == count, district


async def test_a_closed_school_stays_in_the_months_it_was_open(city: City) -> None:
    before = await city.figures("2026-10")
    async with city.web.transaction() as session:
        await service.close(session, CITY, city.town.id, CloseBody(merged_into=city.schools[0].id), MONDAY)
    assert await again(city, "2026-10") == before
    city.web.clock.moment = datetime.fromisoformat("2026-12-15T09:00:00+08:00")
    december = await again(city, "2026-12")
    assert ("L1", "school", city.town.id) not in december
    assert ("L1", "school", city.town.id) in await again(city, "2026-11"), "it was open for half of it"
