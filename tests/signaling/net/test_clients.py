"""WHIP and WHEP clients that are not ours: npm's whip-whep in Chromium, against a real node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.signaling.test_media_chromium import browser
from tests.support.processes import ROOT
from tests.support.signaling import NodeProcess, fake_web, make_spec, node_process, until

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PACKAGE = ROOT / "node_modules" / "whip-whep"

PUBLISH = """async ([url, token]) => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 640, height: 360 } });
  window.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const track of stream.getTracks()) pc.addTransceiver(track, { direction: "sendonly" });
  window.client = new WHIPClient();
  await client.publish(pc, url, token);
}"""
VIEW = """async ([url, token]) => {
  window.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
  for (const kind of ["audio", "video"]) pc.addTransceiver(kind, { direction: "recvonly" });
  window.client = new WHEPClient();
  await client.view(pc, url, token);
}"""
FRAMES = """async () => {
  let frames = 0;
  (await pc.getStats()).forEach((one) => { if (one.type === "inbound-rtp") frames += one.framesDecoded ?? 0; });
  return frames;
}"""


async def page_with(chrome: Browser, node: NodeProcess, name: str) -> Page:
    page = await chrome.new_page()
    await page.goto(f"{node.http}/healthz")
    kind = "WHIPClient" if name == "whip.js" else "WHEPClient"
    body = (PACKAGE / name).read_text("utf-8").replace("export class", "class")
    await page.add_script_tag(content=f"{body}\nwindow.{kind} = {kind};")
    return page


async def grows(page: Page, by: int) -> None:
    before = await page.evaluate(FRAMES)

    async def more() -> bool:
        return bool(await page.evaluate(FRAMES) >= before + by)

    await until(more)


@pytest.mark.skipif(not PACKAGE.is_dir(), reason="npm's whip-whep is not installed (npm ci --ignore-scripts)")
async def test_whip_whep_in_chromium(tmp_path: Path) -> None:
    """Publish, play, restart ICE on both sides, leave."""
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node, browser() as chrome:
        await node.put(make_spec())
        encoder, player = await page_with(chrome, node, "whip.js"), await page_with(chrome, node, "whep.js")
        answers: list[tuple[str, int]] = []
        for page in (encoder, player):
            page.on("response", lambda answer: answers.append((answer.request.method, answer.status)))
        await encoder.evaluate(PUBLISH, [f"{node.http}/whip/L1", web.token("teacher")])
        await until(lambda: "EndpointJoined" in web.kinds())

        async def connected() -> Any:
            return await encoder.evaluate("pc.connectionState") == "connected"

        await until(connected)
        await player.evaluate(VIEW, [f"{node.http}/whep/L1", web.token("watch")])
        await grows(player, 20)
        await encoder.evaluate("client.restart()")
        await player.evaluate("client.restart()")
        await grows(player, 40)
        assert (
            await encoder.evaluate("pc.connectionState") == await player.evaluate("pc.connectionState") == "connected"
        )
        await encoder.evaluate("client.stop()")
        await until(lambda: web.kinds().count("EndpointLeft") == 1)
        assert answers.count(("POST", 201)) == 2 and ("DELETE", 200) in answers
        assert {status for method, status in answers if method == "PATCH"} == {200, 204}, "trickled and restarted"
