"""The replay's doors: who may see it, what it says while facts are late or the store is away, its bytes, its list."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from server.accounts.models import Person
from server.ids import new_id
from server.lessons.models import Lesson, Receipt
from server.recordings import service, store
from server.recordings.models import Recording
from server.scope import SYSTEM
from signaling.facts import Fact
from signaling.ports import ObjectStoreError
from tests.server.recordings.test_merge import manifest
from tests.support.web import MONDAY, Web

pytestmark = pytest.mark.slow


@dataclass
class Held:
    lesson: str
    teacher: Person
    colleague: Person
    stranger: Person


@pytest.fixture
async def held(web: Web) -> Held:
    """A lesson recorded in two epochs; a colleague of its school, a teacher of another district."""
    district, far = await web.district(), await web.district("120119", "far")
    school, other = await web.school(district), await web.school(far, "远郊小学")
    teacher = await web.person("teacher", school=school, name="李老师")
    lead, receiving = await web.room(school, "主讲", kind="lead"), await web.room(school, "听讲")
    lesson = new_id()
    await web.add(
        Lesson(
            id=lesson,
            title="分数",
            subject="math",
            grade=3,
            state="closed",
            lead_room_id=lead.id,
            teacher_id=teacher.id,
            starts_at=MONDAY,
            ends_at=MONDAY + timedelta(minutes=40),
            created_at=MONDAY,
        )
    )
    row = Receipt(id=new_id(), lesson_id=lesson, starts_at=MONDAY, room_id=receiving.id, position=1, expected=30)
    await web.add(row)
    for epoch, spans in ((1, [(0, 1500), (1500, 3000)]), (2, [(9000, 10_000)])):
        body = json.dumps(manifest(epoch, spans)).replace('"less"', f'"{lesson}"')
        await web.objects.put(f"lessons/{lesson}/e{epoch}/manifest.json", body.encode())
    await web.objects.put(f"lessons/{lesson}/e1/mic/000000.m4s", b"0123456789")
    ops = [
        {"seq": 1, "epoch": 1, "t": 5, "kind": "chat.say", "by": f"t-{teacher.id}", "body": {"text": "好"}, "v": 1},
        {"seq": 2, "epoch": 1, "t": 9, "kind": "hand.raise", "by": "x", "body": {"seat": f"r-{receiving.id}"}, "v": 1},
    ]
    await web.objects.put(
        f"lessons/{lesson}/ops/e1-00000001.jsonl", b"".join(json.dumps(o).encode() + b"\n" for o in ops)
    )
    await note(web, Fact("a", "RecordingSaved", lesson, 2, 0, 0, data={"saved_ms": 10_000, "bytes": 5000}))
    await note(web, Fact("b", "LessonClosed", lesson, 2, 0, 0))
    colleague = await web.person("teacher", school=school)
    return Held(lesson, teacher, colleague, await web.person("teacher", school=other))


async def note(web: Web, fact: Fact) -> None:
    async with web.transaction() as session:
        await service.note_fact(session, fact, web.clock.now())


async def test_one_replay_of_two_epochs(web: Web, held: Held) -> None:
    browser = await web.sign_in(held.colleague)
    answer = await browser.get(f"/api/v1/lessons/{held.lesson}/replay")
    body = answer.json()
    assert answer.status_code == 200 and body["state"] == "closed"
    (track,) = body["tracks"]
    assert [f["from_ms"] for f in track["fragments"]] == [0, 1500, 9000]
    assert track["gaps"] == [{"from_ms": 3000, "to_ms": 9000, "cause": "node"}]
    assert (body["from_ms"], body["to_ms"], body["opened_at_ms"]) == (0, 10_000, 1000)
    assert sorted(body["names"].values()) == ["实验小学 听讲", "李老师"]
    assert [op["kind"] for op in body["ops"]] == ["chat.say", "hand.raise"]


async def test_strangers_sign_in_and_others_learn_nothing(web: Web, held: Held) -> None:
    media = f"/api/v1/lessons/{held.lesson}/replay/media/1/mic/000000.m4s"
    for url in (f"/api/v1/lessons/{held.lesson}/replay", media):
        assert (await web.browser().get(url)).status_code == 401
        assert (await (await web.sign_in(held.stranger)).get(url)).status_code == 404
    foreign = await (await web.sign_in(held.stranger)).get("/replays")
    assert foreign.status_code == 200 and "分数" not in foreign.text


async def test_bytes_stay_in_the_browser_for_ever(web: Web, held: Held) -> None:
    browser = await web.sign_in(held.teacher)
    url = f"/api/v1/lessons/{held.lesson}/replay/media/1/mic/000000.m4s"
    answer = await browser.get(url)
    assert answer.content == b"0123456789" and answer.headers["content-type"] == "audio/mp4"
    assert "immutable" in answer.headers["cache-control"] and "private" in answer.headers["cache-control"]
    again = await browser.get(url, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304 and again.content == b""


async def test_a_shared_screens_sound_is_part_of_the_replay(web: Web, held: Held) -> None:
    body = json.dumps(manifest(3, [(20_000, 21_500)], track="screen-audio")).replace('"less"', f'"{held.lesson}"')
    await web.objects.put(f"lessons/{held.lesson}/e3/manifest.json", body.encode())
    await web.objects.put(f"lessons/{held.lesson}/e3/screen-audio/020000.m4s", b"film")
    await note(web, Fact("c", "RecordingSaved", held.lesson, 3, 0, 0, data={"saved_ms": 21_500, "bytes": 5004}))
    browser = await web.sign_in(held.colleague)
    tracks = (await browser.get(f"/api/v1/lessons/{held.lesson}/replay")).json()["tracks"]
    film = next(one for one in tracks if one["track"] == "screen-audio")
    assert film["kind"] == "audio"
    media = await browser.get(film["fragments"][0]["url"])
    assert (media.content, media.headers["content-type"]) == (b"film", "audio/mp4")


@pytest.mark.parametrize(
    ("wanted", "status", "body"),
    [
        ("bytes=2-4", 206, b"234"),
        ("bytes=7-", 206, b"789"),
        ("bytes=7-99", 206, b"789"),
        ("bytes=10-", 416, b""),
        ("bytes=5-2", 416, b""),
        ("bytes=-3", 200, b"0123456789"),
        ("items=1-2", 200, b"0123456789"),
    ],
)
async def test_ranges(web: Web, held: Held, wanted: str, status: int, body: bytes) -> None:
    browser = await web.sign_in(held.teacher)
    answer = await browser.get(
        f"/api/v1/lessons/{held.lesson}/replay/media/1/mic/000000.m4s", headers={"range": wanted}
    )
    assert (answer.status_code, answer.content) == (status, body)


@pytest.mark.parametrize(
    "path",
    [
        "1/mic/000001.m4s",
        "9/mic/000000.m4s",
        "1/mic/manifest.json",
        "1/%2e%2e/x.m4s",
        "0/mic/000000.m4s",
        "1/MIC/000000.m4s",
    ],
)
async def test_no_other_objects(web: Web, held: Held, path: str) -> None:
    browser = await web.sign_in(held.teacher)
    answer = await browser.get(f"/api/v1/lessons/{held.lesson}/replay/media/{path}")
    assert answer.status_code in (404, 422)


async def test_before_anything_was_recorded(web: Web, held: Held) -> None:
    web.objects.held.clear()
    body = (await (await web.sign_in(held.teacher)).get(f"/api/v1/lessons/{held.lesson}/replay")).json()
    assert body["state"] == "none" and body["tracks"] == [] and body["to_ms"] == 0


async def test_a_store_that_is_away_is_said_so(web: Web, held: Held, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_arguments: Any, **_options: Any) -> bytes:
        raise ObjectStoreError("away")

    browser = await web.sign_in(held.teacher)
    monkeypatch.setattr(web.objects, "get", away)
    assert (await browser.get(f"/api/v1/lessons/{held.lesson}/replay")).status_code == 503


async def test_facts_keep_the_row(web: Web, held: Held) -> None:
    await note(web, Fact("c", "LessonReopened", held.lesson, 2, 0, 0))
    await note(web, Fact("d", "RecordingSaved", held.lesson, 1, 0, 0, data={"saved_ms": 400, "bytes": 1}))
    await note(web, Fact("e", "RecordingGap", held.lesson, 3, 0, 0, data={"from_ms": 1, "to_ms": 2, "cause": "loss"}))
    await note(web, Fact("f", "Chat", held.lesson, 9, 0, 0, data={"seat": "x"}))
    await note(web, Fact("g", "RecordingSaved", "nosuchlesson", 1, 0, 0, data={"saved_ms": 1, "bytes": 1}))
    async with web.database.reading() as session:
        row = await store.recording(session, SYSTEM, held.lesson)
        assert row is not None
        assert (row.state, row.last_epoch, row.duration_ms, row.bytes, row.gaps) == ("recording", 3, 10_000, 5000, 1)
        assert await store.recording(session, SYSTEM, "nosuchlesson") is None


async def test_list_and_its_filters(web: Web, held: Held) -> None:
    browser = await web.sign_in(held.colleague)
    for query in ("", "?grade=3&subject=math", f"?teacher={held.teacher.id}&q=分", "?q=李老师", "?grade=&page=1"):
        page = await browser.get(f"/replays{query}")
        assert page.status_code == 200 and f"/lessons/{held.lesson}" in page.text, query
    for query in ("?grade=4", "?subject=art", "?q=没有", "?school=x", "?teacher=x"):
        page = await browser.get(f"/replays{query}")
        assert f"/lessons/{held.lesson}" not in page.text and "没有符合条件的回放" in page.text
    assert (await web.browser().get("/replays", headers={"accept": "application/json"})).status_code == 401


async def test_nothing_recorded_yet_says_what_comes(web: Web) -> None:
    person = await web.person("teacher", school=await web.school(await web.district()))
    page = await (await web.sign_in(person)).get("/replays?lang=en")
    assert "No replays yet" in page.text


async def test_the_lessons_page_carries_the_player(web: Web, held: Held) -> None:
    page = await (await web.sign_in(held.teacher)).get(f"/lessons/{held.lesson}")
    assert 'id="replay"' in page.text and "modules/replay/page.js" in page.text
    assert " style=" not in page.text.split('id="replay"')[1].split("</section>")[0]


async def test_a_recording_only_counts_for_its_lesson(web: Web, held: Held) -> None:
    async with web.database.reading() as session:
        assert isinstance(await store.recording(session, SYSTEM, held.lesson), Recording)
        assert await store.last_epoch(session, SYSTEM, "nosuch") == 0
