"""A school's sheet of first passwords: for whom, shown once, told to the log, and they open the account."""

from __future__ import annotations

import io

from openpyxl import load_workbook
from sqlalchemy import select

from server.accounts.models import Person
from server.audit.models import AuditEntry
from server.schools.models import School
from tests.support.web import Browser, Web


async def staff(web: Web) -> tuple[School, Browser]:
    school = await web.school(await web.district())
    boss = await web.person("school_admin", school=school, of_school=school, login="boss", password_hash="x")
    await web.person("teacher", school=school, login="new1", name="安老师")
    await web.person("teacher", school=school, login="new2", name="白老师")
    await web.person("teacher", school=school, login="old", name="陈老师", password_hash="chosen")
    came = await web.person("teacher", school=school, login="came", name="丁老师")
    await web.sign_in(came)
    return school, await web.sign_in(boss)


async def test_the_sheet_is_for_those_who_never_came(web: Web) -> None:
    school, boss = await staff(web)
    assert "2 " in (await boss.get("/admin/first-passwords")).text
    answer = await boss.post("/api/v1/first-passwords", json={"school_id": school.id})
    made = {one["login"]: one["password"] for one in answer.json()["items"]}
    assert set(made) == {"new1", "new2"} and answer.json()["left"] == 0
    stranger = web.browser()
    signed = await stranger.post("/api/v1/accounts/sign-in", json={"login": "new1", "password": made["new1"]})
    assert signed.status_code == 204
    assert (await stranger.get("/desk")).headers.get("location", "").startswith("/me"), "first a password of one's own"
    async with web.database.reading() as session:
        told = list(await session.scalars(select(AuditEntry).where(AuditEntry.act == "export")))
        held = {one.login: one.password_hash for one in await session.scalars(select(Person))}
    assert [(one.kind, one.row_id, one.told["people"]) for one in told] == [("first_passwords", school.id, 2)]
    assert held["old"] == "chosen" and held["came"] is None
    again = await boss.post("/api/v1/first-passwords", json={"school_id": school.id})
    assert [one["login"] for one in again.json()["items"]] == ["new2"], "who has come in keeps what they have"


async def test_on_paper_and_as_a_workbook(web: Web) -> None:
    school, boss = await staff(web)
    page = await boss.post("/admin/first-passwords", data={"school": school.id})
    assert page.status_code == 200 and page.text.count('class="slip"') == 2
    assert page.headers["cache-control"] == "no-store"
    file = await boss.post("/admin/first-passwords", data={"school": school.id, "kind": "xlsx"})
    rows = list(load_workbook(io.BytesIO(file.content)).worksheets[0].iter_rows(values_only=True))
    assert rows[0] == ("名称", "登录名", "首次密码") and [row[1] for row in rows[1:]] == ["new1", "new2"]


async def test_no_other_school_and_no_administrator(web: Web) -> None:
    school, boss = await staff(web)
    other = await web.school(await web.district("120114"), "远小学")
    assert (await boss.post("/api/v1/first-passwords", json={"school_id": other.id})).status_code == 404
    await web.person("district_admin", school=school, login="above")
    made = (await boss.post("/api/v1/first-passwords", json={"school_id": school.id})).json()["items"]
    assert "above" not in {one["login"] for one in made}, "whose post the asker could not give"
    teacher = await web.sign_in(await web.person("teacher", school=school, password_hash="x"))
    assert (await teacher.post("/api/v1/first-passwords", json={"school_id": school.id})).status_code in (403, 404)
    assert (await teacher.get("/admin/first-passwords")).status_code == 403
