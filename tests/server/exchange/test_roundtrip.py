"""Workbooks both ways: what is exported, edited, refused by cell, mended, written, and exported again is the same."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from server.accounts.models import Person, PostHeld
from server.audit.models import AuditEntry
from server.errors import InvalidError, TooLargeError
from server.exchange import job, workbook
from server.exchange.models import Upload
from server.exchange.sheets import SHEETS
from server.ids import new_id
from server.schools.models import Pairing, Past, Room, School, SchoolClass
from server.templating import texts
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow

KINDS = ("schools", "rooms", "classes", "people", "pairings")
ZH = texts("zh-CN")


@pytest.fixture
async def admin(web: Web) -> Browser:
    """A city of two districts, and somebody who administers the first."""
    here, there = await web.district("120113"), await web.district("120115", "far")
    town, village = await web.school(here, "实验小学"), await web.school(here, "村小学")
    other = await web.school(there, "别区小学")
    room = await web.room(town, "录播室", kind="lead", pupils=40)
    await web.room(village, "三年级1班", pupils=22)
    await web.room(other, "外区教室")
    async with web.transaction() as session:
        (await session.get_one(Room, room.id)).equipment = ["screen", "microphone"]
    await web.add(
        SchoolClass(id=new_id(), school_id=town.id, phase="primary", entry_year=2024, number=1, pupils=38),
        SchoolClass(
            id=new_id(), school_id=village.id, phase="primary", entry_year=2025, number=2, pupils=19, name="向阳"
        ),
        Pairing(
            id=new_id(), lead_school_id=town.id, village_school_id=village.id, kind="one_to_many",
            starts_on=date(2026, 9, 1),
        ),
    )  # fmt: skip
    await web.person("teacher", "dean", school=town, login="t1001", name="王老师")
    await web.person("assistant", school=village, login="t1002", name="李老师")
    return await web.sign_in(await web.person("district_admin", district=here, name="区管理员"))


Grid = list[list[Any]]


async def export(browser: Browser, kind: str) -> Grid:
    answer = await browser.get(f"/admin/exchange/export/{kind}.xlsx")
    assert answer.status_code == 200, answer.text
    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def packed(grid: Grid) -> bytes:
    book = Workbook()
    for row in grid:
        book.active.append(row)  # type: ignore[union-attr]
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def send(web: Web, browser: Browser, kind: str, data: bytes) -> tuple[str, str]:
    """Upload and let the worker check it: (page's address, the page)."""
    files = {"file": ("登记表.xlsx", data, workbook.MEDIA_TYPE)}
    answer = await browser.post("/admin/exchange", data={"kind": kind}, files=files)
    assert answer.status_code == 303, answer.text
    assert web.jobs.woken[-1] == "exchange"
    await job.run(web.database, web.objects, web.clock)
    return answer.headers["location"], (await browser.get(answer.headers["location"])).text


async def write(web: Web, browser: Browser, kind: str, data: bytes) -> str:
    place, page = await send(web, browser, kind, data)
    assert "检查通过" in page, page
    assert (await browser.post(f"{place}/accept")).status_code == 303
    await job.run(web.database, web.objects, web.clock)
    page = (await browser.get(place)).text
    assert "已写入" in page, page
    return page


async def state_of(web: Web, place: str) -> Upload:
    async with web.database.reading() as session:
        return await session.get_one(Upload, place.rsplit("/", 1)[-1])


@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_sent_back_unchanged_changes_nothing(web: Web, admin: Browser, kind: str) -> None:
    before = await export(admin, kind)
    assert len(before) > 1, "there is something to export"
    place, _ = await send(web, admin, kind, packed(before))
    upload = await state_of(web, place)
    assert upload.problems == []
    assert (upload.state, upload.new, upload.changed, upload.same) == ("ready", 0, 0, len(before) - 1)


Edit = Callable[[Grid], None]


def put(grid: Grid, row: int, key: str, value: Any, kind: str) -> None:
    place = [column.key for column in SHEETS[kind]].index(key)
    grid[row][place] = value


EDITS: dict[str, list[tuple[int, str, Any]]] = {
    "schools": [(1, "name", "实验第一小学"), (1, "weak", "是"), (2, "phone", "022-8888")],
    "rooms": [(1, "pupils", 41), (2, "equipment", "大屏、电子白板")],
    "classes": [(1, "pupils", 12), (2, "name", "二班")],
    "people": [(1, "name", "王校长"), (2, "posts", "辅助教师、班主任"), (2, "phone", "+86 22 1234")],
    "pairings": [(1, "ends_on", date(2027, 7, 1)), (1, "kind", "一对一")],
}
NEW: dict[str, Callable[[Grid], list[Any]]] = {
    "schools": lambda g: ["2112777777", "新建小学", "新建", "小学", "区120113", "区120113", "220", "否", "是", None],
    "rooms": lambda g: [g[1][0], "LB-02", "第二录播室", "听讲教室", 30, "大屏"],
    "classes": lambda g: [g[1][0], "小学", 2026, 9, None, 25],
    "people": lambda g: ["T2001", "赵老师", g[1][2], "教师", "音乐", None],
    "pairings": lambda g: [g[1][1], g[1][0], "一对一", date(2026, 10, 1), None],
}


@pytest.mark.parametrize("kind", KINDS)
async def test_edited_written_and_exported_again_it_is_what_was_sent(web: Web, admin: Browser, kind: str) -> None:
    grid = await export(admin, kind)
    for row, key, value in EDITS[kind]:
        put(grid, row, key, value, kind)
    new = NEW[kind](grid)
    if kind == "people":
        new[0] = "t2001"
    if kind == "schools":
        new[6] = "220"
    await write(web, admin, kind, packed([*grid, new]))
    again = await export(admin, kind)

    def plain(rows: Grid) -> list[list[str]]:
        # a choice may be sent as its key and comes back as its word; days come back as moments
        words = {"220": ZH("admin.settlement.code.220")}
        return sorted([words.get(str(c), str(c or "").replace(" 00:00:00", "")) for c in row] for row in rows[1:])

    assert plain(again) == plain([*grid, new])
    place, _ = await send(web, admin, kind, packed(again))
    upload = await state_of(web, place)
    assert (upload.new, upload.changed, upload.wrong) == (0, 0, 0), "sent twice, it changes nothing the second time"


async def test_a_file_names_the_administrators_of_schools(web: Web, admin: Browser) -> None:
    grid = await export(admin, "people")
    code = grid[1][[column.key for column in SHEETS["people"]].index("school_code")]
    grid.append([*grid[1]])
    for key, value in (("login", "new.head"), ("name", "新校长"), ("posts", "学校管理员"), ("school_code", code)):
        put(grid, len(grid) - 1, key, value, "people")
    await write(web, admin, "people", packed(grid))
    async with web.database.reading() as session:
        made = (await session.scalars(select(Person).where(Person.login == "new.head"))).one()
        post = (await session.scalars(select(PostHeld).where(PostHeld.person_id == made.id))).one()
        assert (post.post, post.school_id) == ("school_admin", made.school_id)


async def test_who_holds_posts_does_not_change_schools_by_file(web: Web, admin: Browser) -> None:
    grid = await export(admin, "people")
    put(grid, 1, "school_code", grid[2][2], "people")
    place, page = await send(web, admin, "people", packed(grid))
    assert (await state_of(web, place)).state == "wrong" and "请到人员页面办理" in page


async def test_errors_are_named_by_row_and_cell_and_nothing_is_written(web: Web, admin: Browser) -> None:
    grid = await export(admin, "rooms")
    put(grid, 1, "pupils", "四十", "rooms")
    put(grid, 2, "kind", "大礼堂", "rooms")
    grid.append(["2112000000", "X-1", "没有的学校", "听讲教室", 1, None])
    grid.append([grid[1][0], "X-2", "=HYPERLINK(1)", "听讲教室", 1, None])
    grid.append([grid[1][0], "X-3", None, "听讲教室", 1, None])
    grid.append([grid[1][0], "X-4", "很多人", "听讲教室", 999, None])
    grid.append([grid[1][0], "X-5", "好的一行", "听讲教室", 9, None])
    place, page = await send(web, admin, "rooms", packed(grid))
    upload = await state_of(web, place)
    assert upload.state == "wrong"
    found = [(one["row"], one["column"], one["value"]) for one in upload.problems]
    assert found == [
        (2, "pupils", "四十"), (3, "kind", "大礼堂"), (4, "school_code", "2112000000"), (5, "name", "=HYPERLINK(1)"),
        (6, "name", None), (7, "pupils", "999"),
    ]  # fmt: skip
    for said in ("请填整数", "请从下拉列表中选", "不在您的管理范围内", "不能是公式", "必填", "120"):
        assert said in page, said
    assert (await admin.post(f"{place}/accept")).status_code == 303
    await job.run(web.database, web.objects, web.clock)
    async with web.database.reading() as session:
        assert await session.scalar(select(func.count()).select_from(Room).where(Room.code.like("X-%"))) == 0
    english = await admin.get(f"{place}?lang=en")
    assert "A whole number, please." in english.text


async def test_what_changed_between_check_and_word_is_checked_again(web: Web, admin: Browser) -> None:
    grid = await export(admin, "rooms")
    row = [grid[1][0], "LB-09", "抢先的名字", "听讲教室", 9, None]
    place, _ = await send(web, admin, "rooms", packed([grid[0], row]))
    async with web.transaction() as session:
        school = (await session.scalars(select(School).where(School.code == row[0]))).one()
        session.add(Room(id=new_id(), school_id=school.id, name="抢先的名字", kind="receiving", pupils=1))
    await admin.post(f"{place}/accept")
    await job.run(web.database, web.objects, web.clock)
    upload = await state_of(web, place)
    assert (upload.state, upload.problems[0]["key"]) == ("wrong", "errors.room_name_taken")


async def test_a_file_keeps_history_tells_the_log_and_gives_no_password(web: Web, admin: Browser) -> None:
    grid = await export(admin, "schools")
    put(grid, 1, "name", "改名小学", "schools")
    async with web.transaction() as session:
        for school in await session.scalars(select(School)):
            school.created_at = school.created_at.replace(year=2025)
    await write(web, admin, "schools", packed(grid))
    people = await export(admin, "people")
    await write(web, admin, "people", packed([people[0], NEW["people"](people)]))
    async with web.database.reading() as session:
        past = (await session.scalars(select(Past).where(Past.kind == "school"))).one()
        told = list(await session.scalars(select(AuditEntry).where(AuditEntry.act == "import")))
        change = (
            await session.scalars(
                select(AuditEntry)
                .where(AuditEntry.row_id == past.row_id, AuditEntry.act == "change")
                .order_by(AuditEntry.at.desc())
            )
        ).all()
        made = (await session.scalars(select(Person).where(Person.login == "t2001"))).one()
    assert past.was["name"] in ("实验小学", "村小学") and len(told) == 2
    assert any(one.told.get("name", [None, None])[1] == "改名小学" for one in change)
    assert made.password_hash is None and made.password_given


async def test_a_class_s_past_is_the_same_whether_a_file_or_the_page_changed_it(web: Web, admin: Browser) -> None:
    grid = await export(admin, "classes")
    async with web.transaction() as session:
        first, second = list(await session.scalars(select(SchoolClass).order_by(SchoolClass.entry_year)))
        first.consent_on, second.consent_on = date(2026, 9, 1), date(2026, 9, 2)
        first.closed_on = date(2026, 10, 1)
    put(grid, 1, "pupils", 12, "classes")
    await write(web, admin, "classes", packed(grid))
    said = {"csrf": admin.csrf, "pupils": "12", "consent_on": "2026-09-02"}
    assert (await admin.post(f"/admin/classes/{second.id}", data=said)).status_code == 303
    async with web.database.reading() as session:
        pasts = {one.row_id: one for one in await session.scalars(select(Past).where(Past.kind == "class"))}
    by_file, by_page = pasts[first.id], pasts[second.id]
    assert by_file.was.keys() == by_page.was.keys() and by_file.until == by_page.until
    assert (by_file.was["consent_on"], by_file.was["closed_on"], by_file.open) == ("2026-09-01", "2026-10-01", False)
    assert (by_page.was["consent_on"], by_page.open) == ("2026-09-02", True)


async def test_another_districts_rows_are_out_of_reach(web: Web, admin: Browser) -> None:
    assert "别区小学" not in str(await export(admin, "schools")) and "外区教室" not in str(await export(admin, "rooms"))
    async with web.database.reading() as session:
        foreign = (await session.scalars(select(School).where(School.name == "别区小学"))).one()
    row = [foreign.code, "改名", "改名", "小学", "区120115", "区120113", None, None, None, None]
    grid = await export(admin, "schools")
    place, _ = await send(web, admin, "schools", packed([grid[0], row]))
    assert (await state_of(web, place)).problems[0]["key"] == "errors.school_code_taken"


async def test_an_upload_is_its_owners(web: Web, admin: Browser) -> None:
    place, _ = await send(web, admin, "rooms", packed(await export(admin, "rooms")))
    other = await web.sign_in(await web.person("city_admin"))
    assert (await other.get(place)).status_code == 404
    assert (await other.post(f"{place}/accept")).status_code == 404
    teacher = await web.sign_in(await web.person("teacher"))
    assert (await teacher.get("/admin/exchange")).status_code == 403
    assert (await teacher.get("/admin/exchange/export/people.xlsx")).status_code == 403


# --- strangers' files -------------------------------------------------------------------------------------------------


def archive(**parts: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed_:
        for name, data in parts.items():
            packed_.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return out.getvalue()


UTF_16 = '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a><w/>'


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (b"not a zip", "workbook_kind"),
        (archive(readme=b"hello"), "workbook_kind"),
        (archive(xl__workbook_xml=b"<w/>", xl__worksheets__sheet1_xml=b" " * 30_000_000), "workbook_bomb"),
        (archive(xl__workbook_xml=b'<!DOCTYPE a [<!ENTITY b "c">]><w/>'), "workbook_bomb"),
        (archive(xl__workbook_xml=b"<w/>", plain=b"<!--" + b"-\n" * 9000 + b"--><!DOCTYPE a><w/>"), "workbook_bomb"),
        (archive(xl__workbook_xml=UTF_16.encode("utf-16")), "workbook_bomb"),
        (archive(xl__workbook_xml=b"<w"), "workbook_kind"),
        (archive(**{f"p{n}": b"" for n in range(600)}, xl__workbook_xml=b"<w/>"), "workbook_bomb"),
        (archive(xl__workbook_xml=b"<w/>", **{"xl__vbaProject.bin": b"x"}), "workbook_macros"),
        (archive(xl__workbook_xml=b"<w/>"), "workbook_kind"),
    ],
)
def test_what_is_no_honest_workbook_is_refused(data: bytes, key: str) -> None:
    with pytest.raises(InvalidError, match=key):
        list(workbook.rows(data))


def test_too_large_a_file_is_refused_unopened() -> None:
    with pytest.raises(TooLargeError):
        workbook.inspect(bytes(workbook.MOST_BYTES + 1))


def test_templates_offer_choices_and_cells_never_compute() -> None:
    columns = SHEETS["rooms"]
    data = workbook.write("rooms", columns, [{"name": "=1+1", "code": "@x", "pupils": 3}], ZH)
    sheet = load_workbook(io.BytesIO(data)).worksheets[0]
    assert [rule.type for rule in sheet.data_validations.dataValidation] == ["list", "whole"]
    cell = sheet["C2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == ("=1+1", "s", True)


async def test_a_formula_typed_by_a_stranger_is_refused(web: Web, admin: Browser) -> None:
    grid = await export(admin, "people")
    put(grid, 1, "name", '=cmd|" /C calc"!A0', "people")
    place, _ = await send(web, admin, "people", packed(grid))
    assert (await state_of(web, place)).problems[0]["key"] == "formula"
