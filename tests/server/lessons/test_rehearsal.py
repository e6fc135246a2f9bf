"""试讲: one press, a room with a robot classroom; on no list, in nobody's way, counted nowhere."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.accounts.models import Person
from server.lessons.models import Lesson
from server.lessons.seating import room_spec
from server.schools.models import Room, School
from tests.support.web import Browser, Web


@pytest.fixture
async def school(web: Web) -> School:
    return await web.school(await web.district(), "城关小学")


@pytest.fixture
async def lead(web: Web, school: School) -> Room:
    return await web.room(school, "录播教室", kind="lead")


@pytest.fixture
async def teacher(web: Web, school: School) -> Person:
    return await web.person("teacher", school=school, name="林老师")


@pytest.fixture
async def browser(web: Web, teacher: Person, lead: Room) -> Browser:
    return await web.sign_in(teacher)


async def begun(web: Web, browser: Browser) -> Lesson:
    answer = await browser.post("/api/v1/rehearsals")
    assert answer.status_code == 201, answer.text
    async with web.database.reading() as session:
        return await session.get_one(Lesson, answer.json()["id"])


async def test_one_press_opens_a_room_with_a_robot(web: Web, browser: Browser, teacher: Person) -> None:
    page = await browser.get("/desk")
    assert 'action="/rehearsals"' in page.text
    answer = await browser.post("/rehearsals")
    assert answer.status_code == 303 and answer.headers["location"].endswith("/teach")
    assert (await browser.get(answer.headers["location"])).status_code == 200
    lesson = await begun(web, browser)
    assert f"/live/{lesson.id}/teach" == answer.headers["location"], "the open one, not a second"
    assert "回到试讲" in (await browser.get("/desk")).text
    await web.node()
    seat = await browser.post(f"/api/v1/lessons/{lesson.id}/seat", json={"role": "teacher"})
    assert seat.status_code == 200, seat.text
    rooms = [one for _, path, body in web.nodes.calls if path.endswith(lesson.id) for one in body["rooms"]]
    assert [(one["seat"], one["robot"]) for one in rooms] == [(f"t-{teacher.id}", False), ("r-robot1", True)]


async def test_it_is_on_no_list_and_in_nobodys_way(web: Web, browser: Browser, teacher: Person, lead: Room) -> None:
    lesson = await begun(web, browser)
    assert (lesson.kind, lesson.robots, room_spec(lesson, 1).kind) == ("trial", 1, "trial")
    assert (await browser.get("/api/v1/lessons")).json() == []
    assert lesson.title not in (await browser.get("/timetable")).text
    kiosk = (await (await web.device(lead)).get("/api/v1/kiosk")).json()
    assert (kiosk["lesson"], kiosk["next"]) == (None, None)
    admin = await web.sign_in(await web.person("city_admin"))
    room = await web.room(lead.school, "三年级1班")
    start = web.clock.now() + timedelta(minutes=10)
    draft = {
        "title": "正式课", "subject": "maths", "grade": 3, "lead_room_id": lead.id, "teacher_id": teacher.id,
        "starts_at": start.isoformat(), "ends_at": (start + timedelta(minutes=40)).isoformat(),
        "receivers": [{"room_id": room.id}],
    }  # fmt: skip
    assert (await admin.post("/api/v1/lessons", json=draft)).status_code == 201


async def test_another_one_when_the_hour_is_over(web: Web, browser: Browser) -> None:
    first = await begun(web, browser)
    web.clock.moment += timedelta(minutes=61)
    assert (await begun(web, browser)).id != first.id


async def test_only_who_teaches_and_only_with_a_room(web: Web, school: School) -> None:
    assistant = await web.sign_in(await web.person("assistant", school=school))
    assert (await assistant.post("/api/v1/rehearsals")).status_code == 403
    assert "/rehearsals" not in (await assistant.get("/desk")).text
    bare = await web.school(await web.district("120114"), "新校")
    lonely = await web.sign_in(await web.person("teacher", school=bare))
    answer = await lonely.post("/api/v1/rehearsals")
    assert (answer.status_code, answer.json()["error"]["key"]) == (422, "rehearsal_room")
