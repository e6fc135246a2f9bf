"""A room that goes to another node takes its encoders and fetched cameras along: nobody presses a key."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection
from aiortc.mediastreams import VideoStreamTrack

from signaling.messages import EncoderKey, RoomSpec
from signaling.outside import digest
from tests.signaling.net.test_sources import fetch, is_state, viewer
from tests.signaling.net.test_whip import SDP, bearer, negotiate, offered
from tests.support.rtsp import DIGEST, ip_camera
from tests.support.signaling import FakeWeb, NodeProcess, fake_web, make_spec, node_process, until

pytestmark = [pytest.mark.slow, pytest.mark.real]

KEY = "tk-recorder"
SECONDS = 3.0
"""As of people's pages (tests/e2e/test_moving.py): from the telling to the connection's end or its camera's coming."""


@contextlib.asynccontextmanager
async def two_nodes(folder: Path) -> AsyncIterator[tuple[FakeWeb, NodeProcess, NodeProcess]]:
    local = {"TONGTANG_SOURCES_LOCAL": "true"}
    async with (
        fake_web() as web,
        node_process(folder / "a", web, "n1", **local) as old,
        node_process(folder / "b", web, "n2", **local) as new,
    ):
        yield web, old, new


def spec(epoch: int) -> RoomSpec:
    encoders = [EncoderKey(room="lead", sha256=digest(KEY))]
    return make_spec(epoch=epoch).model_copy(update={"encoders": encoders})


async def command(node: NodeProcess, what: str, epoch: int) -> int:
    async with httpx2.AsyncClient(trust_env=False) as client:
        url = f"{node.http}/control/rooms/L1/{what}"
        return (await client.post(url, json={"epoch": epoch}, headers=node.web.service(node.node_id))).status_code


@contextlib.asynccontextmanager
async def encoder() -> AsyncIterator[RTCPeerConnection]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.addTrack(VideoStreamTrack())
    try:
        yield pc
    finally:
        await pc.close()


async def status(pc: RTCPeerConnection, node: NodeProcess) -> int:
    async with httpx2.AsyncClient(trust_env=False) as client:
        url, sdp = f"{node.http}/whip/L1", await offered(pc)
        return (await client.post(url, content=sdp, headers=SDP | bearer(KEY))).status_code


def now() -> float:
    return asyncio.get_running_loop().time()


async def test_a_fetched_camera_comes_along(tmp_path: Path) -> None:
    """Also where it serves one at a time."""
    async with two_nodes(tmp_path) as (web, old, new), ip_camera("admin:x", asks=DIGEST) as (found, port):
        found.most = 1
        await old.put(spec(1))
        source = {"room": "lead", "address": f"rtsp://127.0.0.1:{port}/stream1", "secret": "admin:x"}
        assert await fetch(old, source) == 204
        await until(lambda: is_state(old, "sending"))
        assert await command(old, "handover", 1) == 200
        await new.put(spec(2))
        assert await fetch(new, source, epoch=2) == 204
        assert await command(old, "moved", 2) == 204
        async with viewer(new, web, epoch=2) as seen:
            await until(lambda: seen.video > 20)
        await until(lambda: is_state(new, "sending"))
        assert found.playing == 1
        assert await fetch(new, epoch=2) == 204


async def test_an_encoder_is_cut_at_once_and_sent_to_the_new_node(tmp_path: Path) -> None:
    async with two_nodes(tmp_path) as (web, old, new), encoder() as first, encoder() as second:
        await old.put(spec(1))
        ended = asyncio.Event()
        first.on("connectionstatechange", lambda: first.connectionState == "closed" and ended.set())
        await negotiate(first, f"{old.http}/whip/L1", KEY)
        await until(lambda: first.connectionState == "connected")
        assert await command(old, "handover", 1) == 200
        assert await status(second, old) == 503, "on its way: who comes now asks the web again"
        await new.put(spec(2))
        assert await command(old, "moved", 2) == 204
        told = now()
        await asyncio.wait_for(ended.wait(), SECONDS)
        print(f"the encoder's old connection ended {now() - told:.2f} s after the move")
        # What every client does then: its address once more, from which the web (server/encoders) sends it to the node.
        async with viewer(new, web, epoch=2) as seen:
            await negotiate(second, f"{new.http}/whip/L1", KEY)
            await until(lambda: seen.video > 5)
