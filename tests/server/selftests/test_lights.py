"""From a screen's results to the lights of the board and the desk: who tests, who looks, who must be rung up."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Person
from server.clock import CITY
from server.lessons.models import Lesson
from server.schools.models import Device, Room, School
from server.scope import SYSTEM
from server.selftests import board, store
from server.selftests.models import SelfTest
from server.selftests.service import KEPT
from tests.support.web import Browser, Web

GOOD: dict[str, Any] = {
    "kind": "loud", "camera": "good", "microphone": "good", "loudspeaker": "heard", "path": "all_good", "rtt_ms": 30,
    "up_kbps": 900, "down_kbps": 2000, "clock_ms": -200, "disk_mb": 9000, "chromium": 109, "lacks": ["wakelock"],
}  # fmt: skip


@dataclass
class Place:
    web: Web
    village: School
    room: Room
    lesson: Lesson
    teacher: Person
    screen: Browser

    async def test(self, **found: Any) -> dict[str, Any]:
        answer = await self.screen.post("/api/v1/kiosk/selftest", json={**GOOD, **found})
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def later(self, seconds: float) -> None:
        self.web.clock.moment += timedelta(seconds=seconds)

    async def board(self, browser: Browser, query: str = "") -> list[dict[str, Any]]:
        answer = await browser.get(f"/api/v1/lights{query}")
        assert answer.status_code == 200, answer.text
        return list(answer.json())


@pytest.fixture
async def place(web: Web) -> Place:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    async with web.transaction() as session:
        (await session.get_one(School, village.id)).phone = "022-00000001"
    lead, room = await web.room(town, "录播教室", kind="lead"), await web.room(village)
    teacher = await web.person("teacher", school=town)
    lesson = await web.lesson(teacher, lead, room, starts=timedelta(minutes=10))
    return Place(web, village, room, lesson, teacher, await web.device(room))


async def city_admin(web: Web) -> Browser:
    return await web.sign_in(await web.person("city_admin"))


async def test_a_screen_that_is_well_is_green_on_every_page(place: Place) -> None:
    light = await place.test()
    assert (light["light"], light["cause"], light["act"]) == ("green", "", "")
    (row,) = await place.board(await city_admin(place.web))
    assert [(one["school"], one["light"], one["demo"]) for one in row["lights"]] == [("南里小学", "green", False)]
    desk = (await (await place.web.sign_in(place.teacher)).get("/desk")).text
    assert 'data-light="green"' in desk
    assert "正常" in desk


async def test_a_red_light_names_one_cause_and_one_thing_to_do(place: Place) -> None:
    light = await place.test(loudspeaker="unheard", camera="dark")
    assert light["light"] == "red"
    assert light["cause"] == "听不到自己的喇叭"
    assert "再测一次" in light["act"]
    page = (await (await city_admin(place.web)).get("/admin/lights")).text
    assert "听不到自己的喇叭" in page
    assert "摄像头一片黑" not in page, "one cause, the worst"
    english = (await (await city_admin(place.web)).get("/admin/lights?lang=en")).text
    assert "It cannot hear its own loudspeaker" in english


async def test_a_room_that_is_not_switched_on_is_rung_up(place: Place) -> None:
    admin = await city_admin(place.web)
    (row,) = await place.board(admin)
    (light,) = row["lights"]
    assert (light["light"], light["phone"]) == ("off", "022-00000001")
    page = (await admin.get("/admin/lights")).text
    assert 'href="tel:022-00000001"' in page
    assert "南里小学 022-00000001" in page
    await place.test()
    assert (await place.board(admin))[0]["lights"][0]["light"] == "green"
    place.later(240)
    (light,) = (await place.board(admin))[0]["lights"]
    assert light["light"] == "off", "a green test of before says nothing of a room that is dark now"
    await place.screen.get("/api/v1/kiosk")
    assert (await place.board(admin))[0]["lights"][0]["light"] == "green"


async def test_rooms_without_a_lesson_are_on_the_board_when_they_need_a_look(place: Place) -> None:
    web, admin = place.web, await city_admin(place.web)
    idle, dark = await web.room(place.village, "三年级9班"), await web.room(place.village, "四年级9班")
    await web.room(place.village, "没有大屏的教室")
    screen = await web.device(idle)
    await web.device(dark)
    await screen.post("/api/v1/kiosk/selftest", json={**GOOD, "camera": "none", "loudspeaker": "unheard"})

    async def shown(query: str = "") -> list[tuple[str, str]]:
        page = (await admin.get(f"/admin/lights{query}")).text
        return re.findall(r'data-light="(red|off)" data-room="([a-z0-9]+)"', page.partition('id="idle"')[2])

    assert await shown() == [("red", idle.id), ("off", dark.id)]
    assert await shown("?only=bad") == [("red", idle.id)]
    assert await shown(f"?school={place.lesson.lead_room.school_id}") == []
    far = await web.sign_in(await web.person("district_admin", district=await web.district("120119", "far")))
    assert idle.id not in (await far.get("/admin/lights")).text


async def test_a_room_whose_lesson_the_board_has_no_place_for_is_none_without_a_lesson(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    web, admin = place.web, await city_admin(place.web)
    room = await web.room(place.village, "三年级9班")
    await web.device(room)
    monkeypatch.setattr(board, "MOST", 1)
    assert room.id in (await admin.get("/admin/lights")).text.partition('id="idle"')[2]
    await web.lesson(place.teacher, place.lesson.lead_room, room, starts=timedelta(hours=3))
    page = (await admin.get("/admin/lights")).text
    assert room.id not in page


async def test_the_assistants_own_number_comes_first(place: Place) -> None:
    web = place.web
    aide = await web.person("assistant", school=place.village, name="李助教")
    async with web.transaction() as session:
        (await session.get_one(Person, aide.id)).phone = "13800000000"
        (await session.get_one(Lesson, place.lesson.id)).receipts[0].assistant_id = aide.id
    (light,) = (await place.board(await city_admin(web)))[0]["lights"]
    assert light["phone"] == "13800000000"
    assert "李助教" in light["act"]


async def test_without_a_screen_the_room_is_grey(place: Place) -> None:
    async with place.web.transaction() as session:
        for device in await session.scalars(select(Device)):
            device.revoked_at = place.web.clock.now()
    (light,) = (await place.board(await city_admin(place.web)))[0]["lights"]
    assert (light["light"], light["cause"]) == ("grey", "这间教室没有绑定大屏")


async def test_the_screen_that_was_seen_last_speaks_for_its_room(place: Place) -> None:
    await place.test(loudspeaker="unheard")
    place.later(60)
    second = await place.web.device(place.room)
    await second.post("/api/v1/kiosk/selftest", json=GOOD)
    assert (await place.board(await city_admin(place.web)))[0]["lights"][0]["light"] == "green"


async def test_yesterdays_test_is_no_light(place: Place) -> None:
    await place.test()
    place.later(86400)
    await place.screen.get("/api/v1/kiosk")
    plan = (await place.screen.get("/api/v1/kiosk/selftest")).json()
    assert plan["light"]["light"] == "grey"


async def test_history_says_which_screen_found_what_when(place: Place) -> None:
    await place.test()
    place.later(600)
    await place.test(kind="silent", camera=None, microphone=None, loudspeaker=None, path="tcp_only")
    admin = await city_admin(place.web)
    page = (await admin.get(f"/admin/lights/rooms/{place.room.id}")).text
    assert page.count("<tr>") == 3
    assert "只有 TCP" in page
    assert "听到" in page
    async with place.web.database.reading() as session:
        rows = list(await session.scalars(select(SelfTest).order_by(SelfTest.at)))
    assert [(row.kind, row.light, row.cause) for row in rows] == [
        ("loud", "green", ""),
        ("silent", "yellow", "path_tcp"),
    ]
    assert len({row.device_id for row in rows}) == 1


async def test_old_tests_are_swept(place: Place) -> None:
    await place.test()
    async with place.web.transaction() as session:
        await store.forget(session, SYSTEM, place.web.clock.now() + timedelta(seconds=1) - KEPT)
    async with place.web.database.reading() as session:
        assert len(list(await session.scalars(select(SelfTest)))) == 1
    place.later(KEPT.total_seconds() + 2)
    async with place.web.transaction() as session:
        await store.forget(session, SYSTEM, place.web.clock.now() - KEPT)
        assert list(await session.scalars(select(SelfTest))) == []


# --- what a screen is told --------------------------------------------------------------------------------------------


async def test_a_lesson_near_makes_a_silent_test_due_once(place: Place) -> None:
    place.web.clock.moment = datetime(2026, 11, 16, 8, 55, tzinfo=CITY)  # in a period: no chirp
    async with place.web.transaction() as session:
        held = await session.get_one(Lesson, place.lesson.id)
        held.starts_at, held.ends_at = place.web.clock.now() + timedelta(minutes=5), held.ends_at
    plan = (await place.screen.get("/api/v1/kiosk/selftest")).json()
    assert plan["due"] == {"kind": "silent", "lesson": place.lesson.id}
    assert plan["measure"] is True
    await place.test(kind="silent", lesson=place.lesson.id)
    assert (await place.screen.get("/api/v1/kiosk/selftest")).json()["due"] is None


async def test_the_line_is_left_alone_while_a_lesson_runs_at_the_school(place: Place) -> None:
    other = await place.web.room(place.village, "四年级1班")
    await place.web.lesson(place.teacher, place.lesson.lead_room, other, state="live", starts=timedelta(minutes=-5))
    assert (await place.screen.get("/api/v1/kiosk/selftest")).json()["measure"] is False


async def test_the_morning_is_for_chirps_on_school_days(place: Place) -> None:
    place.web.clock.moment = datetime(2026, 11, 17, 7, 40, tzinfo=CITY)
    assert (await place.screen.get("/api/v1/kiosk/selftest")).json()["due"] == {"kind": "loud", "lesson": None}
    place.web.clock.moment = datetime(2026, 11, 21, 7, 40, tzinfo=CITY)
    assert (await place.screen.get("/api/v1/kiosk/selftest")).json()["due"] is None, "a Saturday"


async def test_a_foreign_lesson_is_not_written_down(place: Place) -> None:
    await place.test(lesson="somebody-elses")
    async with place.web.database.reading() as session:
        assert (await session.scalars(select(SelfTest.lesson_id))).one() is None


# --- bounds and rights ------------------------------------------------------------------------------------------------


WRONG: tuple[dict[str, Any], ...] = (
    {"camera": "fine"},
    {"up_kbps": -1},
    {"down_kbps": 10_000_001},
    {"clock_ms": 10**9 + 1},
    {"lacks": ["webrtc"] * 4},
    {"lesson": "x" * 25},
    {"more": 1},
    {"kind": "shouted"},
)


async def test_every_figure_has_a_bound(place: Place) -> None:
    for wrong in WRONG:
        answer = await place.screen.post("/api/v1/kiosk/selftest", json={**GOOD, **wrong})
        assert answer.status_code == 422, wrong
        assert answer.json()["error"]["message"]


async def test_results_have_a_rate(place: Place) -> None:
    codes: list[int] = []
    while 429 not in codes and len(codes) < 90:  # on a busy machine some of it comes back meanwhile
        codes.append((await place.screen.post("/api/v1/kiosk/selftest", json=GOOD)).status_code)
    assert codes[:60] == [201] * 60
    assert codes[-1] == 429


async def test_the_measure_counts_and_forgets(place: Place) -> None:
    answer = await place.screen.post("/api/v1/kiosk/selftest/up", content=b"x" * 100_000)
    assert answer.json() == {"bytes": 100_000}
    assert (await place.screen.post("/api/v1/kiosk/selftest/up", content=b"x" * 1_000_001)).status_code == 413
    assert len((await place.screen.get("/api/v1/kiosk/selftest/down?size=70000")).content) == 70_000
    assert (await place.screen.get("/api/v1/kiosk/selftest/down?size=99999999")).status_code == 422


async def test_only_a_bound_screen_tests_itself(place: Place) -> None:
    web = place.web
    teacher = await web.sign_in(place.teacher)
    assert (await teacher.post("/api/v1/kiosk/selftest", json=GOOD)).status_code == 403
    assert (await teacher.get("/api/v1/kiosk/selftest")).status_code == 403
    assert (await teacher.post("/api/v1/kiosk/selftest/up", content=b"x")).status_code == 403
    assert (await teacher.get("/api/v1/kiosk/selftest/down")).status_code == 403
    assert (await web.browser().post("/api/v1/kiosk/selftest", json=GOOD)).status_code == 401
    unbound = web.browser()
    await unbound.get("/kiosk")
    assert (await unbound.get("/api/v1/kiosk/selftest")).status_code == 404


async def test_the_board_shows_each_their_own(place: Place) -> None:
    web = place.web
    await place.test(loudspeaker="unheard")
    elsewhere = await web.school(await web.district("120114"), "别处小学")
    for post, of, seen in (
        ("school_admin", {"of_school": place.village}, 1),
        ("technician", {"of_school": place.village}, 1),
        ("district_admin", {"district": await _district(place)}, 1),
        ("school_admin", {"of_school": elsewhere}, 0),
    ):
        person = await web.person(post, school=elsewhere, **of)  # type: ignore[arg-type]
        rows = await place.board(await web.sign_in(person))
        assert len(rows) == seen, post
    assert (await (await web.sign_in(place.teacher)).get("/api/v1/lights")).status_code == 403
    assert (await (await web.sign_in(place.teacher)).get(f"/admin/lights/rooms/{place.room.id}")).status_code == 404


async def _district(place: Place) -> Any:
    async with place.web.database.reading() as session:
        school = await session.get_one(School, place.village.id)
        from server.schools.models import District

        return await session.get_one(District, school.supervised_by)


async def test_filters_narrow_the_board(place: Place) -> None:
    await place.test()
    admin = await city_admin(place.web)
    assert len(await place.board(admin, "?district=120113")) == 1
    assert await place.board(admin, "?district=120114") == []
    assert len(await place.board(admin, f"?school={place.village.id}")) == 1
    assert "没有要马上处理的教室" in (await admin.get("/admin/lights?only=bad")).text


async def test_a_lesson_that_is_over_has_no_lights(place: Place) -> None:
    place.later(3600)
    (row,) = await place.board(await city_admin(place.web))
    assert row["lights"] == []


# --- lines ------------------------------------------------------------------------------------------------------------


async def test_the_schools_line_is_the_median_of_its_screens(place: Place) -> None:
    for up, down in ((100, 100), (900, 2000), (1000, 2100), (5000, 9000)):
        await place.test(up_kbps=up, down_kbps=down)
    admin = await city_admin(place.web)
    (line,) = (await admin.get("/api/v1/lines")).json()
    assert (line["name"], line["up_kbps"], line["down_kbps"], line["carries"]) == ("南里小学", 900, 2000, 1)
    page = (await admin.get("/admin/lights/lines")).text
    assert "2.0 Mbps" in page
    assert "1 节" in page


async def test_boards_and_lines_of_many_schools_are_turned_over(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.selftests.pages.A_PAGE", 1)
    await place.test(up_kbps=900, down_kbps=2000)
    other = await place.web.room(place.lesson.lead_room.school, "另一间")
    await place.web.lesson(place.teacher, place.lesson.lead_room, other, starts=timedelta(hours=3), title="第二节")
    admin = await city_admin(place.web)
    assert "共 1" in (await admin.get("/admin/lights/lines")).text
    first, second = [(await admin.get(f"/admin/lights?page={n}")).text for n in (1, 2)]
    assert "第二节" not in first and "page=2" in first and "第二节" in second


async def test_a_lesson_that_nobody_closed_holds_nothing_all_day(place: Place) -> None:
    held = await place.web.lesson(place.teacher, place.lesson.lead_room, place.room, state="live", starts=-timedelta(1))
    assert held.ends_at < place.web.clock.now()
    assert (await place.screen.get("/api/v1/kiosk/selftest")).json()["measure"] is True


async def test_a_full_citys_board_shows_what_comes_next_and_says_that_it_is_not_all(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(board, "MOST", 1)
    admin, upstairs = await city_admin(place.web), await place.web.room(place.village, "二楼东")
    assert "今天共有" not in (await admin.get("/admin/lights")).text
    over = await place.web.lesson(
        place.teacher, place.lesson.lead_room, upstairs, starts=timedelta(minutes=-50), state="closed"
    )
    assert [row["lesson"] for row in await place.board(admin)] == [place.lesson.id]
    page = (await admin.get("/admin/lights")).text
    assert "今天共有 2 节课" in page and over.id not in page
