"""The whole signalling path with a real browser: offers, answers, slots, floor. What the packets do is media's
matter.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.support.browser import ARGS, chromium
from tests.support.signaling import FakeWeb, NodeProcess, fake_web, make_spec, node_process, until

pytestmark = pytest.mark.e2e

CLIENT = Path(__file__).with_name("client.js")
SOURCES: dict[str, tuple[bool, int, int]] = {"teacher": (True, 3, 8), "class": (True, 3, 6), "watch": (False, 3, 6)}


@asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        flags = [*ARGS, "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        opened = await playwright.chromium.launch(executable_path=chromium(), args=flags)
        try:
            yield opened
        finally:
            await opened.close()


async def enter(
    browser: Browser, node: NodeProcess, web: FakeWeb, role: Any, room: str | None = None, **more: Any
) -> Page:
    """``more``: how the camera is sent (``layers``, ``codec``)."""
    page = await browser.new_page()
    await page.goto(f"{node.http}/healthz")
    await page.add_script_tag(path=CLIENT)
    publish, audio, video = SOURCES[role]
    await page.evaluate(
        "options => client(options)",
        {
            "ws": f"ws://127.0.0.1:{node.port}/ws",
            "lesson": "L1",
            "token": web.token(role, room),
            "publish": publish,
            "audio": audio,
            "video": video,
            **more,
        },
    )
    return page


async def reaches(page: Page, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What the page receives, once ``holds``."""
    found: dict[str, Any] = {}

    async def look() -> bool:
        nonlocal found
        found = await page.evaluate("received()")
        return holds(found)

    try:
        await until(look)
    except TimeoutError:
        raise AssertionError(found) from None
    return found


def frames(found: dict[str, Any], mid: str) -> int:
    return int(found.get(mid, {}).get("frames", 0))


async def slots(page: Page) -> dict[str, tuple[str, str]]:
    shown = await page.evaluate("me.slots")
    return {slot["mid"]: (slot["seat"], slot["source"]) for slot in shown if slot["seat"]}


async def test_teacher_and_two_rooms(tmp_path: Path) -> None:
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node, browser() as chrome:
        assert await node.put(make_spec()) == 200
        teacher = await enter(chrome, node, web, "teacher")
        one = await enter(chrome, node, web, "class", "room1")
        two = await enter(chrome, node, web, "class", "room2")
        await teacher.evaluate("me.do('lesson.open')")
        # mids 0..2 are sound, 3.. pictures; 3 is the teacher's camera, on the teacher's page the first tile
        found = await reaches(one, lambda r: frames(r, "3") > 20 and r.get("0", {}).get("energy", 0) > 0)
        assert found["3"]["codec"] == "video/H264" and found["0"]["codec"] == "audio/opus"
        await reaches(teacher, lambda r: frames(r, "3") > 20 and frames(r, "4") > 20)
        assert await slots(teacher) == {"3": ("r-room1", "camera"), "4": ("r-room2", "camera")}
        assert await slots(one) == {"0": ("t-teacher", "mic"), "3": ("t-teacher", "camera")}
        await teacher.evaluate("me.do('floor.give', {seat: 'r-room1'})")
        await reaches(two, lambda r: frames(r, "5") > 20 and r.get("1", {}).get("energy", 0) > 0)
        assert (await slots(two))["1"] == ("r-room1", "mic")
        # A room never hears itself.
        assert await slots(one) == {"0": ("t-teacher", "mic"), "3": ("t-teacher", "camera")}
        await teacher.evaluate("me.do('floor.take', {seat: null})")

        async def silent() -> bool:
            return "1" not in await slots(two)

        await until(silent)
        await teacher.wait_for_function("me.log.some(m => m.type === 'saved' && m.room_ms > 0)", timeout=60_000)
        await teacher.evaluate("me.do('lesson.close')")
        manifest = tmp_path / "objects" / "lessons" / "L1" / "e1" / "manifest.json"
        await until(lambda: manifest.exists() and json.loads(manifest.read_text())["closed"])
        tracks = {track["track"]: track for track in json.loads(manifest.read_text())["tracks"]}
        assert set(tracks) == {"camera", "mic"} and all(track["fragments"] for track in tracks.values())
        assert await teacher.evaluate("me.errors") == []


def manifest_of(folder: Path, epoch: int = 1) -> dict[str, Any]:
    path = folder / "objects" / "lessons" / "L1" / f"e{epoch}" / "manifest.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"saved_ms": 0, "tracks": []}
    return found


def spans(track: dict[str, Any]) -> list[tuple[int, int]]:
    return [(one["from_ms"], one["to_ms"]) for one in track["fragments"]]


async def test_kill_9_in_mid_recording_leaves_one_marked_gap(tmp_path: Path) -> None:
    async with fake_web() as web, browser() as chrome:
        node = await NodeProcess(tmp_path / "n1", web).start()
        await node.put(make_spec())
        teacher = await enter(chrome, node, web, "teacher")
        await teacher.evaluate("me.do('lesson.open')")
        await until(lambda: manifest_of(tmp_path)["saved_ms"] > 4000)
        await node.kill()
        before = manifest_of(tmp_path)["saved_ms"] + 2000  # what was spooled and not yet listed
        node = await NodeProcess(tmp_path / "n1", web).start()
        try:
            teacher = await enter(chrome, node, web, "teacher")
            assert (await teacher.evaluate("me.welcome.state"))["recording"]["on"] is True
            await until(lambda: all(max(spans(one))[0] > before for one in manifest_of(tmp_path)["tracks"]))
            for track in manifest_of(tmp_path)["tracks"]:
                (gap,) = [gap for gap in track["gaps"] if gap["cause"] == "node"]
                found = spans(track)
                assert all(to <= gap["from_ms"] or since >= gap["to_ms"] for since, to in found), (gap, found)
                assert min(found)[1] <= gap["from_ms"] and max(found)[0] >= gap["to_ms"]
            await until(lambda: web.kinds().count("RecordingGap") == 1)
        finally:
            await node.stop()
