"""本班, the class that sits in the lead room: chosen with the room, carried by its lessons, in one place at a time."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from server.classrooms.models import Classroom, Receiver
from server.ids import new_id
from server.lessons.models import Lesson
from server.notices.models import Notice
from server.schools.models import SchoolClass
from server.timetable.models import Term
from tests.support.timetable import TERM, City, made, slot
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow


@pytest.fixture
async def city(web: Web) -> City:
    return await made(web)


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("city_admin"))


async def klass(web: Web, city: City, number: int = 1, **more: Any) -> SchoolClass:
    plain = {"school_id": city.town.id, "phase": "primary", "entry_year": 2024, "number": number, "pupils": 41}
    row = SchoolClass(id=new_id(), **{**plain, **more})
    await web.add(row)
    return row


async def another(web: Web, city: City) -> City:
    """The same schools with another teacher and other rooms."""
    lead, room = await web.room(city.town, "另一间主讲", kind="lead"), await web.room(city.village, "另一间听讲")
    teacher = await web.person("teacher", school=city.town, name="李老师")
    return City(city.district, city.town, city.village, lead, room, teacher, city.assistant)


def body(city: City, name: str, lead_class: str | None, **more: Any) -> dict[str, Any]:
    return {
        "name": name, "subject": "music", "grade": 3, "term": TERM, "lead_room_id": city.lead.id,
        "lead_teacher_id": city.teacher.id, "lead_class_id": lead_class, "receivers": [{"room_id": city.room.id}],
        "slots": [{"weekday": 4, "period": 3, "starts": "10:00", "minutes": 40}], **more,
    }  # fmt: skip


async def publish(admin: Browser, *classrooms: str) -> dict[str, Any]:
    answer = await admin.post("/api/v1/timetable/publish", json={"term": TERM, "classrooms": list(classrooms)})
    assert answer.status_code in (200, 409), answer.text
    return answer.json()  # type: ignore[no-any-return]


async def test_the_form_offers_it_and_takes_an_open_class_of_the_lead_school_once(
    web: Web, city: City, admin: Browser
) -> None:
    own, closed = await klass(web, city), await klass(web, city, 2, closed_on=date(2026, 9, 1))
    foreign, town_room = await klass(web, city, school_id=city.village.id), await web.room(city.town, "旁听教室")
    assert "本班" in (await admin.get("/admin/classrooms/new")).text
    twice = {"receivers": [{"room_id": town_room.id, "class_id": own.id}]}
    for lead_class, more, key in (
        (foreign.id, {}, "classroom_class"),
        (closed.id, {}, "classroom_class"),
        (own.id, twice, "classroom_class_twice"),
    ):
        answer = await admin.post("/api/v1/classrooms", json=body(city, "三年级音乐", lead_class, **more))
        assert (answer.status_code, answer.json()["error"]["key"]) == (422, key)
    one = (await admin.post("/api/v1/classrooms", json=body(city, "三年级音乐", own.id))).json()
    assert (one["lead_class_id"], one["lead_class"]) == (own.id, "2024级1班")
    edit = f"/admin/classrooms/{one['id']}/edit"
    assert f'<option value="{own.id}" selected>' in (await admin.get(edit)).text
    assert "<dt>本班</dt><dd>2024级1班</dd>" in (await admin.get(f"/admin/classrooms/{one['id']}")).text
    other = await another(web, city)
    busy = await admin.post("/api/v1/classrooms", json=body(other, "三年级美术", own.id))
    assert (busy.status_code, busy.json()["error"]["key"]) == (409, "classroom_busy")
    receives = {"receivers": [{"room_id": town_room.id, "class_id": own.id}]}
    busy = await admin.post("/api/v1/classrooms", json=body(other, "三年级美术", None, **receives))
    assert (busy.status_code, busy.json()["error"]["key"]) == (409, "classroom_busy"), "as one that receives, too"


async def test_published_lessons_carry_it_and_follow_another(web: Web, city: City, admin: Browser) -> None:
    head = await web.person("teacher", school=city.town, name="马班主任")
    first, second = await klass(web, city), await klass(web, city, 2, head_id=head.id)
    await web.add(*city.classroom(web, id="c", lead_class_id=first.id), slot("c", 4))
    await publish(admin, "c")
    async with web.transaction() as session:
        assert set(await session.scalars(select(Lesson.lead_class_id))) == {first.id}
        (await session.get_one(Classroom, "c")).lead_class_id = second.id
    made = await publish(admin, "c")
    assert made["renew"] == 4, made
    async with web.database.reading() as session:
        assert set(await session.scalars(select(Lesson.lead_class_id))) == {second.id}
        assert [one.key for one in await session.scalars(select(Notice).where(Notice.person_id == head.id))] == [
            "replanned"
        ]
        lesson = (await session.scalars(select(Lesson.id))).first()
    assert "<dt>本班</dt><dd>2024级2班</dd>" in (await admin.get(f"/lessons/{lesson}")).text
    assert (await admin.get(f"/api/v1/lessons/{lesson}")).json()["lead_class"] == "2024级2班"
    assert (await publish(admin, "c"))["renew"] == 0


async def test_no_lesson_takes_it_from_another(web: Web, city: City, admin: Browser) -> None:
    """Planned alone, moved, or published: refused by the class's name, whichever end it sits at."""
    own = await klass(web, city)
    await web.add(*city.classroom(web, id="c", lead_class_id=own.id), slot("c", 4))
    await publish(admin, "c")
    other = await another(web, city)
    town_room = await web.room(city.town, "旁听教室")
    draft = {
        "title": "班会", "subject": "art", "grade": 3, "lead_room_id": other.lead.id, "teacher_id": other.teacher.id,
        "starts_at": "2026-11-19T10:20:00+08:00", "ends_at": "2026-11-19T11:00:00+08:00",
    }  # fmt: skip
    for more in (
        {"lead_class_id": own.id, "receivers": [{"room_id": other.room.id}]},
        {"receivers": [{"room_id": town_room.id, "class_id": own.id}]},
    ):
        refused = await admin.post("/api/v1/lessons", json={**draft, **more})
        assert (refused.status_code, refused.json()["error"]["key"]) == (409, "lesson_class_busy")
        assert "2024级1班" in refused.json()["error"]["message"]
    free = {"starts_at": "2026-11-19T10:40:00+08:00", "ends_at": "2026-11-19T11:20:00+08:00"}
    with_class = {**draft, "lead_class_id": own.id, "receivers": [{"room_id": other.room.id}]}
    made = await admin.post("/api/v1/lessons", json={**with_class, **free})
    assert (made.status_code, made.json()["lead_class"]) == (201, "2024级1班"), made.text
    move = {"starts_at": "2026-11-19T10:10:00+08:00"}
    refused = await admin.post(f"/api/v1/lessons/{made.json()['id']}/move", json=move)
    assert (refused.status_code, refused.json()["error"]["key"]) == (409, "lesson_class_busy")
    await web.add(*other.classroom(web, "三年级美术", id="d", lead_class_id=own.id), slot("d", 4))
    clashes = await publish(admin, "d")
    assert clashes["error"]["key"] == "publish_clashes"
    assert {one["kind"] for one in clashes["error"]["params"]["clashes"]} == {"class"}
    found = (await admin.post("/api/v1/timetable/slots", json={"term": TERM, "classroom_id": "d"})).json()
    taken = next(one for one in found["refusals"] if (one["weekday"], one["starts"]) == (4, "10:10:00"))
    assert "2024级1班" in {one["name"].split()[-1] for one in taken["obstacles"]}


