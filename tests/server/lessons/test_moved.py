"""Moving a lesson: why, to its own time again, into its own other rooms. Refused in words, not by the database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from server.lessons.models import Lesson
from server.schools.models import Room
from tests.support.timetable import City, made
from tests.support.web import Browser, Web


@pytest.fixture
async def city(web: Web) -> City:
    return await made(web)


@pytest.fixture
async def admin(web: Web, city: City) -> Browser:
    return await web.sign_in(await web.person("city_admin"))


@pytest.fixture
async def second(web: Web, city: City) -> Room:
    return await web.room(city.village, "另一间听讲")


@pytest.fixture
async def lesson(web: Web, city: City, second: Room) -> Lesson:
    return await web.lesson(city.teacher, city.lead, city.room, second, starts=timedelta(days=1))


async def test_a_lesson_moved_to_where_it_is_is_not_moved(web: Web, lesson: Lesson, admin: Browser) -> None:
    """No mark, no notice, no invitation; the same start with another end is no 调课 either."""
    move = f"/api/v1/lessons/{lesson.id}/move"
    same = await admin.post(move, json={"starts_at": lesson.starts_at.isoformat()})
    assert (same.status_code, same.json()["error"]["key"]) == (409, "change_nothing")
    ends = (lesson.ends_at + timedelta(minutes=5)).isoformat()
    assert (await admin.post(move, json={"starts_at": lesson.starts_at.isoformat(), "ends_at": ends})).is_success
    async with web.database.reading() as session:
        assert (await session.get_one(Lesson, lesson.id)).moved_from is None


async def test_two_classes_of_a_lesson_never_meet_in_one_room(
    web: Web, city: City, lesson: Lesson, second: Room, admin: Browser
) -> None:
    third = await web.room(city.village, "第三间听讲")
    rooms = f"/api/v1/lessons/{lesson.id}/room"

    async def change(room: Room, to: Room) -> tuple[int, dict[str, str]]:
        answer = await admin.post(rooms, json={"room_id": room.id, "to_room_id": to.id})
        return answer.status_code, answer.json()

    status, said = await change(city.room, second)
    assert (status, said["error"]["key"]) == (422, "change_room")  # type: ignore[index]
    page = (await admin.get(f"/lessons/{lesson.id}")).text
    assert f'<option value="{third.id}"' in page and f'<option value="{second.id}"' not in page
    _, first = await change(city.room, third)
    assert (await change(second, city.room))[0] == 200
    undone = await admin.post(f"/api/v1/changes/{first['batch']}/undo", json={})
    assert (undone.status_code, undone.json()["error"]["key"]) == (409, "change_overtaken")


async def test_why_it_was_moved_is_one_of_a_list_and_stands_in_its_history(
    web: Web, lesson: Lesson, admin: Browser
) -> None:
    move, later = f"/api/v1/lessons/{lesson.id}/move", (lesson.starts_at + timedelta(days=1)).isoformat()
    vague = await admin.post(move, json={"starts_at": later, "reason": "because"})
    assert (vague.status_code, vague.json()["error"]["key"]) == (422, "move_reason")
    assert (await admin.post(move, json={"starts_at": later, "reason": "exam", "note": "期中"})).is_success
    assert "考试 · 期中" in (await admin.get(f"/lessons/{lesson.id}")).text
    form = {"day": "2026-11-19", "starts": "14:00", "reason": "room", "note": "", "sequence": "1"}
    assert (await admin.post(f"/lessons/{lesson.id}/change/move", data=form)).status_code == 303
    kept = (await admin.get(f"/api/v1/lessons/{lesson.id}/changes")).json()
    assert {one["reason"] for one in kept} == {"exam", "room"}
