"""The monthly report: its figures, its lists, its table for Excel, and who may read it."""

from __future__ import annotations

import csv
import html
import io
import re
from datetime import timedelta

import pytest

from server.lessons.models import Lesson
from server.participation import service as ledger
from server.schools.models import District, School
from tests.server.indicators.test_pages import browser
from tests.server.indicators.test_rollup import City
from tests.support.ledger import lesson
from tests.support.web import Web

pytestmark = pytest.mark.slow


@pytest.fixture
async def city(web: Web) -> City:
    held = await City(web).build()
    held.first = await held.lesson(40, 10)
    off = await lesson(web, held.lead, held.rooms, held.teacher, starts_at=held.first.starts_at + timedelta(hours=2))
    async with web.transaction() as session:
        row = await session.get_one(Lesson, off.id)
        row.state, row.cancel_reason, row.title = "cancelled", "power", "=HYPERLINK(1)"
    web.clock.moment += timedelta(hours=3)
    await ledger.catch_up(web.database, web.clock)
    return held


async def test_a_report_holds_figures_rooms_causes_and_lessons(web: Web, city: City) -> None:
    page = await browser(web, "city_admin")
    answer = await page.get("/reports/2026-11/city")
    assert answer.status_code == 200
    assert "25.0%" in answer.text  # one of four receipts, two of them lost to a power cut
    assert "停电" in answer.text
    assert f"/indicators/lessons/{city.first.id}" in answer.text
    english = await page.get("/reports/2026-11/city?lang=en")
    assert "Power cut" in english.text


async def test_every_number_opens_into_what_it_was_made_of(web: Web, city: City) -> None:
    for reader, path in (
        (await browser(web, "city_admin"), "/reports/2026-11/city"),
        (await browser(web, "school_admin", of_school=city.town), f"/reports/2026-11/school-{city.town.id}"),
    ):
        text = (await reader.get(path)).text
        links = sorted({html.unescape(link) for link in re.findall(r'href="(/indicators/[^"]+)"', text)})
        pages = {link: await reader.get(link) for link in links}
        assert {page.status_code for page in pages.values()} == {200}
        rows = {link.split("?")[-1]: page.text.count('<td data-label="听讲教室">') for link, page in pages.items()}
        # each room: a lesson heard by the first only, and one lost to a power cut
        assert [rows[f"room={room.id}"] for room in city.rooms] == [2, 2]
        assert [rows[f"room={room.id}&only=effective"] for room in city.rooms] == [1, 0]
        assert rows["cause=power"] == 2


async def test_the_sheet_opens_in_excel_and_runs_nothing(web: Web, city: City) -> None:
    page = await browser(web, "city_admin")
    answer = await page.get("/reports/2026-11/city.csv")
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 1 + 4
    assert len({len(row) for row in rows}) == 1
    titles = [row[2] for row in rows[1:]]
    assert "'=HYPERLINK(1)" in titles
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


async def test_a_demo_citys_sheet_says_so(web: Web, city: City) -> None:
    web.app.state.demo = True
    answer = await (await browser(web, "city_admin")).get("/reports/2026-11/city.csv")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert "演示数据" in rows[-1][0] and len({len(row) for row in rows}) == 1


async def test_each_reads_the_reports_of_his_part(web: Web, city: City) -> None:
    async with web.database.reading() as session:
        near = await session.get_one(District, "120113")
    reports = {
        "city": "/reports/2026-11/city",
        "near": "/reports/2026-11/district-120113",
        "far": "/reports/2026-11/district-120115",
        "town": f"/reports/2026-11/school-{city.town.id}",
        "near village": f"/reports/2026-11/school-{city.schools[0].id}",
        "far village": f"/reports/2026-11/school-{city.schools[1].id}",
    }
    readers = {
        "city_admin": ({}, set(reports)),
        "evaluator": ({}, set(reports)),
        "inspector": ({}, set(reports)),
        "district_admin": ({"district": near}, {"near", "town", "near village"}),
        "school_admin": ({"of_school": city.schools[1]}, {"far village"}),
    }
    for post, (of, allowed) in readers.items():
        page = await browser(web, post, **of)
        for name, path in reports.items():
            for suffix in ("", ".csv"):
                expected = 200 if name in allowed else 404
                assert (await page.get(path + suffix)).status_code == expected, (post, name, suffix)
            json_answer = await page.get(path.replace("/reports", "/api/v1/reports"))
            assert json_answer.status_code == (200 if name in allowed else 404), (post, name)
    teacher = await browser(web, "teacher", school=city.town)
    assert {(await teacher.get(path)).status_code for path in reports.values()} == {403}


async def test_a_lead_school_reads_of_the_rooms_it_taught(web: Web, city: City) -> None:
    page = await browser(web, "school_admin", of_school=city.town)
    answer = await page.get(f"/reports/2026-11/school-{city.town.id}")
    assert "作为主讲校" in answer.text
    assert "作为听讲校" not in answer.text
    assert answer.text.count(f"/indicators/lessons/{city.first.id}") == 1


async def test_reports_lead_to_ones_own(web: Web, city: City) -> None:
    page = await browser(web, "school_admin", of_school=city.schools[0])
    answer = await page.get("/reports", follow_redirects=False)
    assert answer.headers["location"] == f"/reports/2026-11/school-{city.schools[0].id}"


async def test_unknown_reports_are_not_found(web: Web, city: City) -> None:
    page = await browser(web, "city_admin")
    for path in ("2026-11/school-nobody", "2026-11/galaxy-1", "2026-11/city-1", "2026-11/school", "2031-01/city"):
        assert (await page.get(f"/reports/{path}")).status_code == 404, path


async def test_the_month_before_stands_beside(web: Web, city: City) -> None:
    await city.lesson(40, 40, at=city.first.starts_at + timedelta(days=30))
    await ledger.catch_up(web.database, web.clock)
    page = await browser(web, "evaluator")
    answer = await page.get("/api/v1/reports/2026-12/city")
    figure = answer.json()["sections"][0]["figures"]["L1"]
    assert (figure["value"], figure["before"]) == (1.0, 0.25)


async def test_a_school_of_the_city_itself_is_in_no_districts_report(web: Web, city: City) -> None:
    async with web.transaction() as session:
        (await session.get_one(School, city.schools[0].id)).supervised_by = None
    async with web.database.reading() as session:
        near = await session.get_one(District, "120113")
    page = await browser(web, "district_admin", district=near)
    assert (await page.get(f"/reports/2026-11/school-{city.schools[0].id}")).status_code == 404
