"""课堂类型 of many lessons at once: of a classroom for the rest of its term, or of some of its lessons."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from server.classrooms.models import Classroom
from server.lessons.models import Lesson, LessonChange
from server.outbox.models import Delivery
from server.timetable.models import WeeklySlot
from tests.support.timetable import City, with_classroom
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow

PAGE = "/admin/classrooms/c/lesson-form"
PUBLISH = {"term": "2026-1", "classrooms": ["c"]}


@pytest.fixture
async def city(web: Web) -> City:
    return await with_classroom(web)


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    browser = await web.sign_in(await web.person("district_admin", district=city.district, name="周主任"))
    assert (await browser.post("/api/v1/timetable/publish", json=PUBLISH)).json()["add"] == 4
    return browser


async def lessons(web: Web) -> list[Lesson]:
    async with web.database.reading() as session:
        return list((await session.scalars(select(Lesson).order_by(Lesson.starts_at))).unique())


async def test_the_rest_of_the_term_and_what_is_published_later(web: Web, city: City, admin: Browser) -> None:
    assert "本学期剩下的 4 节" in (await admin.get(PAGE)).text
    web.clock.moment = (await lessons(web))[0].ends_at
    admin = await web.sign_in(await web.person("district_admin", district=city.district, name="周主任"))
    done = await admin.post(PAGE, data={"csrf": admin.csrf, "form": "master", "which": "all"})
    assert done.status_code == 303, done.text
    assert [one.form for one in await lessons(web)] == ["delivery", "master", "master", "master"]
    page = (await admin.get("/admin/classrooms/c")).text
    assert "名师课堂" in page and PAGE in page
    assert (await admin.post("/api/v1/timetable/publish", json=PUBLISH)).json()["renew"] == 0
    async with web.transaction() as session:
        changes = list(await session.scalars(select(LessonChange).where(LessonChange.kind == "renew")))
        assert {(one.by_name, one.before["form"], one.after["form"]) for one in changes} == {
            ("周主任", "delivery", "master")
        } and len(changes) == 3
        (await session.scalars(select(WeeklySlot))).one().weekday = 5
    moved = (await admin.post("/api/v1/timetable/publish", json=PUBLISH)).json()
    assert (moved["add"], moved["withdraw"]) == (4, 3), "they went on following their timetable"
    assert {one.form for one in await lessons(web) if one.state == "published"} == {"delivery", "master"}
    assert [one.form for one in await lessons(web) if one.state == "published"][1:] == ["master"] * 4


async def test_a_webhook_hears_of_each_lesson(web: Web, city: City, admin: Browser) -> None:
    made = await admin.post(
        "/api/v1/channels",
        json={
            "kind": "webhook", "place": f"district:{city.district.id}", "name": "平台",
            "endpoint": "https://platform.example/hook", "events": ["lesson.about"],
        },
    )  # fmt: skip
    assert made.status_code == 201, made.text
    done = await admin.post("/api/v1/classrooms/c/lesson-form", json={"form": "master", "lessons": []})
    assert done.is_success, done.text
    async with web.database.reading() as session:
        rows = list(await session.scalars(select(Delivery).where(Delivery.event == "lesson.about")))
    assert {one.body["lesson"]["id"] for one in rows} == {one.id for one in await lessons(web)} and len(rows) == 4


async def test_some_of_its_lessons_alone_by_the_school_that_leads(web: Web, city: City, admin: Browser) -> None:
    first, second, *_ = await lessons(web)
    dean = await web.sign_in(await web.person("dean", school=city.town, of_school=city.town))
    assert 'value="all"' not in (await dean.get(PAGE)).text
    refused = await dean.post(PAGE, data={"csrf": dean.csrf, "form": "open", "which": "all"})
    assert refused.status_code == 403
    empty = await dean.post(PAGE, data={"csrf": dean.csrf, "form": "open", "which": "some"})
    assert empty.status_code == 422 and "请勾选" in empty.text
    some = {"csrf": dean.csrf, "form": "open", "which": "some", "lessons": [first.id, second.id]}
    assert (await dean.post(PAGE, data=some)).status_code == 303
    assert [one.form for one in await lessons(web)] == ["open", "open", "delivery", "delivery"]
    async with web.database.reading() as session:
        assert (await session.get_one(Classroom, "c")).form == "delivery"
        batch = (await session.scalars(select(LessonChange.batch).where(LessonChange.kind == "about"))).first()
    assert (await admin.post("/api/v1/timetable/publish", json=PUBLISH)).json()["renew"] == 0, "said by hand"
    assert (await admin.post(f"/api/v1/changes/{batch}/undo")).is_success
    assert {one.form for one in await lessons(web)} == {"delivery"}


async def test_nobody_else_and_no_strange_lesson(web: Web, city: City, admin: Browser) -> None:
    theirs = await web.sign_in(await web.person("dean", school=city.village, of_school=city.village))
    assert (await theirs.get(PAGE)).status_code == 403
    path = "/api/v1/classrooms/c/lesson-form"
    (first, *_) = await lessons(web)
    body = {"form": "open", "lessons": [first.id]}
    assert (await theirs.post(path, json=body)).status_code == 403
    other = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=2))
    assert (await admin.post(path, json={"form": "open", "lessons": [other.id]})).status_code == 404
    assert (await admin.post(path, json={**body, "form": "party"})).status_code == 422
