"""Moving rooms: in which order whom is told, what happens when somebody does not answer, and who may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from server.accounts.models import Person
from server.lessons.models import Lesson, Placement
from tests.support.web import NODE_SECRET, Browser, Web

pytestmark = pytest.mark.slow


@dataclass
class City:
    web: Web
    lesson: Lesson
    teacher: Person
    boss: Browser

    async def move(self, to: str | None = None) -> tuple[int, dict[str, object]]:
        answer = await self.boss.post(f"/api/v1/liverooms/{self.lesson.id}/move", json={"to": to})
        return answer.status_code, answer.json()

    async def place(self) -> tuple[int, str]:
        async with self.web.database.reading() as session:
            held = await session.get_one(Placement, self.lesson.id)
            return held.epoch, held.node_id

    def calls(self) -> list[tuple[str, str]]:
        return [(method, path.replace(self.lesson.id, "L")) for method, path, _ in self.web.nodes.calls]


@pytest.fixture
async def city(web: Web) -> City:
    """A lesson whose room is on n1; n2 and n3 stand by."""
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    teacher = await web.person("teacher", school=town)
    lesson = await web.lesson(teacher, await web.room(town, "录播教室", kind="lead"), await web.room(village))
    await web.node("n1", load=0.0)
    entering = await web.sign_in(teacher)
    assert (await entering.post(f"/api/v1/lessons/{lesson.id}/seat", json={"role": "teacher"})).status_code == 200
    await web.node("n2", load=0.3)
    await web.node("n3", load=0.9)
    web.nodes.calls.clear()
    return City(web, lesson, teacher, await web.sign_in(await web.person("city_admin")))


async def test_held_taken_up_written_down_told_in_this_order(city: City) -> None:
    status, moved = await city.move()
    assert (status, moved["old"], moved["new"], moved["epoch"]) == (200, "n1", "n2", 2)
    assert city.calls() == [
        ("POST", "n1/rooms/L/handover"),
        ("PUT", "n2/rooms/L"),
        ("POST", "n1/rooms/L/moved"),
    ]
    assert [body.get("epoch") for _, _, body in city.web.nodes.calls] == [1, 2, 2]
    assert await city.place() == (2, "n2")
    entering = await city.web.sign_in(city.teacher)
    seat = (await entering.post(f"/api/v1/lessons/{city.lesson.id}/seat", json={"role": "teacher"})).json()
    assert (seat["epoch"], seat["ws"]) == (2, "wss://class.test/n/n2/ws")


async def test_encoders_are_sent_to_the_new_node_and_cameras_fetched_there(city: City) -> None:
    room = f"/api/v1/rooms/{city.lesson.lead_room_id}"
    key = (await city.boss.post(f"{room}/stream-keys", json={"label": "录播主机"})).json()["key"]
    await city.boss.put(f"{room}/source", json={"url": "rtsp://10.3.2.1/stream1"})
    city.web.nodes.calls.clear()
    assert (await city.move())[0] == 200
    assert city.calls() == [
        ("POST", "n1/rooms/L/handover"),
        ("PUT", "n2/rooms/L"),
        ("PUT", "n2/rooms/L/sources"),
        ("POST", "n1/rooms/L/moved"),
    ]
    door, bearer = f"/whip/rooms/{city.lesson.lead_room_id}", {"authorization": f"Bearer {key}"}
    answer = await city.web.browser().post(door, headers=bearer)
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(f"https://class.test/n/n2/whip/{city.lesson.id}?ticket=")


async def test_to_a_node_of_ones_choice(city: City) -> None:
    assert (await city.move("n3"))[1]["new"] == "n3"
    assert (await city.move("n3"))[0] == 422
    assert (await city.move("n9"))[0] == 422


@pytest.mark.parametrize("silent", ["n1", "n2"])
async def test_whoever_does_not_answer_leaves_the_lesson_where_it_was(city: City, silent: str) -> None:
    city.web.nodes.down.add(silent)
    status, answer = await city.move("n2")
    assert (status, answer["error"]["key"]) == (503, "room_stays")  # type: ignore[index]
    assert await city.place() == (1, "n1")
    assert ("POST", "n1/rooms/L/moved") not in city.calls()


async def test_without_another_node_it_stays(city: City) -> None:
    city.web.clock.moment += timedelta(seconds=20)
    await city.web.node("n1")
    status, answer = await city.move()
    assert (status, answer["error"]["key"]) == (503, "node_no_other")  # type: ignore[index]
    assert city.calls() == []


async def test_a_room_that_was_never_placed(city: City) -> None:
    async with city.web.transaction() as session:
        await session.delete(await session.get_one(Placement, city.lesson.id))
    status, answer = await city.move()
    assert (status, answer["error"]["key"]) == (409, "room_nowhere")  # type: ignore[index]


async def test_only_who_keeps_the_machines_may(city: City) -> None:
    for post in ("district_admin", "inspector", "teacher"):
        browser = await city.web.sign_in(await city.web.person(post))  # type: ignore[arg-type]
        answer = await browser.post(f"/api/v1/liverooms/{city.lesson.id}/move", json={"to": None})
        assert answer.status_code == 403, post
        assert (await browser.post("/api/v1/nodes/n1/drain")).status_code == 403, post
    assert city.calls() == []


async def test_a_node_that_stops_is_emptied_and_gets_nothing(city: City) -> None:
    headers = {"authorization": f"Bearer {NODE_SECRET}"}
    answer = await city.web.browser().post("/internal/nodes/n1/drain", headers=headers)
    assert answer.json() == {"moved": [city.lesson.id], "kept": []}
    assert await city.place() == (2, "n2")
    await city.web.node("n1", load=0.0)  # still beating, and idle: but it shall stop
    assert (await city.move())[1]["new"] == "n3"
    assert (await city.web.browser().post("/internal/nodes/n1/drain")).status_code == 403


async def test_the_last_node_keeps_its_rooms(city: City) -> None:
    city.web.clock.moment += timedelta(seconds=20)
    await city.web.node("n1")
    answer = await city.boss.post("/api/v1/nodes/n1/drain")
    assert answer.json() == {"moved": [], "kept": [city.lesson.id]}
