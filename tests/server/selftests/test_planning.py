"""Two lessons at once on a line that carries one: named in the timetable's answers, never refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from server.ids import new_id
from server.schools.models import Device
from server.selftests.models import SelfTest
from tests.support.timetable import TERM, City, made, slot
from tests.support.web import Web


async def measure(web: Web, city: City, up: int, down: int) -> None:
    device = Device(id=new_id(), room_id=city.room.id, created_at=web.clock.now())
    test = SelfTest(
        id=new_id(), device_id=device.id, room_id=city.room.id, school_id=city.village.id, at=web.clock.now(),
        kind="silent", up_kbps=up, down_kbps=down, lacks=[], light="green", cause="", demo=False,
    )  # fmt: skip
    await web.add(device)
    await web.add(test)


async def second(web: Web, city: City) -> list[Any]:
    """Another teacher's classroom into another room of the same village school."""
    room = await web.room(city.village, "四年级1班")
    lead = await web.room(city.town, "第二录播教室", kind="lead")
    teacher = await web.person("teacher", school=city.town, name="赵老师")
    rows = city.classroom(web, "四年级美术", id="d", lead_room_id=lead.id, lead_teacher_id=teacher.id)
    rows[1].room_id = room.id
    return rows


async def test_publishing_names_the_line_and_both_lessons_and_goes_on(web: Web) -> None:
    city = await made(web)
    await web.add(*city.classroom(web, id="c"), slot("c", 4), *await second(web, city), slot("d", 4))
    await web.node()
    admin = await web.sign_in(await web.person("city_admin"))
    asked = {"term": TERM, "classrooms": []}
    plan = (await admin.post("/api/v1/timetable/plan", json=asked)).json()
    assert plan["warnings"] == [], "nobody has measured: nobody is warned by a guess"

    await measure(web, city, 900, 2000)
    plan = (await admin.post("/api/v1/timetable/plan", json=asked)).json()
    assert plan["clashes"] == []
    first = plan["warnings"][0]
    assert (first["name"], first["carries"], first["day"], first["time"]) == (
        "南里小学", 1, "2026-11-19", "10:00–10:40",
    )  # fmt: skip
    assert {first["title"], first["wanted_title"]} == {"三年级音乐", "四年级美术"}
    page = (await admin.get(f"/timetable/publish?term={TERM}")).text
    assert "线路可能带不动" in page
    assert "2.0 Mbps" in page
    done = await admin.post("/api/v1/timetable/publish", json=asked)
    assert done.status_code == 200, done.text
    assert done.json()["add"] == 8


async def test_moving_onto_a_crowded_line_is_done_and_said(web: Web) -> None:
    city = await made(web)
    other = await web.room(city.village, "四年级1班")
    lead = await web.room(city.town, "第二录播教室", kind="lead")
    teacher = await web.person("teacher", school=city.town, name="赵老师")
    held = await web.lesson(city.teacher, city.lead, city.room, title="茉莉花", starts=timedelta(days=1))
    moved = await web.lesson(teacher, lead, other, title="水墨游戏", starts=timedelta(days=2))
    await measure(web, city, 900, 2000)
    admin = await web.sign_in(await web.person("city_admin"))
    body = {"starts_at": (held.starts_at + timedelta(minutes=20)).isoformat(), "sequence": 0}
    answer = await admin.post(f"/api/v1/lessons/{moved.id}/move", json=body)
    assert answer.status_code == 200, answer.text
    (said,) = answer.json()["warnings"]
    assert "南里小学" in said and "《茉莉花》" in said
    assert "线路可能带不动" in (await admin.get(f"/lessons/{moved.id}")).text
    assert "线路可能带不动" not in (await (await web.sign_in(teacher)).get(f"/lessons/{moved.id}")).text, (
        "planners only"
    )
    body = {"starts_at": held.ends_at.isoformat(), "sequence": 1}
    assert (await admin.post(f"/api/v1/lessons/{moved.id}/move", json=body)).json()["warnings"] == []
