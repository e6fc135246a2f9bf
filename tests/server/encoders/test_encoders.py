"""Stream keys and camera addresses: who may set them, what is refused, how live rooms and encoders hear of it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from server.accounts.models import Person
from server.audit.models import AuditEntry
from server.encoders.addresses import shown, split_url
from server.encoders.models import RoomSource
from server.encoders.sealing import reseal
from server.encoders.service import STATES, digest
from server.errors import InvalidError
from server.lessons.models import Lesson
from server.outbox.vault import Vault
from server.schools.models import Room, School
from server.scope import SYSTEM
from server.security import private_pem
from tests.support.web import Browser, Web


@dataclass
class City:
    town: School
    lead: Room
    teacher: Person
    lesson: Lesson
    admin: Browser

    @property
    def keys(self) -> str:
        return f"/api/v1/rooms/{self.lead.id}/stream-keys"


@pytest.fixture
async def city(web: Web) -> City:
    district = await web.district()
    town, village = await web.school(district, "城关小学"), await web.school(district, "南里小学")
    lead, room = await web.room(town, "录播教室", kind="lead"), await web.room(village)
    teacher = await web.person("teacher", school=town)
    lesson = await web.lesson(teacher, lead, room)
    await web.node()
    return City(town, lead, teacher, lesson, await web.sign_in(await web.person("school_admin", of_school=town)))


async def make(city: City, label: str = "录播主机") -> dict[str, str]:
    answer = await city.admin.post(city.keys, json={"label": label})
    assert answer.status_code == 201, answer.text
    made: dict[str, str] = answer.json()
    return made


async def test_a_key_is_seen_once_and_holds_until_it_is_withdrawn(web: Web, city: City) -> None:
    made = await make(city)
    assert made["key"].startswith("tk-") and made["url"] == f"http://class.test/whip/rooms/{city.lead.id}"
    listed = (await city.admin.get(city.keys)).json()
    assert [one["label"] for one in listed] == ["录播主机"] and made["key"] not in str(listed)
    assert (await city.admin.delete(f"{city.keys}/{made['id']}")).status_code == 204
    assert (await city.admin.get(city.keys)).json() == []
    assert (await city.admin.delete(f"{city.keys}/nothing")).status_code == 404


async def test_five_keys_are_enough(web: Web, city: City) -> None:
    for number in range(5):
        await make(city, f"设备{number}")
    answer = await city.admin.post(city.keys, json={"label": "又一个"})
    assert answer.status_code == 409 and "5" in answer.json()["error"]["message"]


async def test_only_those_who_keep_the_room(web: Web, city: City) -> None:
    elsewhere = await web.school(await web.district("120114"), "别处小学")
    for person, status in (
        (city.teacher, 403),
        (await web.person("school_admin", of_school=elsewhere), 404),
        (await web.person("evaluator"), 403),
    ):
        browser = await web.sign_in(person)
        assert (await browser.post(city.keys, json={"label": "x"})).status_code == status
        assert (await browser.get(f"/admin/rooms/{city.lead.id}/encoders")).status_code == status
        assert (await browser.put(f"/api/v1/rooms/{city.lead.id}/source", json={"url": ""})).status_code == status


async def test_an_encoder_is_sent_to_the_node_of_its_lesson(web: Web, city: City) -> None:
    made = await make(city)
    door, bearer = f"/whip/rooms/{city.lead.id}", {"authorization": f"Bearer {made['key']}"}
    encoder = web.browser()
    assert (await encoder.post(door)).status_code == 401
    assert (await encoder.post(door, headers={"authorization": "Bearer tk-other"})).status_code == 401
    answer = await encoder.post(door, headers=bearer)
    assert answer.status_code == 307
    assert answer.headers["location"].startswith(f"http://class.test:8001/whip/{city.lesson.id}?ticket=")
    assert made["key"] not in answer.headers["location"] and answer.headers["cache-control"] == "no-store"
    method, path, spec = web.nodes.calls[-1]
    assert (method, path) == ("PUT", f"n1/control/rooms/{city.lesson.id}") or path.endswith(city.lesson.id)
    assert spec["encoders"] == [{"room": city.lead.id, "sha256": digest(made["key"])}]
    assert (await city.admin.delete(f"{city.keys}/{made['id']}")).status_code == 204
    told = [body for _, path, body in web.nodes.calls if path.endswith(city.lesson.id)]
    assert told[-1]["encoders"] == [], "the live room hears of it at once"
    assert (await encoder.post(door, headers=bearer)).status_code == 401


async def test_between_lessons_an_encoder_is_asked_to_come_back(web: Web, city: City) -> None:
    made = await make(city)
    web.clock.moment += city.lesson.ends_at - city.lesson.starts_at
    web.clock.moment += 3 * (city.lesson.ends_at - city.lesson.starts_at)
    answer = await web.browser().post(f"/whip/rooms/{city.lead.id}", headers={"authorization": f"Bearer {made['key']}"})
    assert answer.status_code == 409 and int(answer.headers["retry-after"]) > 0


async def test_a_cameras_address_keeps_its_password_to_itself(web: Web, city: City) -> None:
    where = f"/api/v1/rooms/{city.lead.id}/source"
    assert (await city.admin.get(where)).json() is None
    url = "rtsp://admin:p%40ss@10.3.2.1:554/Streaming/101?channel=1"
    assert (await city.admin.put(where, json={"url": url})).status_code == 204
    held = (await city.admin.get(where)).json()
    assert held == {"address": "rtsp://10.3.2.1:554/Streaming/101?channel=1", "with_password": True}
    page = (await city.admin.get(f"/admin/rooms/{city.lead.id}/encoders")).text
    assert held["address"] in page and "p@ss" not in page and "p%40ss" not in page
    bearer = {"authorization": f"Bearer {(await make(city))['key']}"}
    await web.browser().post(f"/whip/rooms/{city.lead.id}", headers=bearer)
    _, path, body = web.nodes.calls[-1]
    assert path.endswith("/sources")
    assert body["sources"] == [{"room": city.lead.id, "address": held["address"], "secret": "admin:p@ss"}]
    assert (await city.admin.put(where, json={"url": ""})).status_code == 204
    assert (await city.admin.get(where)).json() is None and web.nodes.calls[-1][2]["sources"] == []


async def ordered(web: Web, city: City) -> list[dict[str, str]]:
    """What the node is told to fetch once something has changed."""
    return list(web.nodes.calls[-1][2]["sources"])


async def test_the_password_is_sealed_kept_and_taken_along(web: Web, city: City, tmp_path: Path) -> None:
    where, page = f"/api/v1/rooms/{city.lead.id}/source", f"/admin/rooms/{city.lead.id}/encoders"
    bearer = {"authorization": f"Bearer {(await make(city))['key']}"}
    await web.browser().post(f"/whip/rooms/{city.lead.id}", headers=bearer)
    url = "rtsp://admin:geheim@10.3.2.1:554/user=a_password=geheim2_channel=1?token=geheim3&x=1"
    assert (await city.admin.put(where, json={"url": url})).status_code == 204
    said = "rtsp://10.3.2.1:554/user=a_password=***_channel=1?token=***&x=1"
    assert (await city.admin.get(where)).json() == {"address": said, "with_password": True}
    whole = {"room": city.lead.id, "address": url.replace("admin:geheim@", ""), "secret": "admin:geheim"}
    assert await ordered(web, city) == [whole]
    assert said.replace("&", "&amp;") in (await city.admin.get(page)).text
    async with web.database.reading() as session:
        row = await session.get_one(RoomSource, city.lead.id)
        told = [str(one.told) for one in await session.scalars(select(AuditEntry))]
    assert row.secret.startswith("f1.") and not any("geheim" in words for words in (row.address, *told))

    assert (await city.admin.post(f"{page}/source", data={"url": said, "csrf": city.admin.csrf})).status_code == 303
    assert await ordered(web, city) == [whole], "saved as it is shown, it stays what it is"
    other = {"url": "rtsp://10.3.2.1:554/Streaming/102"}
    assert (await city.admin.put(where, json=other)).status_code == 204
    assert await ordered(web, city) == [{"room": city.lead.id, "address": other["url"], "secret": "admin:geheim"}]
    refused = await city.admin.put(where, json={"url": said})
    assert (refused.status_code, refused.json()["error"]["key"]) == (422, "source_password")
    elsewhere = {"url": "rtsp://10.9.9.9:554/Streaming/102"}

    key = tmp_path / "new.pem"
    key.write_bytes(private_pem(Ed25519PrivateKey.generate()))
    ours, new = web.app.state.nodes.vault, Vault.at(key)
    for old, now in ((ours, new), (new, ours)):
        async with web.transaction() as session:
            assert await reseal(session, SYSTEM, old, now) == 1
        async with web.transaction() as session:
            assert await reseal(session, SYSTEM, old, now) == 0
        assert ("另一把站点密钥" in (await city.admin.get(page)).text) == (now is new)
    assert (await city.admin.put(where, json=elsewhere)).status_code == 204
    assert await ordered(web, city) == [{"room": city.lead.id, "address": elsewhere["url"], "secret": ""}], (
        "no password goes to another device"
    )


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("rtsp://10.0.0.1/Streaming/101?channel=1", "rtsp://10.0.0.1/Streaming/101?channel=1"),
        ("rtsp://h/user=a&password=b&channel=1&stream=0.sdp?", "rtsp://h/user=a&password=***&channel=1&stream=0.sdp"),
        ("rtsp://h/user=a_password=b_c_channel=2", "rtsp://h/user=a_password=***_channel=2"),
        ("rtsp://h/?usr=a&pwd=b", "rtsp://h/?usr=a&pwd=***"),
        ("rtmp://h/live/x?auth_key=1-2-3&Token=b", "rtmp://h/live/x?auth_key=***&Token=***"),
        ("rtsp://h/password=&channel=1", "rtsp://h/password=&channel=1"),
    ],
)
def test_what_is_shown_of_an_address(address: str, said: str) -> None:
    assert shown(address) == said and shown(said) == said


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://10.0.0.1/", "source_url"),
        ("file:///etc/passwd", "source_url"),
        ("rtsp:///stream", "source_url"),
        ("rtsp://10.0.0.1:99999/", "source_url"),
        ("rtsp://10.0.0.1/a b", "source_url"),
        ("rtsp://a;b/", "source_url"),
        ("rtsp://10.0.0.1/" + "a" * 400, "source_url"),
        ("rtsp://u:" + "p" * 200 + "@10.0.0.1/", "source_url"),
        ("rtsp://localhost/", "source_host"),
        ("rtsp://127.0.0.1:554/", "source_host"),
        ("rtsp://[::1]/", "source_host"),
        ("rtmp://169.254.169.254/latest", "source_host"),
        ("rtsp://2130706433/", "source_host"),
        ("rtsp://0x7f000001/", "source_host"),
        ("rtsp://0.0.0.0/", "source_host"),
    ],
)
def test_addresses_that_are_no_cameras(url: str, key: str) -> None:
    with pytest.raises(InvalidError) as caught:
        split_url(url)
    assert caught.value.key == key


def test_addresses_that_are() -> None:
    assert split_url("rtmp://host.school.example/live/room?x=1") == ("rtmp://host.school.example/live/room?x=1", "")
    assert split_url("rtsp://u:p%3Aw@[2001:db8::1]:8554/s") == ("rtsp://[2001:db8::1]:8554/s", "u:p:w")


async def test_the_page_makes_shows_once_and_withdraws(web: Web, city: City) -> None:
    base = f"/admin/rooms/{city.lead.id}/encoders"
    made = await city.admin.post(f"{base}/keys", data={"label": "录播主机", "csrf": city.admin.csrf})
    assert made.status_code == 200 and 'id="made-key">tk-' in made.text
    again = await city.admin.get(base)
    assert "tk-" not in again.text and "录播主机" in again.text
    wrong = await city.admin.post(f"{base}/source", data={"url": "rtsp://localhost/", "csrf": city.admin.csrf})
    assert wrong.status_code == 422 and "rtsp://localhost/" in wrong.text
    key = (await city.admin.get(city.keys)).json()[0]["id"]
    gone = await city.admin.post(f"{base}/keys/{key}/revoke", data={"csrf": city.admin.csrf})
    assert gone.status_code == 303 and (await city.admin.get(city.keys)).json() == []


async def test_the_page_says_how_fetching_goes(web: Web, city: City) -> None:
    base, answer = f"/admin/rooms/{city.lead.id}/encoders", web.nodes.answer
    told = {"sources": {city.lead.id: "codec"}}

    def seen(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=told) if request.url.path.endswith("/seen") else answer(request)

    web.app.state.nodes._client._transport.handler = seen
    entering = await web.sign_in(city.teacher)
    assert (await entering.post(f"/api/v1/lessons/{city.lesson.id}/seat", json={"role": "teacher"})).is_success
    assert "H.265" not in (await city.admin.get(base)).text, "no camera, nothing to say"
    source = {"url": "rtsp://192.168.1.64/stream1"}
    assert (await city.admin.put(f"/api/v1/rooms/{city.lead.id}/source", json=source)).status_code == 204
    assert "H.265" in (await city.admin.get(base)).text
    told["sources"] = {city.lead.id: "sending"}
    assert "一切正常" in (await city.admin.get(base)).text
    web.nodes.down.add("n1")
    told["sources"] = {}
    assert "这节课现在" not in (await city.admin.get(base)).text


def test_every_state_has_its_sentence() -> None:
    for language in ("zh-CN", "en"):
        texts = json.loads(Path(f"frontend/locale/{language}/encoders.json").read_text())
        assert {key.removeprefix("state.") for key in texts if key.startswith("state.")} == set(STATES)
