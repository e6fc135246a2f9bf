"""What stands in the way is named as far as the asker may see it: lessons of strangers have no titles."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.clock import CITY
from tests.support.timetable import City, made, slot
from tests.support.web import Web

pytestmark = pytest.mark.slow

SECRET = "外区公开课"


@pytest.fixture
async def city(web: Web) -> City:
    """Our village's room hears a far district's lesson two days from now."""
    city = await made(web)
    far = await web.school(await web.district("120119", "far"), "山村小学")
    teacher, lead = await web.person("teacher", school=far), await web.room(far, "主讲", kind="lead")
    await web.lesson(teacher, lead, city.room, starts=timedelta(days=2), title=SECRET)
    return city


async def test_a_school_s_administrator_learns_that_the_room_is_taken_not_by_what(web: Web, city: City) -> None:
    mine = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=1), title="本校音乐")
    there = {"starts_at": (web.clock.now() + timedelta(days=2)).isoformat()}
    for post, of, key in (("school_admin", "of_school", "lesson_room_taken"), ("city_admin", "", "lesson_room_busy")):
        given = {of: city.town} if of else {}
        browser = await web.sign_in(await web.person(post, school=city.town, **given))  # type: ignore[arg-type]
        answer = await browser.post(f"/api/v1/lessons/{mine.id}/move", json=there)
        assert (answer.status_code, answer.json()["error"]["key"]) == (409, key)
        assert (SECRET in answer.text) == (post == "city_admin")
        assert answer.json()["error"]["params"]["time"] in answer.json()["error"]["message"]


async def test_publishing_names_no_stranger_s_lesson(web: Web, city: City) -> None:
    start = (web.clock.now() + timedelta(days=2)).astimezone(CITY)
    await web.add(*city.classroom(web, "三年级音乐", id="c"), slot("c", start.isoweekday(), start.hour))
    browser = await web.sign_in(await web.person("school_admin", school=city.town, of_school=city.town))
    page = (await browser.get("/timetable/publish?term=2026-1&classroom=c")).text
    assert "别的课或活动" in page and SECRET not in page
    refused = await browser.post("/api/v1/timetable/publish", json={"term": "2026-1", "classrooms": ["c"]})
    assert refused.status_code == 409 and SECRET not in refused.text
    assert refused.json()["error"]["params"]["clashes"][0]["hidden"] == "yes"
