"""Who teaches or learns at home is asked for nothing else then: claims, publishing, the finder, a classroom's form."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from server.accounts.models import Person
from server.clock import CITY
from server.ids import new_id
from server.ordinary import busy
from server.schools.models import SchoolClass
from server.scope import SYSTEM
from server.templating import texts
from server.timetable import taken
from server.timetable.conflicts import Entry, Resource
from server.timetable.models import SchoolSpan
from tests.support.timetable import City, ordinary, slot
from tests.support.web import Browser, Web

START, END = datetime(2026, 11, 16, tzinfo=CITY), datetime(2026, 12, 31, tzinfo=CITY)


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("city_admin"))


async def a_class(web: Web, city: City) -> SchoolClass:
    row = SchoolClass(
        id=new_id(),
        school_id=city.village.id,
        phase="primary",
        entry_year=2023,
        number=2,
        pupils=23,
        name="四年级(2)班",
    )
    await web.add(row)
    return row


@contextmanager
def statements(web: Web) -> Iterator[list[str]]:
    said: list[str] = []

    def hear(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        said.append(statement)

    engine = web.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", hear)


async def held(web: Web, *needs: Resource) -> list[Entry]:
    async with web.database.reading() as session:
        return await taken.taken(session, SYSTEM, needs, START, END, {})


async def test_what_is_taken_follows_the_calendar(web: Web, city: City) -> None:
    day = date(2026, 12, 3)
    span = SchoolSpan(
        id=new_id(), school_id=city.town.id, kind="sports", name="运动会", first_on=day, last_on=day, created_at=START
    )
    await web.add(ordinary(city.town, 4, 10, teacher_id=city.teacher.id), span)
    found = await held(web, Resource("person", city.teacher.id))
    days = [f"{one.starts_at.astimezone(CITY):%m-%d}" for one in found]
    assert days == ["11-19", "11-28", "12-10"], "a holiday, the day that makes up for it, the school's sports day"
    assert {one.id.split("/")[0] for one in found} == {"ordinary"}
    assert await held(web, Resource("person", city.assistant.id)) == []


async def test_who_has_moved_is_not_kept_busy_by_the_old_school_s_timetable(web: Web, city: City) -> None:
    await web.add(ordinary(city.town, 4, 10, teacher_id=city.teacher.id, room_id=city.lead.id))
    async with web.transaction() as session:
        (await session.get_one(Person, city.teacher.id)).school_id = city.village.id
    assert await held(web, Resource("person", city.teacher.id)) == []
    assert len(await held(web, Resource("room", city.lead.id))) == 4, "the room is"


async def test_a_room_s_hour_needs_no_recording_host(web: Web, city: City) -> None:
    other = await web.room(city.town, "另一间", kind="lead")
    await web.add(ordinary(city.town, 3, room_id=city.lead.id))
    devices = {city.lead.id: "d", other.id: "d"}
    async with web.database.reading() as session:
        needs = taken.with_devices([Resource("room", other.id)], devices)
        assert await taken.taken(session, SYSTEM, needs, START, END, devices) == []
        needs = taken.with_devices([Resource("room", city.lead.id)], devices)
        found = await taken.taken(session, SYSTEM, needs, START, END, devices)
        assert {need.kind for one in found for need in one.needs} == {"room"}


async def test_one_statement_where_there_is_nothing_and_never_more_for_more(web: Web, city: City) -> None:
    wanted = {"person": [city.teacher.id, city.assistant.id], "room": [city.lead.id], "class": []}

    async def count() -> int:
        async with web.database.reading() as session:
            with statements(web) as said:
                await busy.entries(session, SYSTEM, wanted, START, END)
        return len([one for one in said if not one.startswith("BEGIN")])

    assert await count() == 1
    await web.add(ordinary(city.town, 1, teacher_id=city.teacher.id, follows_bell=True))
    few = await count()
    rows = [ordinary(city.town, day, hour, teacher_id=city.teacher.id) for day in range(1, 6) for hour in range(8, 15)]
    rows += [ordinary(city.village, day, teacher_id=city.assistant.id, follows_bell=True) for day in range(1, 6)]
    await web.add(*rows)
    assert await count() == few <= 4


async def test_a_claim_is_refused_by_name_where_the_asker_sees_the_timetable(
    web: Web, city: City, admin: Browser
) -> None:
    pupils = await a_class(web, city)
    await web.add(ordinary(city.village, 3, teacher_id=city.assistant.id, class_id=pupils.id))
    start = datetime(2026, 11, 18, 10, 20, tzinfo=CITY)
    body = {
        "title": "音乐课", "subject": "music", "grade": 4, "lead_room_id": city.lead.id, "teacher_id": city.teacher.id,
        "starts_at": start.isoformat(), "ends_at": (start + timedelta(minutes=40)).isoformat(),
        "receivers": [{"room_id": city.room.id, "assistant_id": city.assistant.id}],
    }  # fmt: skip
    refused = (await admin.post("/api/v1/lessons", json=body)).json()["error"]
    assert refused["key"] == "lesson_ordinary"
    assert "四年级(2)班 数学，周三第3节（本校课表）" in refused["message"] and "10:00–10:40" in refused["message"]
    said = texts("en").filled("errors.lesson_ordinary", **refused["params"])
    assert "四年级(2)班 Mathematics, Wednesday period 3 (school timetable)" in said
    town = await web.sign_in(await web.person("school_admin", school=city.town, of_school=city.town))
    hidden = (await town.post("/api/v1/lessons", json=body)).json()["error"]
    assert hidden["key"] == "lesson_teacher_taken" and "四年级" not in str(hidden)
    start = start.replace(hour=10, minute=40)
    body |= {"starts_at": start.isoformat(), "ends_at": (start + timedelta(minutes=40)).isoformat()}
    assert (await admin.post("/api/v1/lessons", json=body)).status_code == 201, "half-open: the hour is over"


async def test_the_school_s_timetable_gives_way_to_what_stood_before(web: Web, city: City, admin: Browser) -> None:
    """Another assistant at the last minute; but not one who teaches at home, and to no other time of this room."""
    lesson = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=1, hours=1))
    stand_in = await web.person("assistant", school=city.village, name="赵老师")
    busy_one = await web.person("assistant", school=city.village, name="钱老师")
    await web.add(
        ordinary(city.village, 2, room_id=city.room.id),
        ordinary(city.village, 2, teacher_id=busy_one.id),
        ordinary(city.village, 3, room_id=city.room.id),
    )
    put = {"room_id": city.room.id, "assistant_id": busy_one.id}
    refused = await admin.post(f"/api/v1/lessons/{lesson.id}/assistant", json=put)
    assert refused.json()["error"]["key"] == "lesson_ordinary" and "钱老师" in refused.text
    put["assistant_id"] = stand_in.id
    done = await admin.post(f"/api/v1/lessons/{lesson.id}/assistant", json=put)
    assert done.status_code == 200, done.text
    there = {"starts_at": (lesson.starts_at + timedelta(days=1)).isoformat()}
    assert (await admin.post(f"/api/v1/lessons/{lesson.id}/move", json=there)).status_code == 409


async def test_what_was_called_off_comes_back_to_its_place(web: Web, city: City, admin: Browser) -> None:
    lesson = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=1, hours=1))
    off = await admin.post(f"/api/v1/lessons/{lesson.id}/call-off", json={"reason": "power"})
    assert off.status_code == 200, off.text
    await web.add(ordinary(city.village, 2, room_id=city.room.id))
    back = await admin.post(f"/api/v1/changes/{off.json()['batch']}/undo")
    assert back.status_code == 200, back.text


async def test_publishing_names_the_hour_and_the_finder_proposes_another(web: Web, city: City, admin: Browser) -> None:
    await web.add(ordinary(city.town, 4, 10, teacher_id=city.teacher.id, room_id=city.lead.id))
    planned = (await admin.post("/api/v1/timetable/plan", json={"term": "2026-1", "classrooms": ["c"]})).json()
    assert planned["clashes"] and {one["period"] for one in planned["clashes"]} == {"3"}
    page = (await admin.get("/timetable/publish?term=2026-1&classroom=c")).text
    assert "数学，周四第3节（本校课表）" in page
    question = {"term": "2026-1", "classroom_id": "c", "weekdays": [4]}
    found = (await admin.post("/api/v1/timetable/slots", json=question)).json()
    assert found["proposals"] and "10:10:00" not in {one["starts"] for one in found["proposals"]}
    why = next(one for one in found["refusals"] if one["starts"] == "10:10:00")["obstacles"]
    assert {(one["cause"], one["subject_key"]) for one in why} == {("busy", "common.subject.maths")}
    shown = (await admin.get("/timetable/find?term=2026-1&classroom_id=c")).text
    assert "有本校课" in shown and "数学，周四第3节" in shown


def form(city: City, *slots: dict[str, Any], name: str = "三年级音乐") -> dict[str, Any]:
    return {
        "name": name, "subject": "music", "grade": 3, "term": "2026-1", "lead_room_id": city.lead.id,
        "lead_teacher_id": city.teacher.id, "receivers": [{"room_id": city.room.id}], "slots": list(slots),
    }  # fmt: skip


async def test_a_classroom_s_form_sees_the_hours_beside_its_slots(web: Web, city: City, admin: Browser) -> None:
    await web.add(ordinary(city.town, 2, 10, teacher_id=city.teacher.id))
    await web.add(ordinary(city.town, 4, 10, teacher_id=city.teacher.id))  # where "c" has its slot already
    thursday = {"weekday": 4, "period": 3, "starts": "10:00", "minutes": 40}
    tuesday = {"weekday": 2, "period": 3, "starts": "10:30", "minutes": 40, "weeks": "odd"}
    renamed = await admin.put("/api/v1/classrooms/c", json=form(city, thursday, name="三年级音乐课"))
    assert renamed.status_code == 200, "what stood there before goes on standing"
    refused = (await admin.put("/api/v1/classrooms/c", json=form(city, thursday, tuesday))).json()["error"]
    assert refused["key"] == "classroom_ordinary" and refused["params"]["field"] == "slots.1.starts"
    assert "王老师这个时间有本校课" in refused["message"] and "数学，周二第3节" in refused["message"]
    at = {**tuesday, "starts": "10:40"}
    assert (await admin.put("/api/v1/classrooms/c", json=form(city, thursday, at))).status_code == 200
    await web.add(slot("c", 5, 8))
    assert time(10, 40).isoformat() in (await admin.get("/api/v1/classrooms/c")).text
