"""Timetable, calendar and enrolment as workbooks: there and back is equal, a clash is named by its cell."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from server.audit.models import AuditEntry
from server.classrooms.models import Receiver
from server.exchange.sheets import SHEETS
from server.ids import new_id
from server.schools.models import Enrolment, Past, SchoolClass
from server.timetable.models import CalendarDay, WeeklySlot
from tests.server.exchange.test_roundtrip import export, packed, send, state_of, write
from tests.support import timetable
from tests.support.timetable import City
from tests.support.web import Browser, Web

SLOT = [column.key for column in SHEETS["slots"]].index("slot")


@pytest.fixture
async def held(web: Web) -> City:
    made = await timetable.made(web)
    await web.add(*made.classroom(web, "三年级音乐", id="c1"), *made.classroom(web, "四年级美术", id="c2"))
    await web.add(timetable.slot("c1", 2), timetable.slot("c1", 4, 9, weeks="odd"), timetable.slot("c2", 3))
    await web.add(
        Enrolment(id=new_id(), school_id=made.town.id, school_year=2026, phase="primary", pupils=900, teachers=60)
    )
    return made


@pytest.fixture
async def admin(web: Web, held: City) -> Browser:
    return await web.sign_in(await web.person("city_admin", name="市管理员"))


@pytest.mark.parametrize("kind", ["slots", "calendar", "enrolment"])
async def test_there_and_back_is_equal(web: Web, admin: Browser, kind: str) -> None:
    before = await export(admin, kind)
    assert len(before) > 1
    place, _ = await send(web, admin, kind, packed(before))
    upload = await state_of(web, place)
    assert (upload.problems, upload.new, upload.changed, upload.same) == ([], 0, 0, len(before) - 1)


async def test_a_timetable_edited_in_excel_is_the_timetable(web: Web, admin: Browser) -> None:
    grid = await export(admin, "slots")
    head = grid[0]
    row = next(one for one in grid[1:] if one[1] == "四年级美术")
    row[5], row[6] = "14:00", 45
    new = list(row)
    new[3], new[4], new[5], new[7], new[SLOT] = "周五", 6, "8:30", "双周", None
    await write(web, admin, "slots", packed([head, *grid[1:], new]))
    again = await export(admin, "slots")
    assert [(one[3], one[4], one[5], one[6], one[7]) for one in again[1:] if one[1] == "四年级美术"] == [
        ("周三", row[4], "14:00", 45, "每周"),
        ("周五", 6, "08:30", 45, "双周"),
    ]


async def test_who_would_be_in_two_places_is_named(web: Web, admin: Browser) -> None:
    grid = await export(admin, "slots")
    row = next(one for one in grid[1:] if one[1] == "四年级美术")
    row[3], row[5] = "周二", "10:20"
    place, page = await send(web, admin, "slots", packed(grid))
    upload = await state_of(web, place)
    assert [(one["column"], one["key"]) for one in upload.problems] == [("starts", "errors.classroom_busy")]
    assert "三年级音乐" in page
    unknown: list[Any] = [*grid[1][:1], "没有的课堂", *grid[1][2:]]
    place, _ = await send(web, admin, "slots", packed([grid[0], unknown]))
    assert [one["key"] for one in (await state_of(web, place)).problems] == ["no_classroom"]


def of(grid: list[list[Any]], name: str) -> list[list[Any]]:
    return [row for row in grid[1:] if row[1] == name]


async def test_a_class_is_in_one_place_at_a_time(web: Web, admin: Browser, held: City) -> None:
    there = SchoolClass(id="k", school_id=held.village.id, phase="primary", entry_year=2024, number=1, pupils=20)
    rooms = [await web.room(held.town, "另一间", kind="lead"), await web.room(held.village, "又一间")]
    other = held.classroom(web, "五年级科学", id="c3", lead_room_id=rooms[0].id)
    other[0].lead_teacher_id = (await web.person("teacher", school=held.town)).id
    other[1].room_id = rooms[1].id
    await web.add(there)
    await web.add(*other, timetable.slot("c3", 1))
    async with web.transaction() as session:
        for one in (await session.scalars(select(Receiver).where(Receiver.classroom_id.in_(["c1", "c3"])))).unique():
            one.class_id = "k"
    grid = await export(admin, "slots")
    of(grid, "五年级科学")[0][3] = "周二"
    place, _ = await send(web, admin, "slots", packed(grid))
    assert [one["key"] for one in (await state_of(web, place)).problems] == ["errors.classroom_busy"]


async def test_a_changed_weekday_moves_the_slot_and_a_removed_one_goes(web: Web, admin: Browser) -> None:
    grid = await export(admin, "slots")
    of(grid, "四年级美术")[0][3] = "周五"
    gone = of(grid, "三年级音乐")[1]
    gone[SLOT - 1] = "删除"
    kept = gone[SLOT]
    await write(web, admin, "slots", packed(grid))
    again = await export(admin, "slots")
    assert [row[3] for row in of(again, "四年级美术")] == ["周五"]
    assert [row[3] for row in of(again, "三年级音乐")] == ["周二"]
    async with web.database.reading() as session:
        entry = select(AuditEntry).where(AuditEntry.row_id == kept, AuditEntry.act == "delete")
        assert (await session.scalars(entry)).one().told["weekday"] == [4, None]
    place, _ = await send(web, admin, "slots", packed([again[0], gone]))
    assert [one["key"] for one in (await state_of(web, place)).problems] == ["no_slot"]


async def test_two_slots_change_places_in_one_file(web: Web, admin: Browser) -> None:
    grid = await export(admin, "slots")
    music, art = of(grid, "三年级音乐"), of(grid, "四年级美术")
    for one, other in ((music[0], art[0]), (music[0], music[1])):
        one[3:6], other[3:6] = other[3:6], one[3:6]
        await write(web, admin, "slots", packed(grid))
        again = await export(admin, "slots")
        assert sorted(map(str, again)) == sorted(map(str, grid))
    copied = [*art[0][:SLOT], art[0][SLOT]]
    place, _ = await send(web, admin, "slots", packed([*grid, copied]))
    assert [(one["column"], one["key"]) for one in (await state_of(web, place)).problems] == [("slot", "slot_twice")]
    copied[3], copied[SLOT], art[0][3] = art[0][3], None, "周六"
    await write(web, admin, "slots", packed([*grid, copied]))
    assert len(of(await export(admin, "slots"), "四年级美术")) == 2, "a new one where the old one was"


async def test_pairings_of_one_file_are_looked_at_together(web: Web, admin: Browser, held: City) -> None:
    head = (await export(admin, "pairings"))[0]
    old = [held.town.code, held.village.code, "一对一", date(2026, 9, 1), None]
    new = [held.town.code, held.village.code, "一对一", date(2027, 3, 1), None]
    place, _ = await send(web, admin, "pairings", packed([head, old, new]))
    found = (await state_of(web, place)).problems
    assert [(one["row"], one["key"]) for one in found] == [(3, "errors.pairing_twice")]
    await write(web, admin, "pairings", packed([head, old]))
    old[4] = date(2027, 3, 1)
    await write(web, admin, "pairings", packed([head, new, old]))


async def test_a_one_to_one_lead_school_is_refused_a_second_village(web: Web, admin: Browser, held: City) -> None:
    far = await web.school(await web.district("120119", "far"), "山村小学")
    head = (await export(admin, "pairings"))[0]
    one = [held.town.code, held.village.code, "一对一", date(2026, 9, 1), None]
    other = [held.town.code, far.code, "一对多", date(2026, 10, 1), None]
    place, _ = await send(web, admin, "pairings", packed([head, one, other]))
    found = (await state_of(web, place)).problems
    assert [(row["row"], row["column"], row["key"]) for row in found] == [(3, "kind", "errors.pairing_one")]
    one[2] = "一对多"
    await write(web, admin, "pairings", packed([head, one, other]))
    other[2] = "一对一"
    place, _ = await send(web, admin, "pairings", packed([head, one, other]))
    assert [row["key"] for row in (await state_of(web, place)).problems] == ["errors.pairing_one"]


async def test_odd_and_even_weeks_share_a_time(web: Web, admin: Browser) -> None:
    grid = await export(admin, "slots")
    row = list(next(one for one in grid[1:] if one[1] == "四年级美术"))
    row[3], row[4], row[5], row[7] = "周四", 2, "09:00", "双周"
    await write(web, admin, "slots", packed([grid[0], row]))
    async with web.database.reading() as session:
        assert await session.scalar(WeeklySlot.__table__.select().where(WeeklySlot.weeks == "even")) is not None
    same_period = [[*row[:3], "周六", 5, starts, 40, None, None, None, None] for starts in ("08:00", "14:00")]
    place, _ = await send(web, admin, "slots", packed([grid[0], *same_period]))
    assert [(one["row"], one["key"]) for one in (await state_of(web, place)).problems] == [
        (3, "errors.classroom_busy")
    ], "a lesson is known by its day and period"


async def test_the_calendar_of_a_new_year(web: Web, admin: Browser) -> None:
    grid = await export(admin, "calendar")
    grid += [
        [date(2027, 1, 1), "放假", "元旦", None, None],
        [date(2027, 1, 9), "调休上课", "元旦调休", None, "周五"],
    ]
    await write(web, admin, "calendar", packed(grid))
    async with web.database.reading() as session:
        row = await session.get_one(CalendarDay, date(2027, 1, 9))
    assert (row.kind, row.runs_weekday, row.source) == ("makeup", 5, "hand")
    place, _ = await send(web, admin, "calendar", packed([grid[0], [date(2027, 2, 6), grid[-1][1], "补", None, None]]))
    assert [one["key"] for one in (await state_of(web, place)).problems] == ["errors.makeup_day"]


async def test_enrolment_keeps_what_was(web: Web, admin: Browser, held: City) -> None:
    grid = await export(admin, "enrolment")
    grid[1][3] = 880
    await write(web, admin, "enrolment", packed([*grid, [held.village.code, 2026, "小学", 120, 11]]))
    async with web.database.reading() as session:
        past = await session.scalar(Past.__table__.select().where(Past.kind == "enrolment"))
    assert past is not None
    assert sorted(row[3] for row in (await export(admin, "enrolment"))[1:]) == [120, 880]


async def test_the_holidays_are_the_citys(web: Web, held: City) -> None:
    boss = await web.sign_in(await web.person("school_admin", school=held.town, of_school=held.town))
    assert (await boss.get("/admin/exchange/export/calendar.xlsx")).status_code == 403
    assert "export/calendar.xlsx" not in (await boss.get("/admin/exchange")).text
