"""An encoder that knows its classroom's address only: the web sends it to the node (307), across another port.

Two clients that are not ours: an HTTP library that follows redirects with aiortc behind it, and Chromium's fetch. Both
leave the key behind on the way to another origin; the ticket in the redirect opens the door all the same.
"""

from __future__ import annotations

import asyncio
from typing import Any

import httpx2
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack
from playwright.sync_api import sync_playwright

from tests.support.browser import ARGS, chromium
from tests.support.site import PlannedLesson, Site

pytestmark = pytest.mark.e2e

DEVICES = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
PUBLISH = """async ([url, key]) => {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
  const pc = (window.pc = new RTCPeerConnection({ bundlePolicy: "max-bundle" }));
  for (const track of stream.getTracks()) pc.addTransceiver(track, { direction: "sendonly" });
  await pc.setLocalDescription();
  const headers = { "Content-Type": "application/sdp", Authorization: `Bearer ${key}` };
  const answer = await fetch(url, { method: "POST", body: pc.localDescription.sdp, headers });
  if (answer.status !== 201) return [answer.status, await answer.text()];
  const session = new URL(answer.headers.get("Location"), answer.url).href;
  const connected = new Promise((done) => {
    pc.onconnectionstatechange = () => ["connected", "failed"].includes(pc.connectionState) && done();
  });
  await pc.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  await connected;
  const left = await fetch(session, { method: "DELETE", headers: { Authorization: `Bearer ${key}` } });
  return [answer.status, pc.connectionState, answer.redirected, left.status];
}"""


@pytest.fixture(scope="module")
def lesson(site: Site) -> PlannedLesson:
    return site.plan_lesson("登鹳雀楼", starts_in=5, minutes=30, rooms=1)


@pytest.fixture
def key(site: Site, lesson: PlannedLesson) -> dict[str, Any]:
    """A stream key of the lesson's lead room, with the address that is typed into the encoder."""
    with site.visitor("city") as city:
        held = city.get(f"/api/v1/lessons/{lesson.id}").json()
        lead = next(one["id"] for one in site._rooms(city, held) if one["name"] == held["lead_room"])
        made: dict[str, Any] = city.tell(f"/api/v1/rooms/{lead}/stream-keys", {"label": "录播主机"})
    return made


async def publish(key: dict[str, Any]) -> tuple[list[int], str, int]:
    """(statuses on the way, state of the connection, status of leaving)"""
    pc = RTCPeerConnection()
    pc.addTrack(AudioStreamTrack())
    pc.addTrack(VideoStreamTrack())
    connected = asyncio.Event()
    pc.on("connectionstatechange", lambda: pc.connectionState in ("connected", "failed") and connected.set())
    bearer = {"Authorization": f"Bearer {key['key']}"}
    try:
        await pc.setLocalDescription(await pc.createOffer())
        async with httpx2.AsyncClient(trust_env=False, follow_redirects=True, timeout=30) as client:
            headers = {"Content-Type": "application/sdp"} | bearer
            answer = await client.post(key["url"], content=pc.localDescription.sdp, headers=headers)
            assert answer.status_code == 201, answer.text
            assert "authorization" not in answer.request.headers, "this library is one of those that leave it behind"
            await pc.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
            async with asyncio.timeout(60):
                await connected.wait()
            state = pc.connectionState
            left = await client.delete(str(answer.url.join(answer.headers["location"])), headers=bearer)
        return [*(one.status_code for one in answer.history), answer.status_code], state, left.status_code
    finally:
        await pc.close()


async def test_a_library_that_follows_redirects(key: dict[str, Any]) -> None:
    assert await publish(key) == ([307, 201], "connected", 200)


def test_a_browser_that_follows_redirects(site: Site, key: dict[str, Any]) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=[*ARGS, *DEVICES])
        try:
            page = browser.new_page()
            page.goto(f"{site.url}/login")
            found = page.evaluate(PUBLISH, [key["url"], key["key"]])
        finally:
            browser.close()
    assert found == [201, "connected", True, 200]
