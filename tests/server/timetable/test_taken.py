"""What is taken: no class in two rooms, no recording host for two rooms; a rehearsal takes nothing and nobody.

And what follows from the class: its progress on the pages, and what the new term's wizard says of it.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from server.encoders.models import RoomSource
from server.ids import new_id
from server.lessons.models import Lesson
from server.participation.models import Attendance
from server.schools.models import Room, SchoolClass
from server.scope import SYSTEM
from server.timetable import occupancy
from server.timetable.models import Term
from tests.support.timetable import City, made
from tests.support.web import Browser, Web


@pytest.fixture
async def city(web: Web) -> City:
    return await made(web)


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("city_admin", name="市管理员"))


async def village_class(web: Web, city: City, number: int = 1, **more: Any) -> SchoolClass:
    plain = {"school_id": city.village.id, "phase": "primary", "entry_year": 2024, "number": number, "pupils": 23}
    row = SchoolClass(id=new_id(), **{**plain, **more})
    await web.add(row)
    return row


def draft(web: Web, lead: Room, room: Room, teacher: str, hours: float = 24, **receiver: Any) -> dict[str, Any]:
    start = web.clock.now() + timedelta(hours=hours)
    return {
        "title": "音乐课",
        "subject": "music",
        "grade": 3,
        "lead_room_id": lead.id,
        "teacher_id": teacher,
        "starts_at": start.isoformat(),
        "ends_at": (start + timedelta(minutes=40)).isoformat(),
        "receivers": [{"room_id": room.id, **receiver}],
    }


async def another(web: Web, city: City) -> dict[str, Any]:
    """Another teacher, lead room and receiving room of the same two schools."""
    teacher = await web.person("teacher", school=city.town, name="李老师")
    lead = await web.room(city.town, "另一间主讲", kind="lead")
    return {"teacher": teacher.id, "lead": lead, "room": await web.room(city.village, "另一间听讲")}


async def test_a_class_sits_in_one_room_and_brings_its_headcount(web: Web, city: City, admin: Browser) -> None:
    held = await village_class(web, city)
    first = await admin.post(
        "/api/v1/lessons", json=draft(web, city.lead, city.room, city.teacher.id, class_id=held.id)
    )
    assert first.status_code == 201, first.text
    assert [(one["school_class"], one["expected"]) for one in first.json()["receipts"]] == [("2024级1班", 23)]
    other = await another(web, city)
    body = draft(web, other["lead"], other["room"], other["teacher"], class_id=held.id)
    clash = await admin.post("/api/v1/lessons", json=body)
    assert (clash.status_code, clash.json()["error"]["key"]) == (409, "lesson_class_busy")
    assert "2024级1班" in clash.json()["error"]["message"] and "音乐课" in clash.json()["error"]["message"]
    later = draft(web, other["lead"], other["room"], other["teacher"], 24 + 40 / 60, class_id=held.id)
    assert (await admin.post("/api/v1/lessons", json=later)).status_code == 201, "half-open: the next bell is free"


async def test_a_class_of_another_school_or_closed_is_refused(web: Web, city: City, admin: Browser) -> None:
    foreign = await village_class(web, city, school_id=city.town.id)
    closed = await village_class(web, city, 2, closed_on=web.clock.now().date())
    for one in (foreign, closed):
        body = draft(web, city.lead, city.room, city.teacher.id, class_id=one.id)
        answer = await admin.post("/api/v1/lessons", json=body)
        assert (answer.status_code, answer.json()["error"]["key"]) == (422, "classroom_class")


async def test_two_rooms_with_one_recording_host(web: Web, city: City, admin: Browser) -> None:
    other = await another(web, city)
    now = web.clock.now()
    for room in (city.lead, other["lead"]):
        await web.add(RoomSource(room_id=room.id, address="rtsp://10.1.2.3/live", secret="", changed_at=now))
    assert (
        await admin.post("/api/v1/lessons", json=draft(web, city.lead, city.room, city.teacher.id))
    ).status_code == 201
    clash = await admin.post("/api/v1/lessons", json=draft(web, other["lead"], other["room"], other["teacher"]))
    assert (clash.status_code, clash.json()["error"]["key"]) == (409, "lesson_device_busy")
    same = await admin.post("/api/v1/lessons", json=draft(web, city.lead, other["room"], other["teacher"]))
    assert same.json()["error"]["key"] == "lesson_room_busy", "the room says it; its camera goes without saying"
    assert [one["kind"] for one in same.json()["error"]["params"]["clashes"]] == ["room"]


async def test_a_rehearsal_takes_nothing(web: Web, city: City) -> None:
    await web.lesson(city.teacher, city.lead, kind="trial", robots=1)
    lesson = await web.lesson(city.teacher, city.lead, city.room)
    async with web.database.reading() as session:
        row = await session.get_one(Lesson, lesson.id)
        assert await occupancy.look(session, SYSTEM, [occupancy.entry_of(row)]) == []


async def test_progress_of_each_class_stands_on_both_pages(web: Web, city: City, admin: Browser) -> None:
    """Two lessons were held, the class heard one; the other was called off and nobody has made it up."""
    held = await village_class(web, city)
    rows = city.classroom(web, id="c")
    rows[1].class_id = held.id
    await web.add(*rows)
    more = {"classroom_id": "c", "starts": timedelta(days=-2), "volume": "上册", "unit": "第三单元"}
    heard = await web.lesson(city.teacher, city.lead, city.room, state="closed", part="第1课时", **more)
    off = {**more, "starts": timedelta(days=-1)}
    await web.lesson(
        city.teacher, city.lead, city.room, state="cancelled", cancel_reason="power", part="第2课时", **off
    )
    ahead = await web.lesson(city.teacher, city.lead, city.room, classroom_id="c")
    await web.add(attendance(web, heard.id, city.room.id))
    for path in ("/admin/classrooms/c", f"/lessons/{ahead.id}"):
        page = (await admin.get(path)).text
        assert "已上 1/2，落下 1 课次" in page and "上到：上册 · 第三单元 · 第1课时" in page, path
        assert "还没补：11-15 上册 · 第三单元 · 第2课时" in page, path


def attendance(web: Web, lesson: str, room: str) -> Attendance:
    return Attendance(
        id=f"{lesson}:{room}", lesson_id=lesson, room_id=room, planned_ms=2_400_000, delivered_ms=2_400_000,
        online_ms=2_400_000, heard_ms=2_400_000, heard=[], online=[], hands=0, effective=True, fact_count=1,
        computed_at=web.clock.now(),
    )  # fmt: skip


async def test_the_new_term_takes_the_class_along_and_lists_missing_consent(
    web: Web, city: City, admin: Browser
) -> None:
    held = await village_class(web, city)
    rows = city.classroom(web, id="c")
    rows[1].class_id = held.id
    await web.add(*rows, Term(id="2027-1", name="新学期", starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20)))
    page = (await admin.get("/timetable/wizard?old=2026-1&new=2027-1")).text
    assert "2024级1班没有登记家长同意" in page
    for change, said in (
        ({"consent_on": date(2026, 9, 1)}, None),
        ({"consent_until": date(2027, 8, 31)}, "2024级1班的家长同意（录像）届时已过期"),
        ({"consent_withdrawn_on": date(2026, 11, 1)}, "2024级1班的家长同意（录像）已撤回"),
    ):
        async with web.transaction() as session:
            for name, value in change.items():
                setattr(await session.get_one(SchoolClass, held.id), name, value)
        page = (await admin.get("/timetable/wizard?old=2026-1&new=2027-1")).text
        assert said in page if said else "家长同意（录像）" not in page
    data = {"old": "2026-1", "new": "2027-1", "promote": "1", "classrooms": "c"}
    assert (await admin.post("/timetable/wizard", data=data)).status_code == 303
    found = (await admin.get("/api/v1/classrooms", params={"term": "2027-1"})).json()["items"][0]
    assert (found["grade"], found["receivers"][0]["class_id"]) == (4, held.id), "the class has gone up by itself"
