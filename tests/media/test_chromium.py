"""Chromium against ``open_media`` on loopback: what aiortc forgives, a browser does not (webrtc-notes, the traps)."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright

from media.parameters import SlotQuality, TransportLost
from media.sfu import Sfu
from tests.support.browser import ARGS, chromium
from tests.support.media import lossy, parse_offer, publish, running, subscribe

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

PEERS = Path(__file__).parents[1] / "support" / "media_peers.js"
Stats = list[dict[str, Any]]


@asynccontextmanager
async def browser_page(*more: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        arguments = [*ARGS, "--autoplay-policy=no-user-gesture-required", *more]
        browser = await playwright.chromium.launch(executable_path=chromium(), args=arguments)
        page = await browser.new_page()
        await page.route("**/*", lambda r: r.fulfill(body="<!doctype html><body></body>", content_type="text/html"))
        await page.goto("http://localhost/")
        await page.add_script_tag(path=PEERS)
        try:
            yield page
        finally:
            await browser.close()


def now() -> float:
    return asyncio.get_running_loop().time()


async def teach(page: Page, sfu: Sfu, mime: str, rids: list[str] | None = None, **paths: bool) -> None:
    offer = await page.evaluate("([mime, rids]) => publishOffer('teacher', mime, rids)", [mime, rids])
    await page.evaluate(
        "sdp => setAnswer('teacher', sdp)", publish(sfu, "lesson", "teacher", offer, now(), mime, **paths)
    )


async def watch(page: Page, sfu: Sfu, name: str, route: bool = True, **choice: bool) -> None:
    offer = await page.evaluate("name => subscribeOffer(name, 1, 1)", name)
    answer = subscribe(sfu, "lesson", name, offer, now(), **choice)
    await page.evaluate("([name, sdp]) => setAnswer(name, sdp)", [name, answer])
    if route:
        sfu.route(name, "0", "teacher/0", now())
        sfu.route(name, "1", "teacher/1", now())


async def inbound(page: Page, name: str, kind: str) -> dict[str, Any]:
    stats: Stats = await page.evaluate("name => statsOf(name)", name)
    return next((s for s in stats if s["type"] == "inbound-rtp" and s["kind"] == kind), {})


async def until(page: Page, name: str, frames: int) -> dict[str, Any]:
    """Waits for so many decoded frames (test framesDecoded: currentTime rises without any picture)."""
    for _ in range(200):
        seen = await inbound(page, name, "video")
        if seen.get("framesDecoded", 0) >= frames:
            return seen
        await asyncio.sleep(0.1)
    raise AssertionError(f"{name}: {seen}")


@pytest.mark.parametrize(("mime", "tcp"), [("video/VP8", False), ("video/H264", False), ("video/H264", True)])
async def test_picture_and_sound_arrive_in_time(mime: str, tcp: bool) -> None:
    async with browser_page() as page, running() as (sfu, _):
        await teach(page, sfu, mime, udp=not tcp)
        await watch(page, sfu, "room", udp=not tcp)
        await until(page, "room", 60)
        apart = -1.0
        for _ in range(200):  # sound's first sender report comes late, and a browser slides into sync
            video, audio = await inbound(page, "room", "video"), await inbound(page, "room", "audio")
            if video.get("estimatedPlayoutTimestamp") and audio.get("estimatedPlayoutTimestamp"):
                apart = abs(video["estimatedPlayoutTimestamp"] - audio["estimatedPlayoutTimestamp"])
                if apart < 150:
                    break
            await asyncio.sleep(0.1)
        assert 0 <= apart < 150, "lips and sound"
        assert audio["totalAudioEnergy"] > 0
        assert video["packetsLost"] <= 0 and audio["packetsLost"] <= 0
        assert {s.path for s in sfu.stats("lesson")} == {"tcp" if tcp else "udp"}
        transport = next(s for s in await page.evaluate("statsOf('room')") if s["type"] == "transport")
        assert transport["srtpCipher"] == "SRTP_AEAD_AES_128_GCM"
        if not tcp:  # over TCP Chromium resets the connection before its close_notify is out: silence ends it
            await page.evaluate("peers.room.close()")
            await asyncio.sleep(1)
            assert TransportLost("lesson", "room", "closed") in sfu.events()


async def test_the_publisher_learns_its_bandwidth() -> None:
    """Trap 3: without feedback that a browser believes, its estimate crawls from 300 to 450 kbit/s."""
    estimates = []
    for _ in range(4):  # a machine that is busy elsewhere can spoil the few packets of a probe
        async with browser_page() as page, running() as (sfu, _):
            await teach(page, sfu, "video/VP8")
            for _ in range(60):
                stats: Stats = await page.evaluate("statsOf('teacher')")
                estimates.append(max((s.get("availableOutgoingBitrate", 0) for s in stats), default=0))
                if estimates[-1] > 1_000_000:
                    return
                await asyncio.sleep(0.1)
    raise AssertionError(f"estimates {max(estimates)}")


@pytest.mark.parametrize("rtx", [True, False])
async def test_losses_are_mended(rtx: bool) -> None:
    async with browser_page() as page, running(lossy(0.05)) as (sfu, _):
        await teach(page, sfu, "video/VP8")
        await watch(page, sfu, "room", rtx=rtx)
        seen = await until(page, "room", 100)
        assert seen["nackCount"] > 0
        stats = {s.transport: s for s in sfu.stats("lesson")}
        assert stats["room"].retransmitted > 0
        assert (seen.get("retransmittedPacketsReceived", 0) > 0) is rtx
        assert seen["keyFramesDecoded"] <= 3, "repaired by packets, not by pictures"


async def test_a_slot_changes_its_source_without_negotiation() -> None:
    """Two publishers take turns in one slot: one SSRC, numbers and timestamps go on."""
    async with browser_page() as page, running() as (sfu, _):
        await teach(page, sfu, "video/VP8")
        offer = await page.evaluate("publishOffer('second', 'video/VP8', null)")
        answer = publish(sfu, "lesson", "second", offer, now())
        await page.evaluate("sdp => setAnswer('second', sdp)", answer)
        await watch(page, sfu, "room")
        frames = (await until(page, "room", 20))["framesDecoded"]
        for turn in range(4):
            sfu.route("room", "1", "second/1" if turn % 2 == 0 else "teacher/1", now())
            seen = await until(page, "room", frames + 30)
            frames = seen["framesDecoded"]
        assert seen["packetsLost"] <= 0, "numbers go on"
        assert seen["keyFramesDecoded"] >= 5, "a key frame at the beginning of each turn"


@pytest.mark.parametrize("mime", ["video/VP8", "video/H264"])
async def test_of_a_simulcast_offer_a_room_gets_what_its_line_carries(mime: str) -> None:
    """Small at first; on loopback the better one within seconds."""
    async with browser_page() as page, running() as (sfu, _):
        await teach(page, sfu, mime, ["q", "h"])
        await watch(page, sfu, "room", transport_cc=True)
        seen = await until(page, "room", 10)
        for _ in range(150):
            seen = await inbound(page, "room", "video")
            if seen["frameWidth"] == 640:
                break
            await asyncio.sleep(0.1)
        assert seen["frameWidth"] == 640
        said = [event.quality for event in sfu.events() if isinstance(event, SlotQuality)]
        assert said[-1] == "high"
        stats = next(s for s in sfu.stats("lesson") if s.transport == "room")
        assert stats.estimate is not None and stats.estimate > 500_000


async def test_ice_restart_keeps_the_transport() -> None:
    async with browser_page() as page, running() as (sfu, _):
        await teach(page, sfu, "video/VP8")
        await watch(page, sfu, "room")
        await until(page, "room", 10)
        sdp = await page.evaluate(
            """async () => { const pc = peers.room; pc.restartIce(); await pc.setLocalDescription();
                             return pc.localDescription.sdp; }"""
        )
        old = await page.evaluate("peers.room.remoteDescription.sdp")
        ice = sfu.restart_ice("room", parse_offer(sdp)[0].ice, now()).ice
        renewed = re.sub(r"a=ice-ufrag:\S+", f"a=ice-ufrag:{ice.ufrag}", old)
        renewed = re.sub(r"a=ice-pwd:\S+", f"a=ice-pwd:{ice.pwd}", renewed)
        await page.evaluate("sdp => setAnswer('room', sdp)", renewed)
        frames = (await inbound(page, "room", "video"))["framesDecoded"]
        await until(page, "room", frames + 60)
        assert not [e for e in sfu.events() if isinstance(e, TransportLost)]
