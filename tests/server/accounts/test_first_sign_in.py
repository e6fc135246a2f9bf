"""One-time passwords open nothing but their own change; wrong ones lock; the school's administrator unlocks."""

from __future__ import annotations

import re
from datetime import timedelta

from sqlalchemy import select

from server.accounts.models import Person
from server.accounts.service import LOCK, LOCK_AFTER
from server.audit.models import AuditEntry
from tests.support.web import Browser, Web

NEW = "一把自己的新密码"


async def made(web: Web) -> tuple[Browser, str, str]:
    """A school's administrator makes a teacher: (administrator, login, one-time password)."""
    school = await web.school(await web.district())
    admin = await web.sign_in(await web.person("school_admin", school=school, of_school=school))
    form = {"login": "t1001", "name": "王老师", "school_id": school.id, "post": "teacher"}
    page = await admin.post("/admin/people/new", data=form)
    found = re.search(r"secret\">([a-z0-9-]{11})<", page.text)
    assert found, page.text
    return admin, "t1001", found[1]


async def enter(web: Web, login: str, password: str) -> tuple[Browser, int]:
    browser = web.browser()
    answer = await browser.post("/login", data={"login": login, "password": password})
    return browser, answer.status_code


async def test_a_one_time_password_opens_only_its_change(web: Web) -> None:
    _, login, given = await made(web)
    browser, status = await enter(web, login, given)
    assert status == 303
    assert (await browser.get("/home")).headers["location"] == "/me?done=first"
    for page in ("/desk", "/replays"):
        answer = await browser.get(page)
        assert (answer.status_code, answer.headers.get("location")) == (303, "/me?done=first"), page
    assert (await browser.get("/api/v1/lessons", headers={"accept": "application/json"})).status_code == 403
    assert "首次登录" in (await browser.get("/me")).text
    same = await browser.post("/me/password", data={"current": given, "new": given})
    assert same.status_code == 422 and "不能与原密码相同" in same.text
    assert (await browser.post("/me/password", data={"current": given, "new": NEW})).status_code == 303
    assert (await browser.get("/desk")).status_code == 200
    assert (await enter(web, login, NEW))[1] == 303


async def test_wrong_passwords_lock_until_a_new_one_is_given(web: Web) -> None:
    admin, login, given = await made(web)
    for _ in range(LOCK_AFTER):
        await web.app.state.rates.forget("login", login, "192.0.2.1")
        assert (await enter(web, login, "nonsense-nonsense"))[1] == 422
    await web.app.state.rates.forget("login", login, "192.0.2.1")
    _, status = await enter(web, login, given)
    assert status == 422, "the right password does not open a locked account"
    async with web.database.reading() as session:
        person = (await session.scalars(select(Person).where(Person.login == login))).one()
    assert person.locked_at is not None
    assert "锁定" in (await admin.get(f"/admin/people/{person.id}")).text
    page = await admin.post(f"/admin/people/{person.id}/password")
    fresh = re.search(r"secret\">([a-z0-9-]{11})<", page.text)
    assert fresh
    await web.app.state.rates.forget("login", login, "192.0.2.1")
    assert (await enter(web, login, fresh[1]))[1] == 303


async def test_a_lock_runs_out_by_itself(web: Web) -> None:
    _, login, given = await made(web)
    async with web.transaction() as session:
        person = (await session.scalars(select(Person).where(Person.login == login))).one()
        person.failures, person.locked_at = LOCK_AFTER, web.clock.now()
    assert (await enter(web, login, given))[1] == 422
    web.clock.moment += LOCK + timedelta(seconds=1)
    assert (await enter(web, login, given))[1] == 303
    async with web.database.reading() as session:
        person = (await session.scalars(select(Person).where(Person.login == login))).one()
        told = [one.act for one in await session.scalars(select(AuditEntry).where(AuditEntry.row_id == person.id))]
    assert person.failures == 0 and "sign_in" in told
