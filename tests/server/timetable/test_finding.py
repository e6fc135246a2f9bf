"""The slot finder over HTTP, on bells, days away and lessons that are in the database."""

from __future__ import annotations

from datetime import date, time

import pytest

from server.ids import new_id
from server.timetable.models import BellPeriod, BellSchedule, SchoolSpan
from tests.support.timetable import City, with_classroom
from tests.support.web import Browser, Web

QUESTION = {"term": "2026-1", "classroom_id": "c"}


@pytest.fixture
async def city(web: Web) -> City:
    return await with_classroom(web)


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("city_admin"))


def bells(school: str, *starts: time) -> BellSchedule:
    id_ = new_id()
    periods = [BellPeriod(id=new_id(), period=n, starts=one, minutes=40) for n, one in enumerate(starts, 1)]
    return BellSchedule(id=id_, school_id=school, phase="primary", name="全年", begins="01-01", periods=periods)


async def test_two_schools_with_different_bells_get_a_common_slot(web: Web, city: City, admin: Browser) -> None:
    await web.add(bells(city.village.id, time(8, 0), time(8, 50), time(10, 5)))
    found = (await admin.post("/api/v1/timetable/slots", json=QUESTION)).json()
    best = found["proposals"][0]
    assert (best["weekday"], best["starts"]) == (1, "10:05:00"), "not on Thursday, where it has a lesson already"
    assert [(fit["school"], fit["period"], fit["shift"]) for fit in best["fits"]] == [
        (city.town.short_name, 3, -5),
        (city.village.short_name, 3, 0),
    ]
    early = [one for one in found["refusals"] if (one["weekday"], one["starts"]) == (1, "08:20:00")]
    assert [(one["cause"], one["school"]) for one in early[0]["obstacles"]] == [
        ("two_periods", city.village.short_name)
    ]


async def test_the_lesson_in_the_way_is_named(web: Web, city: City, admin: Browser) -> None:
    await admin.post("/api/v1/timetable/publish", json={"term": "2026-1", "classrooms": ["c"]})
    found = (await admin.post("/api/v1/timetable/slots", json=QUESTION)).json()
    taken = next(one for one in found["refusals"] if (one["weekday"], one["starts"]) == (4, "10:10:00"))
    assert {(one["cause"], one["title"]) for one in taken["obstacles"]} == {("busy", "三年级音乐")}
    assert {one["days"] for one in taken["obstacles"]} == {4}


async def test_a_lesson_the_asker_may_not_see_is_in_the_way_without_its_name(
    web: Web, city: City, admin: Browser
) -> None:
    await admin.post("/api/v1/timetable/publish", json={"term": "2026-1", "classrooms": ["c"]})
    far = await web.school(await web.district("120114"), "远校")
    room = await web.room(far)
    asked = {"term": "2026-1", "grade": 3, "lead_room_id": city.lead.id, "receivers": [room.id]}
    theirs = await web.sign_in(await web.person("school_admin", school=far, of_school=far))
    for browser, title in ((admin, "三年级音乐"), (theirs, "")):
        found = (await browser.post("/api/v1/timetable/slots", json=asked)).json()
        taken = next(one for one in found["refusals"] if (one["weekday"], one["starts"]) == (4, "10:10:00"))
        assert {(one["cause"], one["title"]) for one in taken["obstacles"]} == {("busy", title)}
        assert all(one["name"] for one in taken["obstacles"])
    address = {"term": "2026-1", "grade": "3", "lead_room_id": city.lead.id, "receivers.0.room_id": room.id}
    page = (await theirs.get("/timetable/find", params=address)).text
    assert "已有课（4 天）" in page and "三年级音乐" not in page


async def test_days_away_cost_lessons_and_no_right_no_answer(web: Web, city: City, admin: Browser) -> None:
    span = SchoolSpan(
        id="s", school_id=city.village.id, kind="exam", name="期中", first_on=date(2026, 11, 23),
        last_on=date(2026, 11, 27), created_at=web.clock.now(),
    )  # fmt: skip
    await web.add(span)
    found = (await admin.post("/api/v1/timetable/slots", json=QUESTION)).json()
    assert {one["lost"] for one in found["proposals"] if one["weekday"] in (1, 2, 3, 5)} == {1}
    teacher = await web.sign_in(city.teacher)
    assert (await teacher.post("/api/v1/timetable/slots", json=QUESTION)).status_code == 403
    nobody = await admin.post("/api/v1/timetable/slots", json={"term": "2026-1", "lead_room_id": city.lead.id})
    assert nobody.json()["error"]["key"] == "finder_rooms"
