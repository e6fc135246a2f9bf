"""More rows than a file may have: a zip of a file a district, each of which goes in again; the loop lives meanwhile."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from urllib.parse import unquote

import pytest
from openpyxl import load_workbook

from server.accounts.models import Person
from server.exchange import out, workbook
from server.exchange.sheets import SHEETS
from server.ids import new_id
from server.schools.models import Pairing, School
from tests.server.exchange.test_roundtrip import Grid, export, send, state_of
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow


@pytest.fixture
async def admin(web: Web) -> Browser:
    """Two districts and a school of the city's own; two rooms and three people each."""
    here, there = await web.district("120113"), await web.district("120115", "far")
    schools = [await web.school(here, "甲小学"), await web.school(there, "乙小学"), await web.school(there, "市属小学")]
    async with web.transaction() as session:
        (await session.get_one(School, schools[2].id)).supervised_by = None
    for school in schools:
        for number in range(2):
            await web.room(school, f"{number} 室")
        await web.person("teacher", "dean", school=school)
        await web.person("assistant", school=school)
        gone = await web.person("teacher", school=school, name="离职")
        async with web.transaction() as session:
            (await session.get_one(Person, gone.id)).disabled_at = web.clock.now()
    await web.add(
        Pairing(
            id=new_id(), lead_school_id=schools[0].id, village_school_id=schools[1].id, kind="one_to_one",
            starts_on=date(2026, 9, 1),
        )
    )  # fmt: skip
    return await web.sign_in(await web.person("city_admin", name="市管理员"))


async def unpacked(browser: Browser, kind: str) -> dict[str, bytes]:
    answer = await browser.get(f"/admin/exchange/export/{kind}.xlsx")
    assert answer.headers["content-type"] == "application/zip"
    assert unquote(answer.headers["content-disposition"]).endswith(".zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def grid(data: bytes) -> Grid:
    return [list(row) for row in load_workbook(io.BytesIO(data)).worksheets[0].iter_rows(values_only=True)]


@pytest.mark.parametrize("kind", ["people", "rooms", "schools"])
async def test_a_file_a_district(web: Web, admin: Browser, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = await export(admin, kind)
    assert len(whole) == {"people": 7, "rooms": 7, "schools": 4}[kind]
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    files = await unpacked(admin, kind)
    assert len(files) == 3 and list(files)[-1].endswith("-市直属.xlsx")
    rows = [row for data in files.values() for row in grid(data)[1:]]
    assert sorted(map(str, rows)) == sorted(map(str, whole[1:])), "nothing is lost, nothing twice"
    for data in files.values():
        place, _ = await send(web, admin, kind, data)
        upload = await state_of(web, place)
        assert (upload.state, upload.new, upload.changed) == ("ready", 0, 0)


async def test_a_district_of_more_is_numbered(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 1)
    files = await unpacked(admin, "rooms")
    assert len(files) == 6 and all(name.rpartition("-")[2] in ("1.xlsx", "2.xlsx") for name in files)
    assert all(len(grid(data)) == 2 for data in files.values())


def test_every_kind_says_whose_its_rows_are() -> None:
    for kind, columns in SHEETS.items():
        assert kind == "calendar" or out.PLACED[kind] in {column.key for column in columns}, kind


async def test_a_citys_own_timetables_are_too_many(web: Web, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(out, "MOST_OUT", -1)
    answer = await admin.get("/admin/exchange/export/ordinary.xlsx")
    assert answer.status_code == 422 and "请按区或学校导出" in answer.text


def test_rows_of_no_school_are_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    rows = [{"day": number} for number in range(5)]
    parts = list(out.split(rows, "", {}.get, {"120113": "北辰区"}, "其他"))
    assert [(name, len(held)) for name, held in parts] == [("其他-1", 2), ("其他-2", 2), ("其他-3", 1)]
