"""上课码: opens one lesson's teaching page and nothing else, once, on one computer, in time; and can be taken back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Person
from server.audit.models import AuditEntry
from server.lessons.codes import service
from server.lessons.models import Lesson, LessonChange, LessonCode
from server.notices.models import Notice
from server.schools.models import Room, School
from tests.support.web import Browser, Web


@dataclass
class Case:
    lesson: Lesson
    teacher: Person
    lead: Room
    room: Room
    school: School
    admin: Browser


@pytest.fixture
async def case(web: Web) -> Case:
    """A lesson in ten minutes; its teacher has no password. Its school's administrator sits at a phone."""
    district = await web.district()
    school, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    lead, room = await web.room(school, "录播教室", kind="lead"), await web.room(village)
    teacher = await web.person("teacher", school=school, name="林老师")
    lesson = await web.lesson(teacher, lead, room)
    admin = await web.person("school_admin", school=school, of_school=school, name="周主任")
    await web.node()
    return Case(lesson, teacher, lead, room, school, await web.sign_in(admin))


async def given(case: Case) -> str:
    answer = await case.admin.post(f"/api/v1/lessons/{case.lesson.id}/code")
    assert answer.status_code == 201, answer.text
    code = answer.json()["code"]
    assert re.fullmatch(r"\d{8}", code)
    return str(code)


async def entered(web: Web, code: str) -> tuple[Browser, Any]:
    browser = web.browser()
    return browser, await browser.post("/api/v1/lesson-code", json={"code": code})


async def kinds(web: Web, lesson: Lesson) -> list[tuple[str, str]]:
    async with web.database.reading() as session:
        rows = await session.scalars(select(LessonChange).where(LessonChange.lesson_id == lesson.id))
        return sorted((row.kind, row.by_name) for row in rows)


async def test_it_opens_the_teaching_page_and_a_seat(web: Web, case: Case) -> None:
    code = await given(case)
    browser, answer = await entered(web, f"{code[:4]} {code[4:]}")
    assert answer.json() == {"lesson": case.lesson.id, "url": f"/live/{case.lesson.id}/teach"}
    assert (await browser.get(answer.json()["url"])).status_code == 200
    seat = await browser.post(f"/api/v1/lessons/{case.lesson.id}/seat", json={"role": "teacher"})
    assert (seat.status_code, seat.json()["seat"]) == (200, f"t-{case.teacher.id}")
    assert await kinds(web, case.lesson) == [("code", "周主任"), ("code_used", "林老师")]
    page = (await case.admin.get(f"/lessons/{case.lesson.id}")).text
    assert "发出上课码" in page and "凭上课码进入课堂" in page and code not in page


async def test_who_came_by_it_is_a_stranger_everywhere_else(web: Web, case: Case) -> None:
    other = await web.lesson(case.teacher, case.lead, case.room, starts=timedelta(hours=2))
    browser, _ = await entered(web, await given(case))
    for path in ("/desk", "/me", f"/lessons/{case.lesson.id}", f"/live/{other.id}/teach", "/timetable", "/notices"):
        answer = await browser.get(path)
        assert (answer.status_code, answer.headers["location"][:6]) == (303, "/login"), path
    for path in ("/api/v1/lessons", "/api/v1/accounts/me", f"/api/v1/lessons/{other.id}/decks"):
        assert (await browser.get(path)).status_code == 401, path
    foreign = await browser.post(f"/api/v1/lessons/{other.id}/seat", json={"role": "teacher"})
    moved = await browser.post(
        f"/api/v1/lessons/{case.lesson.id}/move", json={"starts_at": "2026-11-20T09:00:00+08:00"}
    )
    assert (foreign.status_code, moved.status_code) == (401, 401)
    for role in ("watch", "class", "inspector"):
        seat = await browser.post(f"/api/v1/lessons/{case.lesson.id}/seat", json={"role": role})
        assert seat.status_code == 403, role


async def test_one_computer_only_until_another_code_is_given(web: Web, case: Case) -> None:
    code = await given(case)
    first, _ = await entered(web, code)
    second, answer = await entered(web, code)
    assert (answer.status_code, answer.json()["error"]["key"]) == (409, "code_used")
    _, answer = await entered(web, await given(case))
    assert answer.status_code == 200
    assert (await first.get(f"/live/{case.lesson.id}/teach")).status_code == 303, "the older code's computer is out"
    assert (await second.get(f"/live/{case.lesson.id}/teach")).status_code == 303


