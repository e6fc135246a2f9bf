"""A chat line taken back after the lesson: by its teacher alone, out of every object, and told to the audit log."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from server.audit.models import AuditEntry
from server.lessons.models import Lesson
from tests.server.recordings.test_replay import Held, held
from tests.support.web import MONDAY, Web

__all__ = ["held"]
pytestmark = pytest.mark.slow


async def test_the_teacher_takes_a_line_back_after_the_lesson(web: Web, held: Held) -> None:
    """Its words are in no object any more; who did it stands in the audit log."""
    line, chunk = f"/api/v1/lessons/{held.lesson}/replay/chat", f"lessons/{held.lesson}/ops/e1-00000001.jsonl"
    before = (await web.objects.get(chunk)).splitlines()
    for person, status in ((held.colleague, 403), (held.stranger, 404)):
        browser = await web.sign_in(person)
        assert (await browser.delete(f"{line}/1")).status_code == status
        replay = await browser.get(f"/api/v1/lessons/{held.lesson}/replay")
        assert status == 404 or replay.json()["may_erase"] is False
    browser = await web.sign_in(held.teacher)
    assert (await browser.delete(f"{line}/2")).status_code == 404, "a hand, no words"
    for _ in range(2):
        assert (await browser.delete(f"{line}/1")).status_code == 204
    said, hand = (await web.objects.get(chunk)).splitlines()
    assert json.loads(said) == json.loads(before[0]) | {"body": {"text": ""}} and hand == before[1]
    assert json.loads(await web.objects.get(f"lessons/{held.lesson}/erased.json")) == [1]
    body = (await browser.get(f"/api/v1/lessons/{held.lesson}/replay")).json()
    assert body["may_erase"] is True and [op["body"].get("text") for op in body["ops"]] == ["", None]
    async with web.database.reading() as session:
        entry = await session.scalar(select(AuditEntry).where(AuditEntry.kind == "chat_line").limit(1))
    assert entry is not None and (entry.act, entry.row_id, entry.told) == ("delete", held.lesson, {"line": 1})
    assert entry.person_id == held.teacher.id and entry.school_id is not None


async def test_words_that_a_returned_node_shipped_again_stay_unseen(web: Web, held: Held) -> None:
    browser, chunk = await web.sign_in(held.teacher), f"lessons/{held.lesson}/ops/e1-00000001.jsonl"
    data = await web.objects.get(chunk)
    assert (await browser.delete(f"/api/v1/lessons/{held.lesson}/replay/chat/1")).status_code == 204
    await web.objects.put(chunk, data)
    body = (await browser.get(f"/api/v1/lessons/{held.lesson}/replay")).json()
    assert body["ops"][0]["body"] == {"text": ""}


async def test_in_the_lesson_lines_are_taken_back_on_its_own_page(web: Web, held: Held) -> None:
    await web.add(
        Lesson(
            id="running",
            title="分数",
            subject="math",
            grade=3,
            state="live",
            lead_room_id=(await lead_room(web, held)),
            teacher_id=held.teacher.id,
            starts_at=MONDAY,
            ends_at=MONDAY + timedelta(minutes=40),
            created_at=MONDAY,
        )
    )
    answer = await (await web.sign_in(held.teacher)).delete("/api/v1/lessons/running/replay/chat/1")
    assert answer.status_code == 409 and "上课页面" in answer.text


async def lead_room(web: Web, held: Held) -> str:
    async with web.database.reading() as session:
        return (await session.get_one(Lesson, held.lesson)).lead_room_id
