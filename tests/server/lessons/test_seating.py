"""Seats: each role by its own rule, in its own time; where rooms are placed and when they move."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Person
from server.audit.models import AuditEntry
from server.ids import new_id
from server.lessons.models import Lesson, Placement
from server.schools.models import Device, Room
from server.selftests.models import SelfTest
from signaling.seats import admit, read_ticket
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow


@dataclass
class City:
    lesson: Lesson
    teacher: Person
    assistant: Person
    lead: Room
    village: Room


@pytest.fixture
async def city(web: Web) -> City:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    lead = await web.room(town, "录播教室", kind="lead")
    room = await web.room(village)
    teacher = await web.person("teacher", school=town)
    assistant = await web.person("assistant", school=village, name="李老师")
    lesson = await web.lesson(teacher, lead, room, assistant=assistant)
    await web.node()
    return City(lesson, teacher, assistant, lead, room)


async def ask(browser: Browser, lesson: Lesson, role: str, unreachable: int | None = None) -> Any:
    return await browser.post(f"/api/v1/lessons/{lesson.id}/seat", json={"role": role, "unreachable": unreachable})


async def test_the_teacher_gets_a_seat_the_node_admits(web: Web, city: City) -> None:
    answer = await ask(await web.sign_in(city.teacher), city.lesson, "teacher")
    assert answer.status_code == 200, answer.text
    grant = answer.json()
    assert grant["ws"] == "ws://class.test:8001/ws"
    assert grant["iceServers"] == [], "this site has no relay"
    assert grant["whip"] == f"http://class.test:8001/whip/{city.lesson.id}"
    keys = [web.app.state.keys.seat.public_key()]
    seat = admit(grant["token"], keys, lesson=city.lesson.id, epoch=1, now=web.clock.now().timestamp())
    assert (seat.id, seat.role, seat.room, seat.node) == (f"t-{city.teacher.id}", "teacher", city.lead.id, "n1")


async def test_the_node_is_told_of_the_room_first(web: Web, city: City) -> None:
    await ask(await web.sign_in(city.teacher), city.lesson, "teacher")
    [(method, path, spec)] = web.nodes.calls
    assert (method, path) == ("PUT", f"n1/rooms/{city.lesson.id}")
    assert spec["epoch"] == 1
    assert [(room["seat"], room["lead"]) for room in spec["rooms"]] == [
        (f"t-{city.teacher.id}", True),
        (f"r-{city.village.id}", False),
    ]


async def test_roles_and_who_may_have_them(web: Web, city: City) -> None:
    kiosk = await web.device(city.village)
    other_kiosk = await web.device(await web.room(await web.school(await web.district("120114")), "别处"))
    teacher, assistant = await web.sign_in(city.teacher), await web.sign_in(city.assistant)
    inspector = await web.sign_in(await web.person("inspector", name="张教研员"))
    pupil = await web.sign_in(await web.person("pupil", school=city.village.school))
    given = {
        (who, role): (await ask(browser, city.lesson, role)).status_code
        for who, browser in {
            "kiosk": kiosk,
            "other kiosk": other_kiosk,
            "teacher": teacher,
            "assistant": assistant,
            "inspector": inspector,
            "pupil": pupil,
            "stranger": web.browser(),
        }.items()
        for role in ("teacher", "class", "assistant", "watch", "inspector")
    }
    assert {pair for pair, status in given.items() if status == 200} == {
        ("kiosk", "class"),
        ("teacher", "teacher"),
        ("teacher", "watch"),
        ("inspector", "watch"),
        ("inspector", "inspector"),
    }
    assert {status for (who, _), status in given.items() if who == "other kiosk"} == {404}
    assert {status for (who, _), status in given.items() if who == "stranger"} == {401}


async def test_a_classroom_brings_what_its_schools_line_was_measured_to_carry(web: Web, city: City) -> None:
    """So that its first seconds are no flood; the median, and nobody else's seat says it."""
    kiosk, teacher = await web.device(city.village), await web.sign_in(city.teacher)
    said = [await _line(web, city, kiosk)]
    device = Device(id=new_id(), room_id=city.village.id, created_at=web.clock.now(), revoked_at=web.clock.now())
    await web.add(device, *(self_test(device, city.village, down, web.clock.now()) for down in (90, 5000, 110)))
    said += [await _line(web, city, kiosk), await _line(web, city, teacher, "teacher")]
    assert said == [None, 110, None]


async def _line(web: Web, city: City, browser: Browser, role: str = "class") -> int | None:
    grant = (await ask(browser, city.lesson, role)).json()
    keys = [web.app.state.keys.seat.public_key()]
    now = web.clock.now().timestamp()
    return admit(grant["token"], keys, lesson=city.lesson.id, epoch=1, now=now).line_kbit


