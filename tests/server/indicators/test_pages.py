"""The pages of the figures: what opens into what, for whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.participation import service as ledger
from tests.server.indicators.test_rollup import City
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow


@pytest.fixture
async def city(web: Web) -> City:
    held = await City(web).build()
    held.first = await held.lesson(40, 10)
    await held.lesson(40, 40, at=held.first.starts_at + timedelta(hours=1))
    await ledger.catch_up(web.database, web.clock)
    return held


async def browser(web: Web, post: str, **of: object) -> Browser:
    return await web.sign_in(await web.person(post, **of))  # type: ignore[arg-type]


async def test_the_city_sees_every_level(web: Web, city: City) -> None:
    page = await browser(web, "city_admin")
    answer = await page.get("/indicators")
    assert answer.status_code == 200
    assert "75.0%" in answer.text  # three of four receipts
    for level in ("district", "school", "lead", "room"):
        assert (await page.get(f"/indicators?level={level}&sort=-L1")).status_code == 200
    assert (await page.get("/indicators?level=galaxy")).status_code == 404
    assert (await page.get("/indicators?period=1999-01")).status_code == 404


async def test_a_figure_opens_into_its_lessons_and_they_into_intervals(web: Web, city: City) -> None:
    page = await browser(web, "evaluator")
    answer = await page.get(f"/indicators/L1/2026-11/district/{city.schools[1].located_in}")
    assert "50.0%" in answer.text
    assert f"/indicators/lessons/{city.first.id}" in answer.text
    assert "结果一致" in answer.text
    missed = await page.get(f"/indicators/L1/2026-11/room/{city.rooms[1].id}?only=missed")
    assert missed.text.count("/indicators/lessons/") == 1
    evidence = await page.get(f"/indicators/lessons/{city.first.id}")
    assert evidence.status_code == 200
    assert evidence.text.count('class="timeline"') == 2
    assert "时长不足" in evidence.text


async def test_a_school_sees_itself_and_nothing_else(web: Web, city: City) -> None:
    page = await browser(web, "school_admin", of_school=city.schools[1])
    assert (await page.get("/indicators")).status_code == 200
    assert (await page.get(f"/indicators/A1/2026-11/room/{city.rooms[1].id}")).status_code == 200
    evidence = await page.get(f"/indicators/lessons/{city.first.id}")
    assert evidence.text.count('class="timeline"') == 1  # the other room is another school's
    for foreign in (
        f"/indicators/L1/2026-11/school/{city.schools[0].id}",
        f"/indicators/L1/2026-11/room/{city.rooms[0].id}",
        f"/indicators/L1/2026-11/lead/{city.town.id}",
        "/indicators/L1/2026-11/district/120115",
        "/indicators/L1/2026-11/city/city",
        "/indicators?level=district",
    ):
        assert (await page.get(foreign)).status_code == 404, foreign


async def test_a_lead_school_sees_the_rooms_it_teaches(web: Web, city: City) -> None:
    page = await browser(web, "school_admin", of_school=city.town)
    answer = await page.get(f"/indicators/L1/2026-11/lead/{city.town.id}")
    assert answer.text.count(f"/indicators/lessons/{city.first.id}") == 2
    assert (await page.get(f"/indicators/lessons/{city.first.id}")).text.count('class="timeline"') == 2


async def test_a_district_sees_its_own(web: Web, city: City) -> None:
    async with web.database.reading() as session:
        from server.schools.models import District

        far = await session.get_one(District, "120115")
    page = await browser(web, "district_admin", district=far)
    assert (await page.get("/indicators/L1/2026-11/district/120115")).status_code == 200
    assert (await page.get("/indicators/L1/2026-11/district/120113")).status_code == 404
    answer = await page.get("/api/v1/indicators/room")
    assert [part["id"] for part in answer.json()["parts"]] == [city.rooms[1].id]


async def test_teachers_pupils_and_strangers_see_no_figures(web: Web, city: City) -> None:
    for post in ("teacher", "pupil", "studio_host"):
        page = await browser(web, post, school=city.town)
        assert (await page.get("/indicators")).status_code == 403
        assert (await page.get(f"/indicators/lessons/{city.first.id}")).status_code == 403
    stranger = web.browser()
    assert (await stranger.get("/api/v1/indicators/city")).status_code == 401


async def test_unknown_figures_are_not_found(web: Web, city: City) -> None:
    page = await browser(web, "city_admin")
    for path in ("X9/2026-11/city/city", "L3P/2026-11/city/city", "L1/2025-01/city/city", "L1/2026-11/city/town"):
        assert (await page.get(f"/indicators/{path}")).status_code == 404, path
    assert (await page.get("/indicators/lessons/nothing")).status_code == 404


async def test_figures_as_json(web: Web, city: City) -> None:
    page = await browser(web, "inspector")
    answer = (await page.get("/api/v1/indicators/city")).json()
    figure = answer["parts"][0]["figures"]["L1"]
    assert (figure["value"], figure["numerator"], figure["denominator"], figure["band"]) == (0.75, 3, 4, "missed")
    assert {entry["code"] for entry in (await page.get("/api/v1/indicators")).json()} == {"L1", "L3", "A1"}


async def test_a_city_without_a_single_lesson_has_a_page(web: Web) -> None:
    await web.district()
    await ledger.catch_up(web.database, web.clock)
    page = await browser(web, "city_admin")
    answer = await page.get("/indicators?lang=en")
    assert answer.status_code == 200
    assert "n/a" in answer.text
