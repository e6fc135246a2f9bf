"""Notices and events leave through the outbox: once each, signed, retried, bounded; a failure there harms nobody."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.accounts.models import Person
from server.config import WebSettings
from server.lessons.models import Lesson
from server.notices import service as notices
from server.notices.models import Notice
from server.outbox import posting
from server.outbox.door import Door
from server.outbox.events import of_activity
from server.outbox.models import Channel, Delivery
from server.outbox.service import announce
from server.outbox.vault import Vault
from server.schools.models import School
from server.scope import SYSTEM
from server.studios.activities.models import Activity, ActivityPlace
from server.studios.models import Studio
from tests.support.strangers import Stranger
from tests.support.web import Browser, Web

CHANNELS = "/api/v1/channels"


@pytest.fixture
def web_settings(web_settings: WebSettings) -> WebSettings:
    """Strangers of tests live on this machine."""
    return web_settings.model_copy(update={"outward_local": True, "public_origin": None})


@pytest.fixture
def there() -> Iterator[Stranger]:
    with Stranger() as stranger:
        yield stranger


@dataclass
class City:
    town: School
    village: School
    teacher: Person
    lesson: Lesson
    owner: Person
    admin: Browser
    door: Door


@pytest.fixture
async def city(web: Web) -> AsyncIterator[City]:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    lead, room = await web.room(town, "录播教室", kind="lead"), await web.room(village)
    teacher = await web.person("teacher", school=town)
    lesson = await web.lesson(teacher, lead, room, starts=timedelta(hours=3))
    owner = await web.person("school_admin", school=town, of_school=town)
    door = Door(local=True, seconds=2.0)
    yield City(town, village, teacher, lesson, owner, await web.sign_in(owner), door)
    await door.aclose()


async def channel(city: City, kind: str, url: str, **more: Any) -> dict[str, Any]:
    body = {"kind": kind, "place": f"school:{city.town.id}", "name": "教务群", "endpoint": url, **more}
    answer = await city.admin.post(CHANNELS, json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def opened(web: Web, sealed: str) -> str:
    return Vault(web.app.state.keys.outbox).open(sealed)


async def move(city: City, hours: int = 1) -> None:
    starts = (city.lesson.starts_at + timedelta(hours=hours)).isoformat()
    answer = await city.admin.post(f"/api/v1/lessons/{city.lesson.id}/move", json={"starts_at": starts})
    assert answer.status_code in (200, 201), answer.text


async def post(web: Web, city: City) -> int:
    return await posting.round_(web.database, web.app.state.settings, web.clock, city.door)


async def sent(web: Web) -> list[Delivery]:
    async with web.database.reading() as session:
        return list(await session.scalars(select(Delivery).order_by(Delivery.created_at, Delivery.id)))


async def test_a_webhook_hears_of_a_moved_lesson_once_and_can_check_who_speaks(
    web: Web, city: City, there: Stranger
) -> None:
    made = await channel(city, "webhook", there.url)
    await move(city)
    assert there.heard == [], "the change itself waits for nobody outside"
    assert await post(web, city) == 1
    assert await post(web, city) == 0
    (heard,) = there.heard
    assert heard.path == "/hook?key=geheim" and heard.headers["tongtang-event"] == "lesson.moved"
    assert heard.headers["host"] == there.url.split("/")[2]
    assert heard.body["event"] == "lesson.moved" and heard.body["lesson"]["id"] == city.lesson.id
    assert heard.body["id"] == heard.headers["tongtang-delivery"]
    t, v1 = (part.split("=", 1)[1] for part in heard.headers["tongtang-signature"].split(","))
    good = hmac.new(made["secret"].encode(), f"{t}.".encode() + heard.raw, hashlib.sha256).hexdigest()
    assert v1 == good and int(t) == int(web.clock.now().timestamp())
    assert [(row.state, row.attempts) for row in await sent(web)] == [("sent", 1)]


async def test_a_webhook_hears_only_the_events_it_asked_for(web: Web, city: City, there: Stranger) -> None:
    await channel(city, "webhook", there.url, events=["lesson.cancelled"])
    await move(city)
    assert await post(web, city) == 0
    cancelled = await city.admin.post(f"/api/v1/lessons/{city.lesson.id}/cancel", json={"reason": "power"})
    assert cancelled.status_code < 300, cancelled.text
    assert await post(web, city) == 1
    assert there.heard[0].body["lesson"]["cancel_reason"] == "power"


async def test_a_webhook_hears_of_what_a_lesson_is_about_of_its_dispute_and_of_an_activity(
    web: Web, city: City, there: Stranger
) -> None:
    await channel(city, "webhook", there.url)
    answer = await city.admin.post(f"/api/v1/lessons/{city.lesson.id}/about", json={"kind": "drill"})
    assert answer.status_code < 300, answer.text
    closed = await web.lesson(
        city.teacher, city.lesson.lead_room, await web.room(city.village, "二楼东"), state="closed"
    )
    answer = await city.admin.post(f"/api/v1/lessons/{closed.id}/dispute", json={"note": "我们在线"})
    assert answer.status_code < 300, answer.text
    studio = Studio(id="s", school_id=city.town.id, school=city.town)
    activity = Activity(
        id="a", studio_id="s", studio=studio, kind="research", title="同课异构", state="planned", sequence=0,
        starts_at=closed.starts_at, ends_at=closed.ends_at, people=[],
        places=[ActivityPlace(id="p", room_id=closed.lead_room_id, room=closed.lead_room, position=1)],
    )  # fmt: skip
    async with web.transaction() as session:
        await announce(session, of_activity("activity_moved", activity, web.clock.now()), web.clock.now())
    assert await post(web, city) == 3
    assert {one.body["event"] for one in there.heard} == {"lesson.about", "lesson.disputed", "activity.moved"}
    assert [one.body["activity"]["rooms"] for one in there.heard if "activity" in one.body] == [[closed.lead_room_id]]


async def test_a_school_that_has_nothing_to_do_with_the_lesson_hears_nothing(
    web: Web, city: City, there: Stranger
) -> None:
    other = await web.school(await web.district("120114"), "别处小学")
    admin = await web.sign_in(await web.person("school_admin", school=other, of_school=other))
    body = {"kind": "webhook", "place": f"school:{other.id}", "name": "x", "endpoint": there.url}
    assert (await admin.post(CHANNELS, json=body)).status_code == 201
    assert (await admin.post(CHANNELS, json={**body, "place": f"school:{city.town.id}"})).status_code == 404
    assert (await admin.post(CHANNELS, json={**body, "place": "city"})).status_code == 403
    await move(city)
    assert await post(web, city) == 0


@pytest.mark.parametrize("kind", ["wecom", "dingtalk"])
async def test_a_robot_says_a_notice_once_in_its_group(web: Web, city: City, there: Stranger, kind: str) -> None:
    there.mood = "robot"
    await channel(city, kind, there.url, secret="SEC1" if kind == "dingtalk" else "")
    await move(city)
    assert await post(web, city) == 1, "teacher and dean are told, the group hears it once"
    (heard,) = there.heard
    assert heard.body["msgtype"] == "text"
    assert heard.body["text"]["content"].startswith("【同堂】调课：“认识分数”由")
    assert ("&timestamp=" in heard.path and "&sign=" in heard.path) == (kind == "dingtalk")


async def test_what_is_said_to_one_person_is_not_said_in_a_group(web: Web, city: City, there: Stranger) -> None:
    there.mood = "robot"
    await channel(city, "wecom", there.url)
    await channel(city, "sms", there.url)
    words = {"title": "认识分数", "starts_at": city.lesson.starts_at.isoformat()}
    async with web.transaction() as session:
        (await session.get_one(Person, city.teacher.id)).phone = "13800000000"
        now, people = web.clock.now(), [city.teacher.id]
        await notices.tell(session, SYSTEM, people, "code", words, "/desk", now, city.lesson)
    assert await post(web, city) == 1
    assert there.heard[0].body["phone"] == "13800000000" and "上课码" in there.heard[0].body["text"]


async def test_many_notices_make_one_message_of_a_robot(web: Web, city: City, there: Stranger) -> None:
    there.mood = "robot"
    await channel(city, "wecom", there.url)
    for hours in (1, 2, 3):
        await move(city, hours)
    assert await post(web, city) == 3
    assert len(there.heard) == 1 and there.heard[0].body["text"]["content"].count("调课") == 3


async def test_short_messages_go_to_those_who_have_a_telephone_and_only_when_it_is_urgent(
    web: Web, city: City, there: Stranger
) -> None:
    await channel(city, "sms", there.url)
    async with web.transaction() as session:
        (await session.get_one(Person, city.teacher.id)).phone = "13800000000"
    await move(city)
    await move(city, 72)
    assert await post(web, city) == 1, "in three days is not urgent"
    assert there.heard[0].body["phone"] == "13800000000" and "调课" in there.heard[0].body["text"]
    assert there.heard[0].headers["tongtang-signature"].startswith("t=")


@pytest.mark.parametrize(
    ("mood", "problem", "status"),
    [
        ("fails", "status", 500),
        ("redirects", "redirect", 302),
        ("hangs", "timeout", None),
        ("breaks", "unreachable", None),
    ],
)
async def test_what_fails_is_tried_again_later_and_told(
    web: Web, city: City, there: Stranger, mood: Any, problem: str, status: int | None
) -> None:
    made = await channel(city, "webhook", there.url)
    there.mood = mood
    await move(city)
    assert await post(web, city) == 1
    (row,) = await sent(web)
    assert (row.state, row.problem, row.status, row.attempts) == ("waiting", problem, status, 1)
    assert row.due_at == web.clock.now() + timedelta(minutes=1)
    assert await post(web, city) == 0, "not before its time"
    assert len(there.heard) == 1, "a redirect is followed nowhere"
    page = await city.admin.get(f"/admin/channels/{made['channel']['id']}")
    assert "等待发送" in page.text and "geheim" not in page.text and made["secret"] not in page.text
    there.let_go.set()
    there.mood = "webhook"
    web.clock.moment += timedelta(minutes=1)
    assert await post(web, city) == 1
    assert (await sent(web))[0].state == "sent"


async def test_a_robot_that_answers_no_is_a_failure_though_its_status_is_200(
    web: Web, city: City, there: Stranger
) -> None:
    await channel(city, "wecom", there.url)
    there.mood = "refuses"
    await move(city)
    await post(web, city)
    assert [(row.problem, row.status) for row in await sent(web)] == [("refused", 93000)]
    there.mood = "floods"
    web.clock.moment += timedelta(minutes=1)
    await post(web, city)
    assert [(row.problem, row.status) for row in await sent(web)] == [("not_a_robot", 200)], "and no flood is drunk"


async def test_it_gives_up_and_can_be_sent_again_by_hand(web: Web, city: City, there: Stranger) -> None:
    held = (await channel(city, "wecom", there.url))["channel"]["id"]
    there.mood = "fails"
    await move(city)
    for _ in range(6):
        await post(web, city)
        web.clock.moment += timedelta(minutes=31)
    assert [(row.state, row.attempts) for row in await sent(web)] == [("failed", 4)]
    there.mood = "robot"
    (row,) = (await city.admin.get(f"{CHANNELS}/{held}/deliveries")).json()["items"]
    again = await city.admin.post(f"{CHANNELS}/{held}/deliveries/{row['id']}/resend")
    assert again.status_code == 202 and web.jobs.woken[-1] == "outbox"
    assert (await city.admin.post(f"{CHANNELS}/{held}/deliveries/{row['id']}/resend")).status_code == 409
    assert await post(web, city) == 1
    assert [one.state for one in await sent(web)] == ["sent"]


async def test_after_three_days_of_failing_it_is_off_and_its_owner_knows(web: Web, city: City, there: Stranger) -> None:
    made = (await channel(city, "webhook", there.url))["channel"]["id"]
    there.mood = "fails"
    await move(city)
    for _ in range(8):
        await post(web, city)
        web.clock.moment += timedelta(hours=13)
    async with web.database.reading() as session:
        held = await session.get_one(Channel, made)
        told = list(await session.scalars(select(Notice.key).where(Notice.key == "channel_off")))
    assert held.off_why == "failing" and told == ["channel_off"]
    before = len(there.heard)
    city.admin = await web.sign_in(city.owner)
    old = city.lesson
    city.lesson = await web.lesson(city.teacher, old.lead_room, old.receipts[0].room, starts=timedelta(hours=3))
    await move(city)
    assert await post(web, city) == 0 and len(there.heard) == before
    shown = await city.admin.get("/notices")
    assert "连续三天没有送到" in shown.text
    assert (await city.admin.put(f"{CHANNELS}/{made}/off", json={"off": False})).json()["off_at"] is None


async def test_one_strangers_hanging_holds_nobody_else_up(web: Web, city: City, there: Stranger) -> None:
    with Stranger("hangs") as slow:
        await channel(city, "webhook", slow.url)
        await channel(city, "webhook", there.url)
        await move(city)
        assert await post(web, city) == 2
        assert sorted(row.state for row in await sent(web)) == ["sent", "waiting"]


async def test_a_test_message_shows_what_came_of_it(web: Web, city: City, there: Stranger) -> None:
    there.mood = "robot"
    held = (await channel(city, "wecom", there.url))["channel"]["id"]
    answer = await city.admin.post(f"/admin/channels/{held}/test")
    assert answer.status_code == 303 and web.jobs.woken == ["outbox"]
    assert 'data-progress="moving"' in (await city.admin.get(f"/admin/channels/{held}")).text
    await post(web, city)
    assert "测试消息" in there.heard[0].body["text"]["content"]
    page = await city.admin.get(f"/admin/channels/{held}?lang=en")
    assert "Arrived" in page.text and 'data-progress="still"' in page.text
    assert (await city.admin.put(f"{CHANNELS}/{held}/off", json={"off": True})).json()["off_why"] == "hand"
    assert (await city.admin.post(f"{CHANNELS}/{held}/test")).status_code == 409


async def test_the_address_is_forgotten_with_the_channel_and_the_log_never_learns_it(
    web: Web, city: City, there: Stranger
) -> None:
    made = await channel(city, "webhook", there.url)
    held = made["channel"]["id"]
    assert "geheim" not in str(made["channel"]) and made["channel"]["host"] == "127.0.0.1"
    form = {"name": "换个名字", "endpoint": "", "secret": ""}
    assert (await city.admin.post(f"/admin/channels/{held}", data=form)).status_code == 303
    async with web.database.reading() as session:
        assert opened(web, (await session.get_one(Channel, held)).endpoint) == there.url, "an empty field keeps it"
    assert (await city.admin.delete(f"{CHANNELS}/{held}")).status_code == 204
    async with web.database.reading() as session:
        assert (await session.get_one(Channel, held)).endpoint == ""
    assert (await city.admin.get(f"{CHANNELS}/{held}")).status_code == 404
    city_admin = await web.sign_in(await web.person("city_admin"))
    log = (await city_admin.get("/api/v1/audit?size=100")).text
    assert "channels" in log and "geheim" not in log and made["secret"] not in log


async def test_a_full_queue_drops_and_says_so(web: Web, city: City, there: Stranger, monkeypatch: Any) -> None:
    monkeypatch.setattr("server.outbox.service.MOST_WAITING", 1)
    await channel(city, "webhook", there.url)
    await move(city)
    await move(city, 2)
    assert sorted((row.state, row.problem) for row in await sent(web)) == [("dropped", "full"), ("waiting", None)]
    assert await post(web, city) == 1


async def test_pages_refuse_with_a_sentence_beside_the_field(web: Web, city: City) -> None:
    form = {"kind": "wecom", "place": f"school:{city.town.id}", "name": "群", "endpoint": "ftp://x.example/"}
    answer = await city.admin.post("/admin/channels", data=form)
    assert answer.status_code == 422 and "请填以 https:// 开头" in answer.text
    assert (await city.admin.get("/admin/channels?lang=en")).status_code == 200
    teacher = await web.sign_in(city.teacher)
    assert (await teacher.get("/admin/channels")).status_code == 403
