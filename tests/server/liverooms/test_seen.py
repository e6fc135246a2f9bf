"""Live rooms' lines: drawn from what nodes tell, for those who look after them, and of nobody else's rooms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest

from server.lessons.models import Lesson, Placement
from server.liverooms.spark import HEIGHT, WIDTH, spark
from server.schools.models import School
from tests.support.web import Web


def row(at_ms: int, **more: Any) -> dict[str, Any]:
    return {
        "at_ms": at_ms,
        "rtt_ms": 30.0,
        "loss": 0.0,
        "jitter_ms": 3.0,
        "estimate": 2_000_000,
        "gets": "high",
        **more,
    }


PEER = {"role": "class", "school": "南里小学", "room": "r", "here": True, "paths": ["udp"], "sends": ["mic"]}
TOLD = {
    "every_ms": 5000,
    "peers": [
        {**PEER, "seat": "r-1", "name": "三年级1班", "rows": [row(0), row(5000, freezes=2, loss=0.12, gets="low")]},
        {
            **PEER,
            "seat": "w-1",
            "role": "watch",
            "name": "<b>张</b>",
            "rows": [row(0, rtt_ms=None, estimate=None, up_loss=0.024, up_jitter_ms=8.0)],
        },
    ],
}


@dataclass
class City:
    web: Web
    lesson: Lesson
    town: School
    village: School


@pytest.fixture
async def city(web: Web) -> City:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    teacher = await web.person("teacher", school=town)
    lead, room = await web.room(town, "录播教室", kind="lead"), await web.room(village)
    lesson = await web.lesson(teacher, lead, room)
    await web.node()
    entering = await web.sign_in(teacher)
    assert (await entering.post(f"/api/v1/lessons/{lesson.id}/seat", json={"role": "teacher"})).status_code == 200
    answer = web.nodes.answer

    def told(request: httpx2.Request) -> httpx2.Response:
        if not request.url.path.endswith("/seen") or request.url.host in web.nodes.down:
            return answer(request)
        return httpx2.Response(200, json=TOLD)

    web.app.state.nodes._client._transport.handler = told
    return City(web, lesson, town, village)


async def test_peer_by_peer_with_history(city: City) -> None:
    page = await city.web.sign_in(await city.web.person("city_admin"))
    rooms = (await page.get("/admin/live")).text
    assert f"/admin/live/{city.lesson.id}" in rooms and "1 个端线路较差" in rooms and "12.0%" in rooms
    room = (await page.get(f"/admin/live/{city.lesson.id}")).text
    assert "丢包 2.4% · 抖动 8 ms" in room and room.count("丢包 ") == 1
    assert room.count("<polyline") >= 6 and "流畅" in room and "2.0 Mbit/s" in room
    assert "<b>张</b>" not in room and "&lt;b&gt;" in room
    assert "换服务器" in room
    told = (await page.get("/api/v1/liverooms")).json()
    assert [(one["lesson"], len(one["peers"])) for one in told] == [(city.lesson.id, 2)]


async def test_a_camera_that_fails_is_said_with_what_to_do(city: City) -> None:
    page = await city.web.sign_in(await city.web.person("city_admin"))
    assert "摄像机取不到" not in (await page.get("/admin/live")).text
    receiving = city.lesson.receipts[0].room_id
    for told, sentence in (("codec", "改成 H.264"), ("password", "用户名或密码"), ("of a newer node", "连不上设备")):
        TOLD["sources"] = {city.lesson.lead_room_id: "sending", receiving: told}
        assert "摄像机取不到" in (await page.get("/admin/live")).text
        room = (await page.get(f"/admin/live/{city.lesson.id}")).text
        assert sentence in room and "南里小学 三年级1班的摄像机" in room and "一切正常" not in room
    del TOLD["sources"]


async def test_a_node_that_is_silent_leaves_the_page(city: City) -> None:
    city.web.nodes.down.add("n1")
    page = await city.web.sign_in(await city.web.person("city_admin"))
    assert "服务器未响应" in (await page.get("/admin/live")).text
    assert "没有响应" in (await page.get(f"/admin/live/{city.lesson.id}")).text


async def test_who_sees_what(city: City) -> None:
    web = city.web
    far = await web.school(await web.district("120114"), "远方小学")
    receiving = await web.sign_in(await web.person("school_admin", of_school=city.village))
    assert (await receiving.get(f"/admin/live/{city.lesson.id}")).status_code == 200
    assert "换服务器" not in (await receiving.get(f"/admin/live/{city.lesson.id}")).text
    assert city.lesson.id in (await receiving.get("/admin/live")).text
    stranger = await web.sign_in(await web.person("school_admin", of_school=far))
    assert city.lesson.id not in (await stranger.get("/admin/live")).text
    assert (await stranger.get(f"/admin/live/{city.lesson.id}")).status_code in (403, 404)
    assert (await stranger.get("/api/v1/liverooms")).json() == []
    pupil = await web.sign_in(await web.person("pupil", school=city.village))
    assert (await pupil.get("/admin/live")).status_code == 403
    assert (await receiving.post(f"/admin/live/{city.lesson.id}/move", data={"to": ""})).status_code == 403


def test_a_spark_line_stays_in_its_box_and_keeps_holes() -> None:
    line = spark([None, 0.0, 5.0, None, 2.5])
    assert len(line.parts) == 2 and line.top == 5.0
    points = [tuple(map(float, point.split(","))) for part in line.parts for point in part.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert spark([]).parts == () and spark([None]).last is None
    assert spark([0.0, 0.0]).top == 0.0


async def test_more_rooms_than_a_page_holds_are_on_the_next(city: City) -> None:
    """Nodes are asked for the page's rooms only; a page past the end is the last one."""
    web, room = city.web, await city.web.room(city.village, "多")
    teacher = await web.person("teacher", school=city.town)
    lead = await web.room(city.town, "另一间", kind="lead")
    for number in range(21):
        lesson = await web.lesson(teacher, lead, room, title=f"第{number:02d}节", state="waiting")
        await web.add(Placement(lesson_id=lesson.id, epoch=1, node_id="n1", placed_at=web.clock.now()))
    admin = await web.sign_in(await web.person("city_admin"))
    first, second = (await admin.get("/admin/live")).text, (await admin.get("/admin/live?page=2")).text
    third = (await admin.get("/admin/live?page=9")).text
    shown = [set(re.findall(r'href="/admin/live/([a-z0-9]+)"', text)) for text in (first, second, third)]
    assert [len(one) for one in shown] == [20, 2, 2] and not shown[0] & shown[1]
    assert "?page=2" in first and shown[1] == shown[2]
    told = await admin.get("/api/v1/liverooms?page=2&size=20")
    assert len(told.json()) == 2 and told.headers["x-total-count"] == "22"
    assert len((await admin.get("/api/v1/liverooms")).json()) == 22
