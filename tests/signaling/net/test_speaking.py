"""A real microphone's levels, through a real node: the page is told who speaks, the ledger for how long."""

from __future__ import annotations

from pathlib import Path

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection

from tests.signaling.net.test_mixer import TEACHER, Tone, negotiate
from tests.support.signaling import fake_web, make_spec, node_process, until, wall_ms

pytestmark = pytest.mark.slow


async def test_who_speaks_is_shown_and_counted(tmp_path: Path) -> None:
    async with fake_web() as web, node_process(tmp_path / "node", web) as node:
        assert await node.put(make_spec(starts_at_ms=wall_ms())) == 200
        page = await node.page(web.token("teacher"))
        await page.next("welcome")
        assert (await page.do("lesson.open"))["type"] == "done"
        pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        pc.addTrack(Tone(TEACHER))
        await negotiate(pc, f"{node.http}/whip/L1", web.token("teacher"))
        assert (await page.next("speaking", 30))["seats"] == ["t-teacher"]
        await pc.close()
        assert (await page.next("speaking", 30))["seats"] == []
        await until(lambda: "Spoke" in web.kinds(), 30)
        (fact,) = [fact for fact in web.facts.values() if fact["kind"] == "Spoke"]
        assert fact["data"]["seat"] == "t-teacher" and fact["data"]["to_at"] > fact["data"]["from_at"]
        await page.close()
