"""The node as a process: join, do, ops, reconnect with tail, kill -9 and recovery, take-over by another node."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import httpx2
import pytest
import websockets

from tests.support.signaling import NodeProcess, fake_web, make_spec, node_process, until

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
        await until(lambda: {"LessonOpened", "Hand", "Chat"} <= set(web.kinds()))
        await until(lambda: any(beat["rooms"] for beat in web.beats))


async def test_kill_9_and_recovery_in_the_same_epoch(tmp_path: Path) -> None:
    async with fake_web() as web:
        node = await NodeProcess(tmp_path / "n1", web).start()
        await node.put(make_spec())
        teacher = await node.page(web.token("teacher"), device="d1")
        welcome = await teacher.next("welcome")
        await teacher.do("lesson.open")
        await teacher.do("deck.open", deck="d", pages=9, title="荷花")
        before = await teacher.do("page.turn", _id="turn", page=4)
        await node.kill()
        web.away = True  # nobody helps
        node = await NodeProcess(tmp_path / "n1", web).start()
        try:
            last = {"epoch": 1, "seq": welcome["seq"]}
            teacher = await node.page(welcome["resume"], device="d1", last=last)
            back = await teacher.next("welcome")
            assert back["epoch"] == 1 and back["state"] is None and back["transports"] == []
            assert [op["kind"] for op in back["ops"]][-1] == "page.turn"
            assert back["room_ms"] > welcome["room_ms"]
            # The wish whose answer was lost is asked again, and done once.
            assert (await teacher.do("page.turn", _id="turn", page=4))["seq"] == before["seq"]
            fresh = await node.page(web.token("class", "room1"))
            state = (await fresh.next("welcome"))["state"]
            assert (state["phase"], state["page"], state["deck"]["id"]) == ("live", 4, "d")
            web.away = False
            await until(lambda: "Page" in web.kinds())
            assert web.kinds().count("LessonOpened") == 1
        finally:
            assert await node.stop() == 0


async def test_another_node_takes_over(tmp_path: Path) -> None:
    async with fake_web() as web:
        first = await NodeProcess(tmp_path / "n1", web).start()
        await first.put(make_spec())
        teacher = await first.page(web.token("teacher"))
        await teacher.next("welcome")
        await teacher.do("lesson.open")
        await teacher.do("chat.say", text="一")
        chunks = tmp_path / "objects" / "lessons" / "L1" / "ops"
        await until(lambda: any("chat.say" in path.read_text() for path in chunks.glob("*.jsonl")))
        await first.kill()
        async with node_process(tmp_path / "n2", web, "n2") as second:
            assert await second.put(make_spec(epoch=2)) == 200
            assert await second.put(make_spec(epoch=1)) == 409
            stale = await second.page(web.token("teacher"))
            assert (await stale.next("error"))["code"] == "seat_epoch"
            teacher = await second.page(web.token("teacher", epoch=2), last={"epoch": 1, "seq": 3})
            welcome = await teacher.next("welcome")
            assert welcome["epoch"] == 2 and welcome["state"]["epoch"] == 2
            assert welcome["state"]["phase"] == "live"
            assert [line["text"] for line in welcome["state"]["chat"]] == ["一"]
            # The old node comes back, hears that the room moved, and lets go of it.
            web.epochs["L1"] = 2
            async with node_process(tmp_path / "n1", web) as first:
                page = await first.page(web.token("teacher"))
                async with asyncio.timeout(15):
                    while True:
                        message = await page.next_any()
                        if message["type"] == "closed" or message.get("code") == "room_unknown":
                            break
                assert message.get("reason", "epoch") == "epoch"


async def test_bad_callers_of_the_control_door(tmp_path: Path) -> None:
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node:
        spec = make_spec()
        url = f"{node.http}/control/rooms/L1"
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.put(url, json=spec.model_dump())).status_code == 401
            other = web.service("n2")
            assert (await client.put(url, json=spec.model_dump(), headers=other)).status_code == 401
            assert (await client.put(url, json={"x": 1}, headers=web.service("n1"))).status_code == 422
            evil = f"{node.http}/control/rooms/..%2F..%2Fx"
            assert (await client.put(evil, json=spec.model_dump(), headers=web.service("n1"))).status_code == 404
            assert (await client.delete(url, headers=web.service("n1"))).status_code == 404
            assert await node.put(spec) == 200
            token = web.token("class", "room1")
            page = await node.page(token)
            await page.next("welcome")
            revoke = await client.post(f"{url}/revoke", json={"seat": "r-room1"}, headers=web.service("n1"))
            assert revoke.status_code == 204
            assert (await page.next("closed"))["reason"] == "revoked"
            again = await node.page(token)
            assert (await again.next("error"))["code"] == "seat_revoked"
            teacher = await node.page(web.token("teacher"))
            await teacher.next("welcome")
            gone = await client.request("DELETE", url, json={"epoch": 1, "reason": "moved"}, headers=web.service("n1"))
            assert gone.status_code == 204
            assert (await teacher.next("closed"))["reason"] == "moved"


async def test_foreign_origin_garbage_and_the_wrong_first_message(tmp_path: Path) -> None:
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node:
        await node.put(make_spec())
        url = f"ws://127.0.0.1:{node.port}/ws"
        with pytest.raises(websockets.InvalidStatus) as refused:
            await websockets.connect(url, origin=websockets.Origin("https://evil.example"), proxy=None)
        assert refused.value.response.status_code == 403
        async with websockets.connect(url, origin=websockets.Origin(f"http://127.0.0.1:{node.port + 1}"), proxy=None):
            pass
        for text, code in (("{", "message"), ('{"type":"ping","t":1}', "join_first"), ("x" * 70_000, "message")):
            page = await node.page()
            await page.socket.send(text)
            assert (await page.next("error"))["code"] == code
            with pytest.raises(websockets.ConnectionClosed):
                await page.next("never")
        page = await node.page()
        await page.socket.send(b"\x00\x01")
        assert (await page.next("error"))["code"] == "message"


async def test_sigterm_says_shutdown(tmp_path: Path) -> None:
    async with fake_web() as web:
        node = await NodeProcess(tmp_path / "n1", web).start()
        await node.put(make_spec())
        page = await node.page(web.token("class", "room1"))
        await page.next("welcome")
        stopping = asyncio.create_task(node.stop())
        assert (await page.next("closed"))["reason"] == "shutdown"
        assert await stopping == 0
        assert "EndpointLeft" in web.kinds()


async def test_an_orderly_restart_brings_rooms_back_without_the_web(tmp_path: Path) -> None:
    async with fake_web() as web:
        node = await NodeProcess(tmp_path / "n1", web).start()
        await node.put(make_spec())
        page = await node.page(web.token("class", "room1"))
        resume = (await page.next("welcome"))["resume"]
        assert await node.stop() == 0
        async with node_process(tmp_path / "n1", web) as node:
            page = await node.page(resume)
            assert (await page.next("welcome"))["epoch"] == 1


async def test_a_wrong_setting_ends_with_a_sentence(tmp_path: Path) -> None:
    async with fake_web() as web:
        node = NodeProcess(tmp_path / "n1", web, TONGTANG_NODE_IDD="x")
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "signaling", env=node.environment, stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
        assert process.returncode == 2
        assert b"TONGTANG_NODE_IDD is not a setting; did you mean TONGTANG_NODE_ID?" in said