async def test_it_stays_in_its_room_when_a_lesson_alone_is_led_elsewhere(web: Web, city: City, admin: Browser) -> None:
    own = await klass(web, city)
    await web.add(*city.classroom(web, id="c", lead_class_id=own.id))
    other = await another(web, city)
    draft = {
        "classroom_id": "c", "title": "补一节", "starts_at": "2026-11-19T08:00:00+08:00",
        "ends_at": "2026-11-19T08:40:00+08:00",
    }  # fmt: skip
    made = (await admin.post("/api/v1/lessons", json=draft)).json()
    assert made["lead_class"] == "2024级1班"
    away = {"starts_at": "2026-11-20T08:00:00+08:00", "ends_at": "2026-11-20T08:40:00+08:00"}
    led = {"lead_room_id": other.lead.id, "teacher_id": other.teacher.id}
    assert (await admin.post("/api/v1/lessons", json={**draft, **away, **led})).json()["lead_class"] is None


async def test_the_new_term_takes_it_along_while_it_is_in_the_grade(web: Web, city: City, admin: Browser) -> None:
    goes, left = await klass(web, city), await klass(web, city, 2, entry_year=2020)
    await web.add(
        Term(id="2027-1", name="新学期", starts_on=date(2027, 9, 1), ends_on=date(2028, 1, 20)),
        *city.classroom(web, id="c", lead_class_id=goes.id),
        Classroom(
            id="d", name="三年级美术", subject="art", grade=3, term=TERM, created_at=web.clock.now(),
            lead_room_id=city.lead.id, lead_teacher_id=city.teacher.id, lead_class_id=left.id,
        ),
    )  # fmt: skip
    await web.add(Receiver(id=new_id(), classroom_id="d", position=1, room_id=city.room.id))
    page = (await admin.get("/timetable/wizard?old=2026-1&new=2027-1")).text
    assert f"{city.town.short_name} 2024级1班" not in page and f"{city.town.short_name} 2020级2班" in page
    data = {"old": "2026-1", "new": "2027-1", "promote": "1", "classrooms": ["c", "d"]}
    assert (await admin.post("/timetable/wizard", data=data)).status_code == 303
    async with web.database.reading() as session:
        found = (await session.scalars(select(Classroom).where(Classroom.term == "2027-1"))).unique()
        assert {one.name: one.lead_class_id for one in found} == {"四年级音乐": goes.id, "四年级美术": None}
