"""本校课表 as a workbook: there and back is equal; who would be in two hours is named, with the row in the way."""

from __future__ import annotations

from typing import Any

import pytest

from server.exchange.sheets import SHEETS
from server.ids import new_id
from server.schools.models import SchoolClass
from tests.server.exchange.test_roundtrip import export, packed, send, state_of, write
from tests.support import timetable
from tests.support.timetable import City, ordinary
from tests.support.web import Browser, Web

NAMES = [column.key for column in SHEETS["ordinary"]]


def cell(row: list[Any], name: str, *value: Any) -> Any:
    """Reads it, or writes it."""
    if value:
        row[NAMES.index(name)] = value[0]
    return row[NAMES.index(name)]


@pytest.fixture
async def held(web: Web) -> City:
    city = await timetable.with_classroom(web)
    for number in (1, 2):
        await web.add(
            SchoolClass(
                id=f"k{number}", school_id=city.town.id, phase="primary", entry_year=2023, number=number, pupils=40
            )
        )
    await web.add(
        ordinary(city.town, 3, 9, class_id="k1", teacher_id=city.teacher.id),
        ordinary(city.town, 3, 9, class_id="k2", subject="art", follows_bell=True, weeks="odd"),
        ordinary(city.town, 4, 9, room_id=city.lead.id, subject="club"),
        ordinary(city.village, 1, 8, teacher_id=city.assistant.id),
    )
    return city


@pytest.fixture
async def dean(web: Web, held: City) -> Browser:
    return await web.sign_in(await web.person("dean", school=held.town, of_school=held.town))


async def problems(web: Web, dean: Browser, grid: list[list[Any]]) -> list[tuple[int, str, str]]:
    place, _ = await send(web, dean, "ordinary", packed(grid))
    return [(one["row"], one["column"], one["key"]) for one in (await state_of(web, place)).problems]


async def test_there_and_back_is_equal(web: Web, dean: Browser) -> None:
    before = await export(dean, "ordinary")
    assert len(before) == 4, "of one's own school"
    place, _ = await send(web, dean, "ordinary", packed(before))
    upload = await state_of(web, place)
    assert (upload.problems, upload.new, upload.changed, upload.same) == ([], 0, 0, 3)
    for row in before[1:]:
        cell(row, "slot", None)
    place, _ = await send(web, dean, "ordinary", packed(before))
    upload = await state_of(web, place)
    assert (upload.problems, upload.new, upload.changed, upload.same) == ([], 0, 0, 3), "known by their key as well"


async def test_a_timetable_written_in_excel_is_the_timetable(web: Web, dean: Browser, held: City) -> None:
    grid = await export(dean, "ordinary")
    moved, gone = grid[1], grid[3]
    cell(moved, "weekday", "周五")
    cell(gone, "action", "删除")
    new = [None] * len(NAMES)
    for name, value in {
        "term": "2026-1", "school_code": held.town.code, "class": "2023级1班", "weekday": "周二", "period": 2,
        "subject": "班会",
    }.items():  # fmt: skip
        cell(new, name, value)
    assert "打开本校课表" in await write(web, dean, "ordinary", packed([*grid, new]))
    again = await export(dean, "ordinary")
    said = [[cell(row, name) for name in ("weekday", "period", "subject", "starts", "follows_bell")] for row in again]
    assert said[1:] == [
        ["周二", 2, "班会", "09:15", "是"],
        ["周五", 2, "数学", "09:00", "否"],
        ["周三", 2, "美术", "09:00", "是"],
    ]


async def test_who_would_be_in_two_hours_is_named_with_the_row_in_the_way(web: Web, dean: Browser, held: City) -> None:
    grid = await export(dean, "ordinary")
    head, maths, art = grid[0], grid[1], grid[2]
    assert cell(maths, "subject") == "数学"
    cell(art, "staff", held.teacher.login)
    place, page = await send(web, dean, "ordinary", packed(grid))
    assert [(one["row"], one["key"]) for one in (await state_of(web, place)).problems] == [(3, "hour_taken")]
    assert "王老师周三第2节已有本校课：数学" in page
    cell(maths, "weeks", "单周")
    place, page = await send(web, dean, "ordinary", packed(grid))
    assert "王老师与第 2 行同一时间上课（周三第2节）" in page
    cell(maths, "weeks", "双周")
    assert await problems(web, dean, [head, maths, art]) == []


async def test_each_wrong_cell_is_named(web: Web, dean: Browser, held: City) -> None:
    grid = await export(dean, "ordinary")
    wrong: list[tuple[dict[str, Any], str, str]] = [
        ({"class": "2019级9班"}, "class", "errors.ordinary_school"),
        ({"staff": held.assistant.login}, "staff", "errors.ordinary_school"),
        ({"room": "R404"}, "room", "errors.ordinary_school"),
        ({"class": None, "staff": None}, "class", "errors.ordinary_who"),
        ({"term": "2031-1", "slot": None}, "term", "errors.ordinary_term"),
        ({"term": "2026-2"}, "term", "hour_term"),
        ({"school_code": held.village.code}, "school_code", "no_school"),
        ({"subject": "炼金"}, "subject", "choice"),
        ({"period": 12, "starts": None, "slot": None}, "period", "errors.ordinary_bell"),
        ({"slot": "ffff"}, "slot", "no_hour"),
        ({"starts": "25:00"}, "starts", "common.wrong.time"),
    ]
    for cells, column, key in wrong:
        row = list(grid[1])
        for name, value in cells.items():
            cell(row, name, value)
        assert await problems(web, dean, [grid[0], row]) == [(2, column, key)], cells


async def test_who_has_left_is_judged_only_where_the_row_changes(web: Web, dean: Browser, held: City) -> None:
    async with web.transaction() as session:
        row = await session.get_one(SchoolClass, "k1")
        row.closed_on = web.clock.now().date()
    grid = await export(dean, "ordinary")
    assert await problems(web, dean, grid) == []
    cell(grid[1], "subject", "音乐")
    assert await problems(web, dean, grid) == [(2, "class", "errors.ordinary_school")]
    cell(grid[1], "action", "删除")
    assert await problems(web, dean, grid) == []


async def test_two_classes_of_one_name_are_told_by_their_phase(web: Web, dean: Browser, held: City) -> None:
    await web.add(
        SchoolClass(id=new_id(), school_id=held.town.id, phase="junior", entry_year=2023, number=1, pupils=40)
    )
    grid = await export(dean, "ordinary")
    at = next(n for n, row in enumerate(grid) if cell(row, "subject") == "数学")
    assert cell(grid[at], "class") == "小学2023级1班"
    assert await problems(web, dean, grid) == []
    cell(grid[at], "class", "2023级1班")
    assert await problems(web, dean, grid) == [(at + 1, "class", "several_classes")]


async def test_weekly_slots_in_a_file_see_the_hours_beside_them(web: Web, held: City) -> None:
    """Those that the file puts somewhere; what stood there goes on standing."""
    await web.add(ordinary(held.town, 4, 10, teacher_id=held.teacher.id))
    admin = await web.sign_in(await web.person("city_admin"))
    grid = await export(admin, "slots")
    names = [column.key for column in SHEETS["slots"]]
    place, _ = await send(web, admin, "slots", packed(grid))
    assert (await state_of(web, place)).problems == []
    grid[1][names.index("weekday")], grid[1][names.index("starts")] = "周三", "09:20"
    place, page = await send(web, admin, "slots", packed(grid))
    assert [(one["column"], one["key"]) for one in (await state_of(web, place)).problems] == [
        ("starts", "slot_ordinary")
    ]
    assert "这个时间有本校课" in page
