"""Creating, finding and cancelling lessons: by right, without collisions; and the pages that show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Person
from server.clock import city_date
from server.lessons.models import Invitation, Lesson, LessonChange
from server.notices.models import Notice
from server.schools.models import District, Room, School
from tests.support.web import Web


@dataclass
class City:
    district: District
    town: School
    village: School
    lead: Room
    room: Room
    teacher: Person


@pytest.fixture
async def city(web: Web) -> City:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    lead, room = await web.room(town, "录播教室", kind="lead"), await web.room(village, pupils=27)
    return City(district, town, village, lead, room, await web.person("teacher", school=town))


def draft(city: City, web: Web, **more: Any) -> dict[str, Any]:
    start = web.clock.now() + timedelta(days=1)
    return {
        "title": "认识分数",
        "subject": "maths",
        "grade": 3,
        "lead_room_id": city.lead.id,
        "teacher_id": city.teacher.id,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(minutes=40)).isoformat(),
        "receivers": [{"room_id": city.room.id}],
        **more,
    }


async def test_an_administrator_creates_a_lesson_with_its_receipts(web: Web, city: City) -> None:
    admin = await web.sign_in(await web.person("district_admin", district=city.district))
    answer = await admin.post("/api/v1/lessons", json=draft(city, web))
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["state"], made["school"]) == ("published", "城关小学")
    assert [(one["school"], one["expected"]) for one in made["receipts"]] == [("南里小学", 27)]
    assert (await admin.get("/api/v1/lessons")).json() == [made]


async def test_a_single_new_lesson_is_written_down_told_and_confirmed(web: Web, city: City) -> None:
    assistant = await web.person("assistant", school=city.village)
    theirs = await web.person("school_admin", school=city.village, of_school=city.village)
    ours = await web.person("district_admin", district=city.district)
    admin = await web.sign_in(ours)
    receivers = [{"room_id": city.room.id, "assistant_id": assistant.id}]
    made = (await admin.post("/api/v1/lessons", json=draft(city, web, receivers=receivers))).json()
    async with web.database.reading() as session:
        told = {(one.key, one.person_id, one.lesson_id) for one in await session.scalars(select(Notice))}
        change = (await session.scalars(select(LessonChange))).one()
        asked = (await session.scalars(select(Invitation))).one()
        lesson = await session.get_one(Lesson, made["id"])
    assert told == {("added", one.id, made["id"]) for one in (city.teacher, assistant, theirs)}
    assert (change.kind, change.lesson_id, change.by) == ("publish", made["id"], ours.id)
    assert (asked.school_id, asked.lesson_id, asked.answer) == (city.village.id, made["id"], "pending")
    assert (lesson.sequence, lesson.changed_at) == (0, None), "nothing of it has changed yet"
    start = (web.clock.now() + timedelta(days=2)).isoformat()
    assert (await admin.post(f"/api/v1/lessons/{made['id']}/move", json={"starts_at": start})).is_success
    async with web.database.reading() as session:
        answers = [one.answer for one in await session.scalars(select(Invitation).order_by(Invitation.answer))]
    assert answers == ["pending", "void"], "asked once, of a lesson without a classroom too"


async def test_only_administrators_of_the_lead_school_create(web: Web, city: City) -> None:
    elsewhere = await web.district("120114")
    body = draft(city, web)
    for posts, given, status in (
        (("teacher",), {"school": city.town}, 403),
        (("evaluator",), {}, 403),
        (("district_admin",), {"district": elsewhere}, 403),
        (("school_admin",), {"of_school": city.village}, 403),
        (("school_admin",), {"of_school": city.town}, 201),
    ):
        browser = await web.sign_in(await web.person(*posts, **given))
        assert (await browser.post("/api/v1/lessons", json=body)).status_code == status, posts


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"receivers": []}, "lesson_rooms"),
        ({"receivers": [{"room_id": "nowhere"}]}, "lesson_rooms"),
        ({"teacher_id": "nobody"}, "lesson_teacher"),
        ({"subject": ""}, "invalid"),
        ({"title": ""}, "invalid"),
        ({"starts_at": "2026-11-17T09:00:00+08:00", "ends_at": "2026-11-17T09:00:00+08:00"}, "lesson_times"),
        ({"starts_at": "2026-11-17T09:00:00+08:00", "ends_at": "2026-11-17T15:00:00+08:00"}, "lesson_times"),
        ({"starts_at": "2026-11-15T09:00:00+08:00", "ends_at": "2026-11-15T09:40:00+08:00"}, "lesson_past"),
        ({"starts_at": "2026-11-17T09:00:00", "ends_at": "2026-11-17T09:40:00"}, "invalid"),
    ],
)
async def test_a_lesson_that_cannot_be_is_refused_with_its_reason(
    web: Web, city: City, change: dict[str, Any], key: str
) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    answer = await admin.post("/api/v1/lessons", json=draft(city, web, **change))
    assert (answer.status_code, answer.json()["error"]["key"]) == (422, key)


async def test_rooms_and_teachers_are_in_one_place_at_a_time(web: Web, city: City) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    assert (await admin.post("/api/v1/lessons", json=draft(city, web))).status_code == 201
    again = await admin.post("/api/v1/lessons", json=draft(city, web))
    assert (again.status_code, again.json()["error"]["key"]) == (409, "lesson_teacher_busy")
    other = await web.person("teacher", school=city.town)
    again = await admin.post("/api/v1/lessons", json=draft(city, web, teacher_id=other.id))
    assert (again.status_code, again.json()["error"]["key"]) == (409, "lesson_room_busy")
    start = web.clock.now() + timedelta(days=1, minutes=40)
    later = {"starts_at": start.isoformat(), "ends_at": (start + timedelta(minutes=40)).isoformat()}
    assert (await admin.post("/api/v1/lessons", json=draft(city, web, **later))).status_code == 201


async def test_a_closed_school_or_room_says_which_lessons_still_stand_there(web: Web, city: City) -> None:
    for days in (1, 2):
        await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=days))
    admin = await web.sign_in(await web.person("district_admin", district=city.district))
    path = f"/admin/schools/{city.village.id}"
    assert "还有 2 节" not in (await admin.get(path)).text
    assert (await admin.post(f"/admin/rooms/{city.room.id}/close", data={"csrf": admin.csrf})).status_code == 303
    page = (await admin.get(path)).text
    assert page.count("还有 2 节") == 1 and f"/timetable?of=room&amp;id={city.room.id}" in page
    async with web.transaction() as session:
        (await session.get_one(School, city.village.id)).closed_on = city_date(web.clock.now()) + timedelta(days=2)
    page = (await admin.get(path)).text
    assert "还有 1 节" in page and f"/timetable?of=school&amp;id={city.village.id}" in page


async def test_cancelling_needs_the_right_a_reason_and_a_lesson_not_yet_held(web: Web, city: City) -> None:
    lesson = await web.lesson(city.teacher, city.lead, city.room)
    teacher = await web.sign_in(city.teacher)
    path = f"/api/v1/lessons/{lesson.id}/cancel"
    assert (await teacher.post(path, json={"reason": "power"})).status_code == 403
    admin = await web.sign_in(await web.person("school_admin", of_school=city.town))
    assert (await admin.post(path, json={"reason": "bored"})).json()["error"]["key"] == "cancel_reason"
    assert (await admin.post(path, json={"reason": "power"})).json()["cancel_reason"] == "power"
    again = await admin.post(path, json={"reason": "power"})
    assert (again.status_code, again.json()["error"]["key"]) == (409, "lesson_state")
    assert "停课" in (await admin.get(f"/lessons/{lesson.id}")).text


async def test_the_desk_shows_my_lessons_of_today_and_the_way_in(web: Web, city: City) -> None:
    assistant = await web.person("assistant", school=city.village)
    now = await web.lesson(city.teacher, city.lead, city.room, assistant=assistant, title="现在的课")
    await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=2), title="后天的课")
    other = await web.person("teacher", school=city.town)
    await web.lesson(other, city.lead, city.room, starts=timedelta(hours=3), title="别人的课")
    page = (await (await web.sign_in(city.teacher)).get("/desk")).text
    assert "现在的课" in page and "后天的课" in page and "别人的课" not in page
    assert f'href="/live/{now.id}/teach"' in page
    page = (await (await web.sign_in(assistant)).get("/desk")).text
    assert f'href="/companion/{now.id}"' in page


@pytest.mark.parametrize("state", ["published", "waiting", "live", "closed", "registered", "cancelled"])
async def test_the_lesson_page_stands_in_every_state_and_language(web: Web, city: City, state: str) -> None:
    reason = "power" if state == "cancelled" else None
    lesson = await web.lesson(city.teacher, city.lead, city.room, state=state, cancel_reason=reason)
    teacher = await web.sign_in(city.teacher)
    for lang in ("zh-CN", "en"):
        answer = await teacher.get(f"/lessons/{lesson.id}?lang={lang}")
        assert answer.status_code == 200
        assert not [word for word in ("lessons.", "common.", "errors.") if f">{word}" in answer.text]


async def test_live_pages_open_for_those_who_may_sit_there(web: Web, city: City) -> None:
    lesson: Lesson = await web.lesson(city.teacher, city.lead, city.room)
    teacher = await web.sign_in(city.teacher)
    kiosk = await web.device(city.room)
    inspector = await web.sign_in(await web.person("inspector"))
    stranger = web.browser()
    statuses = {
        (who, role): (await browser.get(f"/live/{lesson.id}/{role}")).status_code
        for who, browser in {"teacher": teacher, "kiosk": kiosk, "inspector": inspector, "stranger": stranger}.items()
        for role in ("teach", "class", "watch", "king")
    }
    assert {pair for pair, status in statuses.items() if status == 200} == {
        ("teacher", "teach"),
        ("teacher", "watch"),
        ("kiosk", "class"),
        ("inspector", "watch"),
    }
    assert {status for (who, _), status in statuses.items() if who == "stranger"} <= {303, 422}