async def test_taken_back_it_throws_the_computer_out(web: Web, case: Case) -> None:
    code = await given(case)
    browser, _ = await entered(web, code)
    await browser.post(f"/api/v1/lessons/{case.lesson.id}/seat", json={"role": "teacher"})
    assert (await case.admin.delete(f"/api/v1/lessons/{case.lesson.id}/code")).status_code == 204
    assert (await browser.get(f"/live/{case.lesson.id}/teach")).status_code == 303
    assert any("revoke" in call[1] for call in web.nodes.calls), web.nodes.calls
    _, answer = await entered(web, code)
    assert answer.json()["error"]["key"] == "code_wrong"
    again = await case.admin.delete(f"/api/v1/lessons/{case.lesson.id}/code")
    assert (again.status_code, again.json()["error"]["key"]) == (409, "code_none")


async def test_it_holds_from_shortly_before_the_bell_until_the_end(web: Web, case: Case) -> None:
    lesson = await web.lesson(case.teacher, case.lead, case.room, starts=timedelta(hours=3), title="下午的课")
    code = (await case.admin.post(f"/api/v1/lessons/{lesson.id}/code")).json()["code"]
    _, answer = await entered(web, code)
    assert answer.json()["error"]["key"] == "code_early"
    web.clock.moment += timedelta(hours=3, minutes=-15)
    browser, answer = await entered(web, code)
    assert answer.status_code == 200
    web.clock.moment += timedelta(minutes=15 + 40 + 9)
    assert (await browser.get(f"/live/{lesson.id}/teach")).status_code == 200, "it runs over"
    web.clock.moment += timedelta(minutes=2)
    assert (await browser.get(f"/live/{lesson.id}/teach")).status_code == 303
    late = await case.admin.post(f"/api/v1/lessons/{lesson.id}/code")
    assert late.status_code == 409


async def test_another_teacher_needs_another_code(web: Web, case: Case) -> None:
    code = await given(case)
    browser, _ = await entered(web, code)
    stand_in = await web.person("teacher", school=case.school, name="代课")
    answer = await case.admin.post(f"/api/v1/lessons/{case.lesson.id}/teacher", json={"teacher_id": stand_in.id})
    assert answer.status_code == 200, answer.text
    assert (await browser.get(f"/live/{case.lesson.id}/teach")).status_code == 303
    _, answer = await entered(web, code)
    assert answer.json()["error"]["key"] == "code_wrong"


async def test_guesses_are_slow_and_the_log_tells(web: Web, case: Case) -> None:
    code = await given(case)
    browser = web.browser()
    answers = [await browser.post("/code", data={"code": f"{n:08d}"}) for n in range(11)]
    assert [one.status_code for one in answers] == [422] * 10 + [429]
    assert "没有这个上课码" in answers[0].text
    async with web.database.reading() as session:
        row = (await session.scalars(select(LessonCode))).one()
        entries = list(await session.scalars(select(AuditEntry).where(AuditEntry.kind == "lesson_codes")))
        notice = (await session.scalars(select(Notice).where(Notice.key == "code"))).one()
    assert code not in str(vars(row)) and row.code_sha256 == service.digest(web.app.state.keys.companion, code)
    assert [one.act for one in entries] == ["create"] and code not in str(entries[0].told)
    assert notice.person_id == case.teacher.id


@pytest.mark.parametrize(("post", "good"), [("dean", 201), ("technician", 201), ("teacher", 403), ("assistant", 403)])
async def test_who_may_give_one(web: Web, case: Case, post: str, good: int) -> None:
    browser = await web.sign_in(await web.person(post, school=case.school, of_school=case.school, name="某人"))
    assert (await browser.post(f"/api/v1/lessons/{case.lesson.id}/code")).status_code == good


async def test_the_other_schools_administrator_may_not(web: Web, case: Case) -> None:
    village = case.room.school
    browser = await web.sign_in(await web.person("school_admin", school=village, of_school=village))
    assert (await browser.post(f"/api/v1/lessons/{case.lesson.id}/code")).status_code == 403
    assert "发上课码" not in (await browser.get(f"/lessons/{case.lesson.id}")).text


async def test_the_phone_pages(web: Web, case: Case) -> None:
    page = await case.admin.post(f"/lessons/{case.lesson.id}/code")
    shown = re.search(r"\d{4} \d{4}", page.text)
    assert shown and "http://class.test/code" in page.text
    browser = web.browser()
    assert "上课码" in (await browser.get("/code")).text
    answer = await browser.post("/code", data={"code": shown[0]})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/live/{case.lesson.id}/teach")
    assert (await browser.get(answer.headers["location"])).status_code == 200


@pytest.mark.parametrize(
    "asked",
    [
        "GET /desk",
        "GET /live/x/watch",
        "GET /live/a/teach/",
        "GET /live/a/teach\n",
        "GET /api/v1/lessons/x",
        "POST /api/v1/lessons/x/decks",
        "DELETE /api/v1/lessons/x/decks/y",
        "POST /api/v1/lessons/x/seat/y",
        "POST /lessons/x/change/move",
        "GET /",
    ],
)
def test_what_no_code_opens(asked: str) -> None:
    assert service.lesson_of(asked) is None
