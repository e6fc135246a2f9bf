"""Kiosks: bound once by a code, then the right lesson by itself; companions by the code on the room's screen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from server.accounts.models import Person
from server.lessons.models import Lesson
from server.schools.models import Room, School
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow


@dataclass
class City:
    village: School
    lead: Room
    room: Room
    teacher: Person
    lesson: Lesson


@pytest.fixture
async def city(web: Web) -> City:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    lead, room = await web.room(town, "录播教室", kind="lead"), await web.room(village)
    teacher = await web.person("teacher", school=town)
    return City(village, lead, room, teacher, await web.lesson(teacher, lead, room))


async def state(browser: Browser) -> dict[str, Any]:
    answer = await browser.get("/api/v1/kiosk")
    assert answer.status_code == 200, answer.text
    held: dict[str, Any] = answer.json()
    return held


async def test_a_device_is_bound_once_by_its_code_and_stays_so(web: Web, city: City) -> None:
    kiosk = web.browser()
    assert (await kiosk.get("/api/v1/kiosk")).status_code == 401
    assert (await kiosk.get("/kiosk")).status_code == 200
    waiting = await state(kiosk)
    assert (waiting["bound"], waiting["room"]) == (False, None)
    assert (await state(kiosk))["code"] == waiting["code"], "the screen does not flicker"
    admin = await web.sign_in(await web.person("school_admin", of_school=city.village))
    answer = await admin.post("/api/v1/devices/bind", json={"code": waiting["code"], "room": city.room.id})
    assert answer.json()["school"] == "南里小学"
    bound = await state(kiosk)
    assert (bound["bound"], bound["room"]["id"]) == (True, city.room.id)
    token = kiosk.cookies["tongtang-device"]
    await kiosk.get("/kiosk")
    assert kiosk.cookies["tongtang-device"] == token, "a restart keeps the device"


async def test_a_code_runs_out_and_another_takes_its_place(web: Web, city: City) -> None:
    kiosk = web.browser()
    await kiosk.get("/kiosk")
    old = (await state(kiosk))["code"]
    web.clock.moment += timedelta(minutes=11)
    assert (await state(kiosk))["code"] != old
    admin = await web.sign_in(await web.person("city_admin"))
    answer = await admin.post("/api/v1/devices/bind", json={"code": old, "room": city.room.id})
    assert answer.json()["error"]["key"] == "device_code"


async def test_binding_is_for_administrators_of_that_room(web: Web, city: City) -> None:
    kiosk = web.browser()
    await kiosk.get("/kiosk")
    body = {"code": (await state(kiosk))["code"], "room": city.room.id}
    elsewhere = await web.school(await web.district("120114"), "别处小学")
    for person, status in (
        (city.teacher, 403),
        (await web.person("school_admin", of_school=elsewhere), 404),
        (await web.person("evaluator"), 403),
    ):
        assert (await (await web.sign_in(person)).post("/api/v1/devices/bind", json=body)).status_code == status
    assert (await state(kiosk))["bound"] is False


async def test_codes_cannot_be_guessed_at_leisure(web: Web, city: City) -> None:
    admin = await web.sign_in(await web.person("city_admin"))
    body = {"code": "000000", "room": city.room.id}
    statuses = [(await admin.post("/api/v1/devices/bind", json=body)).status_code for _ in range(21)]
    assert statuses == [422] * 20 + [429]


async def test_the_lesson_takes_the_screen_two_minutes_before_the_bell(web: Web, city: City) -> None:
    kiosk = await web.device(city.room)
    web.clock.moment = city.lesson.starts_at - timedelta(seconds=121)
    before = await state(kiosk)
    assert (before["lesson"], before["next"]["id"]) == (None, city.lesson.id)
    web.clock.moment += timedelta(seconds=1)
    there = await state(kiosk)
    assert (there["lesson"]["id"], there["lesson"]["role"], there["next"]) == (city.lesson.id, "class", None)


async def test_after_the_close_the_screen_waits_for_the_undo_and_then_goes_on(web: Web, city: City) -> None:
    kiosk = await web.device(city.room)
    web.clock.moment = city.lesson.starts_at + timedelta(minutes=40)
    async with web.transaction() as session:
        row = await session.get_one(Lesson, city.lesson.id)
        row.state, row.closed_at = "closed", web.clock.now()
    assert (await state(kiosk))["lesson"]["id"] == city.lesson.id
    web.clock.moment += timedelta(minutes=5)
    assert (await state(kiosk))["lesson"] is None


async def test_the_next_lesson_wins_over_one_that_was_never_opened(web: Web, city: City) -> None:
    start = city.lesson.ends_at - web.clock.now()
    following = await web.lesson(city.teacher, city.lead, city.room, starts=start, title="下一节")
    kiosk = await web.device(city.room)
    web.clock.moment = following.starts_at - timedelta(minutes=1)
    assert (await state(kiosk))["lesson"]["id"] == following.id
    async with web.transaction() as session:
        (await session.get_one(Lesson, city.lesson.id)).state = "live"
    assert (await state(kiosk))["lesson"]["id"] == city.lesson.id, "a lesson in overtime keeps its screen"


async def test_a_lesson_opened_early_has_the_screen_unless_another_still_runs(web: Web, city: City) -> None:
    gap = city.lesson.ends_at + timedelta(minutes=10) - web.clock.now()
    following = await web.lesson(city.teacher, city.lead, city.room, starts=gap, title="下一节")
    kiosk = await web.device(city.room)
    web.clock.moment = city.lesson.ends_at
    async with web.transaction() as session:
        (await session.get_one(Lesson, city.lesson.id)).state = "live"
        (await session.get_one(Lesson, following.id)).state = "live"
    assert (await state(kiosk))["lesson"]["id"] == city.lesson.id
    async with web.transaction() as session:
        row = await session.get_one(Lesson, city.lesson.id)
        row.state, row.closed_at = "closed", web.clock.now()
    assert (await state(kiosk))["lesson"]["id"] == following.id


async def test_a_cancelled_lesson_leaves_the_screen(web: Web, city: City) -> None:
    async with web.transaction() as session:
        (await session.get_one(Lesson, city.lesson.id)).state = "cancelled"
    web.clock.moment = city.lesson.starts_at
    shown = await state(await web.device(city.room))
    assert (shown["lesson"], shown["next"], shown["signin_code"]) == (None, None, None)


async def test_the_code_on_the_screen_makes_a_phone_the_room_s_companion(web: Web, city: City) -> None:
    await web.node()
    kiosk, phone = await web.device(city.room), web.browser()
    shown = await state(kiosk)
    assert shown["signin_url"] == f"http://class.test/companion/{city.lesson.id}"
    assert (await phone.get(f"/companion/{city.lesson.id}")).status_code == 200
    answer = await phone.post(f"/api/v1/lessons/{city.lesson.id}/companion", json={"code": shown["signin_code"]})
    assert answer.json()["room"] == city.room.id
    seat = await phone.post(f"/api/v1/lessons/{city.lesson.id}/seat", json={"role": "assistant"})
    assert seat.json()["seat"] == f"a-{city.room.id}"
    for role in ("class", "teacher", "watch", "inspector"):
        refused = await phone.post(f"/api/v1/lessons/{city.lesson.id}/seat", json={"role": role})
        assert refused.status_code == 403, role
    other = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(hours=2))
    refused = await phone.post(f"/api/v1/lessons/{other.id}/seat", json={"role": "assistant"})
    assert refused.status_code == 404, "a companion of one lesson knows no other"


async def test_the_assistant_of_the_plan_is_not_present_before_the_code_was_shown(web: Web, city: City) -> None:
    await web.node()
    async with web.transaction() as session:
        named = await web.person("assistant", school=city.room.school)
        lesson = await session.get_one(Lesson, city.lesson.id)
        lesson.receipts[0].assistant_id = named.id
    phone = await web.sign_in(named)
    seat = f"/api/v1/lessons/{city.lesson.id}/seat"
    assert (await phone.post(seat, json={"role": "assistant"})).status_code == 403
    code = (await state(await web.device(city.room)))["signin_code"]
    await phone.post(f"/api/v1/lessons/{city.lesson.id}/companion", json={"code": code})
    assert (await phone.post(seat, json={"role": "assistant"})).json()["seat"] == f"a-{city.room.id}"


@pytest.mark.parametrize(("late", "status"), [(0, 200), (61, 200), (121, 422)])
async def test_a_code_holds_for_its_minute_and_the_next(web: Web, city: City, late: int, status: int) -> None:
    code = (await state(await web.device(city.room)))["signin_code"]
    web.clock.moment += timedelta(seconds=late)
    answer = await web.browser().post(f"/api/v1/lessons/{city.lesson.id}/companion", json={"code": code})
    assert answer.status_code == status


async def test_another_room_s_or_lesson_s_code_is_no_good_and_guesses_are_counted(web: Web, city: City) -> None:
    other = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(hours=2))
    web.clock.moment = other.starts_at - timedelta(minutes=1)
    code = (await state(await web.device(city.room)))["signin_code"]
    path = f"/api/v1/lessons/{city.lesson.id}/companion"
    web.clock.moment = city.lesson.starts_at
    statuses = [(await web.browser().post(path, json={"code": code})).status_code for _ in range(11)]
    assert statuses == [422] * 10 + [429]


async def test_signing_in_is_open_from_half_an_hour_before_the_bell(web: Web, city: City) -> None:
    web.clock.moment = city.lesson.starts_at - timedelta(minutes=31)
    path = f"/api/v1/lessons/{city.lesson.id}/companion"
    assert (await state(await web.device(city.room)))["signin_code"] is None
    answer = await web.browser().post(path, json={"code": "123456"})
    assert (answer.status_code, answer.json()["error"]["key"]) == (409, "companion_closed")
    assert (await web.browser().post(path, json={"code": "12345"})).status_code == 422


async def test_the_qr_code_is_a_picture_without_styles(web: Web, city: City) -> None:
    kiosk = await web.device(city.room)
    shown = await state(kiosk)
    picture = await kiosk.get(shown["signin_qr"])
    assert picture.headers["content-type"].startswith("image/svg+xml")
    assert "style" not in picture.text and picture.text.startswith("<svg")
    assert (await web.browser().get(shown["signin_qr"])).status_code == 401


async def test_a_lead_room_s_screen_knows_that_it_is_one(web: Web, city: City) -> None:
    web.clock.moment = city.lesson.starts_at
    shown = await state(await web.device(city.lead))
    assert (shown["lesson"]["role"], shown["signin_code"]) == ("lead", None)


async def test_screens_and_phones_of_a_demo_city_say_so(web: Web, city: City) -> None:
    teacher, kiosk = await web.sign_in(city.teacher), await web.device(city.room)
    live, companion = f"/live/{city.lesson.id}", f"/companion/{city.lesson.id}"
    pages = [(teacher, f"{live}/teach"), (teacher, f"{live}/watch"), (kiosk, f"{live}/class"), (kiosk, "/kiosk")]
    pages.append((web.browser(), companion))
    mark = '<span class="badge demo">演示</span>'
    assert [mark in (await browser.get(path)).text for browser, path in pages] == [False] * len(pages)
    web.app.state.demo = True
    assert [mark in (await browser.get(path)).text for browser, path in pages] == [True] * len(pages)