def self_test(device: Device, room: Room, down: int, at: datetime) -> SelfTest:
    return SelfTest(
        id=new_id(), device_id=device.id, room_id=room.id, school_id=room.school_id, at=at,
        kind="silent", up_kbps=500, down_kbps=down, lacks=[], light="green", cause="", demo=False,
    )  # fmt: skip


async def test_who_looks_on_stands_in_the_audit_log(web: Web, city: City) -> None:
    inspector = await web.sign_in(await web.person("inspector", name="张教研员"))
    await ask(await web.sign_in(city.teacher), city.lesson, "teacher")
    for role in ("watch", "inspector"):
        assert (await ask(inspector, city.lesson, role)).status_code == 200
    async with web.database.reading() as session:
        rows = list(await session.scalars(select(AuditEntry).where(AuditEntry.kind == "live")))
    assert {(one.act, one.row_id, one.told["role"], one.school_id) for one in rows} == {
        ("view", city.lesson.id, role, city.lead.school_id) for role in ("watch", "inspector")
    }


async def test_a_line_that_comes_back_is_the_same_look(web: Web, city: City) -> None:
    async def looks() -> int:
        async with web.database.reading() as session:
            rows = await session.scalars(select(AuditEntry.told).where(AuditEntry.kind == "live"))
            return len(list(rows))

    inspectors = [await web.sign_in(await web.person("inspector")) for _ in range(2)]
    for _ in range(3):
        for browser in inspectors:
            assert (await ask(browser, city.lesson, "inspector")).status_code == 200
    assert await looks() == 2, "one each"
    assert (await ask(inspectors[0], city.lesson, "watch")).status_code == 200
    assert await looks() == 3, "looked at otherwise"
    async with web.transaction() as session:
        (await session.get_one(Lesson, city.lesson.id)).ends_at += timedelta(hours=2)
    web.clock.moment += timedelta(minutes=61)
    assert (await ask(inspectors[1], city.lesson, "inspector")).status_code == 200
    assert await looks() == 4, "an hour later"


async def test_an_unknown_role_is_refused(web: Web, city: City) -> None:
    assert (await ask(await web.sign_in(city.teacher), city.lesson, "king")).status_code == 422


async def test_too_early_can_be_waited_for_and_too_late_cannot(web: Web, city: City) -> None:
    teacher = await web.sign_in(city.teacher)
    web.clock.moment = city.lesson.starts_at - timedelta(minutes=31)
    answer = await ask(teacher, city.lesson, "teacher")
    assert (answer.status_code, answer.json()["error"]["key"]) == (425, "lesson_not_today")
    web.clock.moment = city.lesson.ends_at + timedelta(hours=3)
    answer = await ask(teacher, city.lesson, "teacher")
    assert (answer.status_code, answer.json()["error"]["key"]) == (409, "lesson_over")


async def test_no_node_is_said_and_can_be_waited_for(web: Web, city: City) -> None:
    web.clock.moment += timedelta(seconds=20)
    answer = await ask(await web.sign_in(city.teacher), city.lesson, "teacher")
    assert (answer.status_code, answer.json()["error"]["key"]) == (503, "no_node")


async def test_the_least_loaded_node_takes_the_room_and_keeps_it(web: Web, city: City) -> None:
    await web.node("n1", load=0.9)
    await web.node("n2", load=0.2)
    teacher = await web.sign_in(city.teacher)
    assert (await ask(teacher, city.lesson, "teacher")).json()["ws"] == "wss://class.test/n/n2/ws"
    await web.node("n2", load=0.95)
    await web.node("n1", load=0.0)
    assert (await ask(teacher, city.lesson, "teacher")).json()["ws"] == "wss://class.test/n/n2/ws"


async def test_a_node_dead_at_the_first_placement_is_passed_over(web: Web, city: City) -> None:
    await web.node("n1", load=0.1)
    await web.node("n2", load=0.2)
    web.nodes.down.add("n1")
    grant = (await ask(await web.sign_in(city.teacher), city.lesson, "teacher")).json()
    assert grant["ws"].endswith("/n/n2/ws")
    assert grant["epoch"] == 2


@pytest.mark.parametrize(
    ("web_up", "silent", "reported", "moves"),
    [(40, 12, 1, True), (20, 12, 1, False), (40, 8, 1, False), (40, 12, None, False), (40, 12, 0, False)],
)
async def test_a_room_moves_only_when_all_three_witnesses_agree(
    web: Web, city: City, web_up: int, silent: int, reported: int | None, moves: bool
) -> None:
    teacher = await web.sign_in(city.teacher)
    await ask(teacher, city.lesson, "teacher")
    web.clock.moment += timedelta(seconds=web_up - silent)
    await web.node("n1")
    web.clock.moment += timedelta(seconds=silent)
    await web.node("n2")
    web.nodes.down.add("n1")
    grant = (await ask(teacher, city.lesson, "teacher", reported)).json()
    assert (grant["epoch"], grant["ws"].endswith("n2/ws")) == ((2, True) if moves else (1, False))


