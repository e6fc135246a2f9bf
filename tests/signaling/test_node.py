"""The node as a process: join, do, ops, reconnect with tail, kill -9 and recovery, take-over by another node."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.support.signaling import fake_web, make_spec, node_process

pytestmark = pytest.mark.slow


async def test_a_lesson_over_websockets(tmp_path: Path) -> None:
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node:
        assert await node.put(make_spec()) == 200
        teacher = await node.page(web.token("teacher"))
        welcome = await teacher.next("welcome")
        assert welcome["state"]["phase"] == "waiting" and welcome["role"] == "teacher"
        room = await node.page(web.token("class", "room1"), device="d1")
        await room.next("welcome")
        assert (await teacher.do("lesson.open"))["type"] == "done"
        assert (await room.op("lesson.open"))["by"] == "t-teacher"
        assert (await room.do("lesson.close"))["code"] == "forbidden"
        assert (await room.do("hand.raise", pupil=7))["type"] == "done"
        assert (await teacher.op("hand.raise"))["body"] == {"seat": "r-room1", "pupil": 7}
        first = await room.do("chat.say", _id="same", text="听得清")
        again = await room.do("chat.say", _id="same", text="听得清")
        assert first["seq"] == again["seq"]
        for page in (teacher, room):
            await page.close()
        async with asyncio.timeout(10):
            while not {"LessonOpened", "Hand", "Chat"} <= set(web.kinds()):
                await asyncio.sleep(0.05)
        async with asyncio.timeout(10):
            while not any(beat["rooms"] for beat in web.beats):
                await asyncio.sleep(0.05)
