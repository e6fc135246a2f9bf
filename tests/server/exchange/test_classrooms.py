"""Synchronous classrooms as a workbook: made by the dozen, then timed by the sheet of slots."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select

from server.classrooms.models import Classroom
from server.ids import new_id
from server.schools.models import Pairing, SchoolClass
from server.schools.models import Room as RoomRow
from tests.server.exchange.test_roundtrip import export, packed, send, state_of, write
from tests.support import timetable
from tests.support.timetable import City
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow


@pytest.fixture
async def held(web: Web) -> City:
    made = await timetable.made(web)
    async with web.transaction() as session:
        for id_, code in ((made.lead.id, "L1"), (made.room.id, "R1")):
            (await session.get_one(RoomRow, id_)).code = code
    await web.add(*made.classroom(web, "三年级音乐", id="c1"))
    return made


@pytest.fixture
async def admin(web: Web, held: City) -> Browser:
    return await web.sign_in(await web.person("district_admin", district=held.district))


def row(held: City, **change: Any) -> list[Any]:
    plain = {
        "term": "2026-1", "classroom": "四年级美术", "subject": "美术", "grade": 4, "form": None, "room_code": "L1",
        "teacher": held.teacher.login, "lead_class": None, "accepted_on": None, "room_1": "R1", "class_1": None,
        "assistant_1": held.assistant.login,
    }  # fmt: skip
    return list({**plain, **change}.values())


async def test_there_and_back_is_equal_and_new_rows_are_made(web: Web, admin: Browser, held: City) -> None:
    grid = await export(admin, "classrooms")
    place, _ = await send(web, admin, "classrooms", packed(grid))
    upload = await state_of(web, place)
    assert (upload.problems, upload.same) == ([], 1)
    grid[1][grid[0].index("验收日期")] = date(2026, 10, 8)
    await write(web, admin, "classrooms", packed([*grid, row(held)]))
    async with web.database.reading() as session:
        found = {one.name: one for one in (await session.scalars(select(Classroom))).unique()}
    assert found["三年级音乐"].accepted_on == date(2026, 10, 8)
    made = found["四年级美术"]
    assert (made.lead_room_id, made.lead_teacher_id, made.subject) == (held.lead.id, held.teacher.id, "art")
    assert [(one.room_id, one.assistant_id) for one in made.receivers] == [(held.room.id, held.assistant.id)]
    times = (await export(admin, "slots"))[0]
    slot = ["2026-1", "四年级美术", "L1", "周一", 2, "09:00", 40]
    await write(web, admin, "slots", packed([times, slot]))


async def test_the_lesson_type_goes_there_and_back(web: Web, admin: Browser, held: City) -> None:
    """Chosen from a list; an empty cell, and a file from before it was asked for, change nothing."""
    template = load_workbook(io.BytesIO((await admin.get("/admin/exchange/template/classrooms.xlsx")).content))
    sheet = template.worksheets[0]
    (place,) = (cell.column_letter for cell in sheet[1] if cell.value and str(cell.value).startswith("课堂类型"))
    assert any(place in str(one.sqref) for one in sheet.data_validations.dataValidation)
    grid = await export(admin, "classrooms")
    at = grid[0].index("课堂类型")
    assert grid[1][at] == "专递课堂"
    grid[1][at] = "名师课堂"
    await write(web, admin, "classrooms", packed([*grid, row(held, form="名校网络课堂"), row(held, classroom="书法")]))
    assert await forms(web) == {"三年级音乐": "master", "四年级美术": "open", "书法": "delivery"}
    grid[1][at] = None
    older = [[cell for number, cell in enumerate(line) if number != at] for line in grid]
    for same in (await export(admin, "classrooms"), grid, older):
        place, _ = await send(web, admin, "classrooms", packed(same))
        upload = await state_of(web, place)
        assert (upload.problems, upload.changed) == ([], 0)
    grid[1][at] = "公开课"
    place, _ = await send(web, admin, "classrooms", packed(grid))
    assert [(one["column"], one["key"]) for one in (await state_of(web, place)).problems] == [("form", "choice")]


async def test_classes_go_there_and_back_by_either_of_their_names(web: Web, admin: Browser, held: City) -> None:
    """本班 and the receiving class; an empty cell, and a file from before they were asked for, change nothing."""
    lead = SchoolClass(id="a", school_id=held.town.id, phase="primary", entry_year=2023, number=2, pupils=40)
    sits = SchoolClass(
        id="b", school_id=held.village.id, phase="primary", entry_year=2023, number=1, pupils=21, name="启明班"
    )
    junior = SchoolClass(id="j", school_id=held.town.id, phase="junior", entry_year=2023, number=2, pupils=40)
    await web.add(lead, sits, junior)
    grid = await export(admin, "classrooms")
    made = row(held, lead_class="2023级2班", class_1=" 启明班")
    await write(web, admin, "classrooms", packed([grid[0], made]))
    async with web.database.reading() as session:
        found = (await session.scalars(select(Classroom).where(Classroom.name == "四年级美术"))).unique().one()
    assert (found.lead_class_id, [one.class_id for one in found.receivers]) == ("a", ["b"])
    grid = await export(admin, "classrooms")
    at = [grid[0].index(one) for one in ("本班", "听讲班级1")]
    mine = next(line for line in grid if line[1] == "四年级美术")
    assert [mine[one] for one in at] == ["2023级2班", "2023级1班"]
    older = [[cell for number, cell in enumerate(line) if number not in at] for line in grid]
    for same in (grid, older, [grid[0], row(held)], [grid[0], row(held, class_1="启明班")]):
        place, _ = await send(web, admin, "classrooms", packed(same))
        upload = await state_of(web, place)
        assert (upload.problems, upload.changed) == ([], 0)
    place, _ = await send(web, admin, "classrooms", packed([grid[0], row(held, lead_class="2023级1班")]))
    problems = (await state_of(web, place)).problems
    assert [(one["column"], one["key"]) for one in problems] == [("lead_class", "on_the_page")]


async def forms(web: Web) -> dict[str, str]:
    async with web.database.reading() as session:
        return {one.name: one.form for one in (await session.scalars(select(Classroom))).unique()}


async def test_wrong_rows_are_named_by_their_cell(web: Web, admin: Browser, held: City) -> None:
    head = (await export(admin, "classrooms"))[0]
    far = await web.school(await web.district("120119", "far"), "山村小学")
    room = await web.room(far)
    async with web.transaction() as session:
        (await session.get_one(RoomRow, room.id)).code = "F1"
    cases: list[tuple[str, str, dict[str, Any]]] = [
        ("room_code", "no_room", {"room_code": "R1"}),
        ("teacher", "errors.classroom_teacher", {"teacher": held.assistant.login}),
        ("assistant_1", "errors.classroom_assistant", {"assistant_1": held.teacher.login}),
        ("term", "errors.classroom_term", {"term": "2031-1"}),
        ("room_1", "no_room", {"room_1": "F1"}),
        ("room_2", "errors.classroom_rooms_twice", {"room_2": "R1"}),
        ("room_2", "required", {"room_2": None, "class_2": None, "assistant_2": held.assistant.login}),
        ("lead_class", "errors.classroom_class", {"lead_class": "2024级9班"}),
        ("class_1", "errors.classroom_class", {"class_1": "启明班"}),
        ("assistant_1", "on_the_page", {"classroom": "三年级音乐", "subject": "音乐", "grade": 3}),
    ]
    grid = [head, *(row(held, **{"classroom": f"课堂{n}", **change}) for n, (_, _, change) in enumerate(cases))]
    place, page = await send(web, admin, "classrooms", packed(grid))
    found = [(one["column"], one["key"]) for one in (await state_of(web, place)).problems]
    assert found == [case[:2] for case in cases]
    assert "exchange." not in page
    pair = Pairing(
        id=new_id(), lead_school_id=held.town.id, village_school_id=far.id, kind="one_to_one",
        starts_on=date(2026, 9, 1),
    )  # fmt: skip
    await web.add(pair)
    await write(web, admin, "classrooms", packed([head, row(held, room_1="F1", assistant_1=None)]))