async def test_a_node_that_holds_a_newer_epoch_refuses(web: Web, city: City) -> None:
    web.nodes.refuses.add("n1")
    answer = await ask(await web.sign_in(city.teacher), city.lesson, "teacher")
    assert (answer.status_code, answer.json()["error"]["key"]) == (503, "node_refused")


async def test_heartbeats_tell_a_node_which_rooms_moved_and_close_cancelled_ones(web: Web, city: City) -> None:
    await ask(await web.sign_in(city.teacher), city.lesson, "teacher")
    async with web.transaction() as session:
        row = await session.get_one(Placement, city.lesson.id)
        row.epoch = 3
    room = {"lesson": city.lesson.id, "epoch": 1, "phase": "live", "people": 1, "saved_ms": 0, "stalled": False}
    beat = {
        "node": "n1",
        "started_at_ms": 1,
        "public_url": "ws://{host}:8001",
        "control_url": "http://n1",
        "load": 0.1,
        "engine": "python",
        "rooms": [room],
        "spool_bytes": 0,
        "disk_free_bytes": 1,
    }
    headers = {"authorization": "Bearer a-secret-for-nodes-of-tests"}
    answer = await web.browser().post("/internal/nodes/n1/heartbeat", json=beat, headers=headers)
    assert answer.json() == {"epochs": {city.lesson.id: 3}}
    async with web.transaction() as session:
        (await session.get_one(Lesson, city.lesson.id)).state = "cancelled"
    await web.browser().post("/internal/nodes/n1/heartbeat", json=beat, headers=headers)
    assert web.nodes.calls[-1] == ("DELETE", f"n1/rooms/{city.lesson.id}", {"epoch": 1, "reason": "cancelled"})


async def test_nodes_must_show_the_secret(web: Web) -> None:
    assert (await web.node(secret="guess")).status_code == 403
    assert (await web.browser().post("/internal/facts", json={"facts": []})).status_code == 403


async def test_facts_are_stored_once_move_the_lesson_and_one_bad_fact_holds_nobody_up(web: Web, city: City) -> None:
    def fact(number: int, kind: str) -> dict[str, Any]:
        at = int(web.clock.now().timestamp() * 1000) + number * 1000
        return {
            "id": f"{city.lesson.id}:1:{number}",
            "kind": kind,
            "lesson": city.lesson.id,
            "epoch": 1,
            "room_ms": number * 1000,
            "at_ms": at,
            "data": {},
        }

    headers = {"authorization": "Bearer a-secret-for-nodes-of-tests"}
    batch = [fact(1, "LessonOpened"), {"id": "x"}, fact(2, "LessonClosed")]
    for _ in range(2):
        answer = await web.browser().post("/internal/facts", json={"facts": batch}, headers=headers)
        assert answer.json() == {"stored": [f"{city.lesson.id}:1:1", f"{city.lesson.id}:1:2"], "refused": ["x"]}
    async with web.database.reading() as session:
        lesson = await session.get_one(Lesson, city.lesson.id)
    assert lesson.state == "closed"
    assert lesson.opened_at is not None and lesson.closed_at is not None
    answer = await web.browser().post("/internal/facts", json={"facts": [fact(3, "LessonReopened")]}, headers=headers)
    async with web.database.reading() as session:
        lesson = await session.get_one(Lesson, city.lesson.id)
    assert (lesson.state, lesson.closed_at) == ("live", None)


async def test_encoders_find_the_node_by_the_web_s_address(web: Web, city: City) -> None:
    await ask(await web.sign_in(city.teacher), city.lesson, "teacher")
    for door in ("whip", "whep"):
        path = f"/{door}/{city.lesson.id}"
        answer = await web.browser().post(path, content=b"v=0", headers={"authorization": "Bearer seat"})
        where, _, ticket = answer.headers["location"].partition("?ticket=")
        assert (answer.status_code, where) == (307, f"http://class.test:8001{path}")
        now = web.clock.now().timestamp()
        held = read_ticket(ticket, web.app.state.keys.seat.public_key(), lesson=city.lesson.id, now=now)
        assert held.seat is None and held.sha256 == hashlib.sha256(b"seat").hexdigest()
        assert (await web.browser().post(path, content=b"v=0")).status_code == 401
    answer = await web.browser().post("/whip/nothing", headers={"authorization": "Bearer seat"})
    assert answer.status_code == 404
