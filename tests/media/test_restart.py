"""The pages' own connection (frontend/modules/media/peer.js) in Chromium: a network that changes."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from media.parameters import TransportConnected, TransportLost
from tests.media.test_chromium import browser_page, now, teach
from tests.support.media import parse_offer, running, subscribe

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

MODULES = Path(__file__).parents[2] / "frontend" / "modules"
BEGIN = """async () => {
  const { Peer } = await import("/modules/media/peer.js");
  window.states = [];
  window.peer = new Peer({
    offer: (sdp) => askNode(sdp),
    prepare: (pc) => pc.addTransceiver("video", { direction: "recvonly" }),
    changed: (state) => states.push(state),
    may: () => true,
  });
  await peer.open();
  window.first = peer.pc;
  const video = document.createElement("video");
  video.muted = video.autoplay = true;
  video.srcObject = new MediaStream([peer.pc.getReceivers()[0].track]);
  document.body.append(video);
}"""
FRAMES = """async () => {
  for (const one of (await peer.pc.getStats()).values()) if (one.type === "inbound-rtp") return one.framesDecoded ?? 0;
  return 0;
}"""


async def test_a_changed_network_restarts_ice_and_nothing_else() -> None:
    async with browser_page() as page, running() as (sfu, _):
        answers: list[str] = []
        restarted = asyncio.Event()

        async def ask_node(sdp: str) -> str:
            if not answers:
                answers.append(subscribe(sfu, "lesson", "room", sdp, now()))
                sfu.route("room", "0", "teacher/1", now())
            else:
                restarted.set()
                ice = sfu.restart_ice("room", parse_offer(sdp)[0].ice, now()).ice
                renewed = re.sub(r"a=ice-ufrag:\S+", f"a=ice-ufrag:{ice.ufrag}", answers[0])
                answers.append(re.sub(r"a=ice-pwd:\S+", f"a=ice-pwd:{ice.pwd}", renewed))
            return answers[-1]

        async def frames(least: int) -> int:
            for _ in range(200):
                if (seen := int(await page.evaluate(FRAMES))) >= least:
                    break
                await asyncio.sleep(0.1)
            assert seen >= least
            return seen

        await page.route(
            "**/modules/**",
            lambda route: route.fulfill(
                body=(MODULES / route.request.url.split("/modules/")[1]).read_text(), content_type="text/javascript"
            ),
        )
        await page.expose_function("askNode", ask_node)
        await teach(page, sfu, "video/VP8")
        await page.evaluate(BEGIN)
        before = await frames(10)
        await page.evaluate("window.dispatchEvent(new Event('online'))")
        await asyncio.wait_for(restarted.wait(), 10)
        await frames(before + 40)
        assert await page.evaluate("peer.pc === first"), "the same connection"
        assert "lost" not in await page.evaluate("states")
        events = sfu.events()
        assert len([e for e in events if isinstance(e, TransportConnected) and e.transport == "room"]) == 1
        assert not [e for e in events if isinstance(e, TransportLost)]
