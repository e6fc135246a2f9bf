"""Layers with a real browser: three are sent as our answer says, and those that nobody takes rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from tests.signaling.test_media_chromium import CLIENT, browser, enter, frames, reaches
from tests.support.signaling import fake_web, make_spec, node_process, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

LAYERS = [
    {"rid": "q", "scaleResolutionDownBy": 4, "maxBitrate": 150_000},
    {"rid": "h", "scaleResolutionDownBy": 2, "maxBitrate": 500_000},
    {"rid": "f", "scaleResolutionDownBy": 1, "maxBitrate": 2_500_000},
]
CODECS = ("video/H264", "video/VP8")


async def sends(page: Page, rids: set[str]) -> dict[str, Any]:
    """Exactly these layers make new frames."""
    found: dict[str, Any] = {}

    async def look() -> bool:
        nonlocal found
        before = await page.evaluate("sent()")
        await page.wait_for_timeout(1000)
        found = await page.evaluate("sent()")
        moving = {rid for rid, one in found.items() if one["frames"] > before.get(rid, {}).get("frames", 0)}
        return moving == rids

    try:
        await until(look)
    except TimeoutError:
        raise AssertionError((rids, found)) from None
    return found


@pytest.mark.parametrize("codec", CODECS)
async def test_three_layers_are_sent_and_rest_when_nobody_looks(tmp_path: Path, codec: str) -> None:
    assert CLIENT.exists()
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node, browser() as chrome:
        await node.put(make_spec())
        teacher = await enter(chrome, node, web, "teacher", layers=LAYERS, codec=codec)
        room = await enter(chrome, node, web, "class", "room1")
        found = await sends(teacher, {"q", "h", "f"})
        assert {one["codec"] for one in found.values()} == {codec} and all(one["rtx"] for one in found.values())
        assert found["f"]["width"] == 960 and found["q"]["width"] == 240
        await reaches(room, lambda seen: frames(seen, "3") > 20)
        await room.close()
        await sends(teacher, set())
        again = await enter(chrome, node, web, "class", "room2")
        await reaches(again, lambda seen: frames(seen, "3") > 20)
