"""Chromium that may use nothing but a relay, against our node: coturn with the configuration we ship, three ways in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page

from media.sfu import Sfu
from signaling.seats import relay_login
from tests.media.test_chromium import browser_page, now, teach, until
from tests.support.media import running, subscribe
from tests.support.services import Turn

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def relayed(turn: Turn, way: str, secret: str, at: float) -> dict[str, Any]:
    """What the seat's answer says, and no other way than this."""
    username, credential = relay_login(secret, "r-village", at)
    host = "127.0.0.1"
    url = f"turns:{host}:{turn.tls_port}?transport=tcp" if way == "tls" else f"turn:{host}:{turn.port}?transport={way}"
    server = {"urls": [url], "username": username, "credential": credential}
    return {"iceServers": [server], "iceTransportPolicy": "relay"}


async def join(page: Page, sfu: Sfu, configuration: dict[str, Any]) -> None:
    offer = await page.evaluate("c => subscribeOffer('room', 1, 1, c)", configuration)
    answer = subscribe(sfu, "lesson", "room", offer, now())
    await page.evaluate("sdp => setAnswer('room', sdp)", answer)
    sfu.route("room", "0", "teacher/0", now())
    sfu.route("room", "1", "teacher/1", now())


async def way_of(page: Page) -> tuple[str, str]:
    """(candidate type, how the relay is reached) of the pair in use."""
    stats = {s["id"]: s for s in await page.evaluate("statsOf('room')")}
    transport = next(s for s in stats.values() if s["type"] == "transport")
    local = stats[stats[transport["selectedCandidatePairId"]]["localCandidateId"]]
    return local["candidateType"], local.get("relayProtocol", "")


@pytest.mark.parametrize("way", ["udp", "tcp", "tls"])
async def test_a_lesson_passes_a_relay(turn_server: Turn, way: str) -> None:
    async with browser_page("--ignore-certificate-errors") as page, running() as (sfu, _):
        await teach(page, sfu, "video/VP8")
        await join(page, sfu, relayed(turn_server, way, turn_server.secret, turn_server.now()))
        await until(page, "room", 20)
        assert await way_of(page) == ("relay", way)


async def test_yesterdays_login_is_worth_nothing(turn_server: Turn) -> None:
    async with browser_page() as page, running() as (sfu, _):
        await teach(page, sfu, "video/VP8")
        await join(page, sfu, relayed(turn_server, "udp", turn_server.secret, turn_server.now() - 86400))
        for _ in range(40):
            await asyncio.sleep(0.1)
            if await page.evaluate("peers.room.iceGatheringState") == "complete":
                break
        assert "relay" not in await page.evaluate("peers.room.localDescription.sdp")
        assert await page.evaluate("peers.room.connectionState") != "connected"
