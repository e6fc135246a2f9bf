"""WHIP and WHEP clients that are not ours: npm's whip-whep in Chromium, against a real node; and what they see of a
camera that makes key frames when it likes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Error, Page

from tests.signaling.net.test_sources import fetch
from tests.signaling.test_media_chromium import browser
from tests.support.processes import ROOT
from tests.support.rtsp import HEIGHT, WIDTH, ip_camera
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


needs_package = pytest.mark.skipif(
    not PACKAGE.is_dir(), reason="npm's whip-whep is not installed (npm ci --ignore-scripts)"
)


@needs_package
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


SIZE = """async () => {
  let size = [];
  (await pc.getStats()).forEach((one) => {
    if (one.type === "inbound-rtp" && one.framesDecoded) size = [one.frameWidth, one.frameHeight];
  });
  return size;
}"""


@needs_package
async def test_who_joins_after_a_cameras_key_frame_sees_that_one(tmp_path: Path) -> None:
    """Nobody can ask an IP camera for one; this one never makes another."""
    async with (
        fake_web() as web,
        node_process(tmp_path / "n1", web, TONGTANG_SOURCES_LOCAL="true") as node,
        browser() as chrome,
        ip_camera("admin:p", once=True) as (camera, port),
    ):
        await node.put(make_spec())
        players = [await page_with(chrome, node, "whep.js") for _ in range(2)]
        address = f"rtsp://127.0.0.1:{port}/stream1"
        assert await fetch(node, {"room": "lead", "address": address, "secret": "admin:p"}) == 204
        for number, player in enumerate(players):
            access = [f"{node.http}/whep/L1", web.token("watch", person=f"p{number}")]

            async def views(page: Page = player, access: list[str] = access) -> bool:
                try:
                    await page.evaluate(VIEW, access)
                except Error:  # 409: nobody sends yet
                    return False
                return True

            async def sees(page: Page = player) -> bool:
                return bool(await page.evaluate(SIZE) == [WIDTH, HEIGHT])

            await until(views)
            await until(sees)
        assert camera.key_frames == 1
        assert await fetch(node) == 204
