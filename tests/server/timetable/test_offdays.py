"""A lesson put onto a day by hand: never onto a public holiday; what else speaks against the day is told."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from server.clock import CITY
from server.timetable.models import SchoolSpan
from tests.support.timetable import City, made
from tests.support.web import Browser, Web

pytestmark = pytest.mark.slow

HOLIDAY = datetime(2026, 11, 26, 10, 0, tzinfo=CITY)


@pytest.fixture
async def city(web: Web) -> City:
    return await made(web)


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("district_admin", district=city.district))


async def test_a_lesson_is_not_put_onto_a_holiday_unless_it_is_a_trial(web: Web, city: City, admin: Browser) -> None:
    lesson = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=1))
    on = {"starts_at": HOLIDAY.isoformat()}
    moved = await admin.post(f"/api/v1/lessons/{lesson.id}/move", json=on)
    assert (moved.status_code, moved.json()["error"]["key"]) == (409, "lesson_holiday")
    assert "放假" in moved.json()["error"]["message"]
    assert (await admin.post(f"/api/v1/lessons/{lesson.id}/cancel", json={"reason": "power"})).is_success
    repaid = await admin.post(f"/api/v1/lessons/{lesson.id}/repay", json=on)
    assert repaid.json()["error"]["key"] == "lesson_holiday"
    draft = {
        "title": "认识分数", "subject": "maths", "grade": 3, "lead_room_id": city.lead.id,
        "teacher_id": city.teacher.id, "receivers": [{"room_id": city.room.id}],
        **on, "ends_at": (HOLIDAY + timedelta(minutes=40)).isoformat(),
    }  # fmt: skip
    new = await admin.post("/api/v1/lessons", json=draft)
    assert new.json()["error"]["key"] == "lesson_holiday"
    assert (await admin.post("/api/v1/lessons", json={**draft, "kind": "trial"})).status_code == 201
    saturday = {"starts_at": datetime(2026, 11, 21, 10, 0, tzinfo=CITY).isoformat()}
    assert (await admin.post(f"/api/v1/lessons/{lesson.id}/repay", json=saturday)).status_code == 201


async def test_days_away_and_days_outside_the_term_are_told(web: Web, city: City, admin: Browser) -> None:
    await web.add(
        SchoolSpan(
            id="s", school_id=city.village.id, kind="sports", name="运动会", first_on=date(2026, 12, 2),
            last_on=date(2026, 12, 4), created_at=web.clock.now(),
        )
    )  # fmt: skip
    lesson = await web.lesson(city.teacher, city.lead, city.room, starts=timedelta(days=1))
    for day, word in ((date(2026, 12, 3), "运动会"), (date(2026, 12, 14), "不在学期内"), (date(2026, 12, 8), "")):
        start = datetime(day.year, day.month, day.day, 10, tzinfo=CITY).isoformat()
        done = (await admin.post(f"/api/v1/lessons/{lesson.id}/move", json={"starts_at": start})).json()
        assert [word in one for one in done["warnings"]] == [True] * bool(word), day
        if word:
            assert word in (await admin.get(f"/lessons/{lesson.id}")).text
