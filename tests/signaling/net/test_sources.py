"""Cameras fetched from (ffmpeg as RTMP server, a small RTSP one of ours): a player sees them through a real node."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiortc import RTCPeerConnection
from aiortc.mediastreams import MediaStreamError

from tests.signaling.net.test_whip import negotiate
from tests.support.rtsp import DIGEST, HEIGHT, WIDTH, footage, ip_camera
from tests.support.signaling import FakeWeb, NodeProcess, fake_web, make_spec, node_process, until

pytestmark = [pytest.mark.slow, pytest.mark.real]

FFMPEG = shutil.which("ffmpeg")
needs_ffmpeg = pytest.mark.skipif(FFMPEG is None, reason="ffmpeg is not installed: no camera to fetch from")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.asynccontextmanager
async def camera(port: int) -> AsyncIterator[str]:
    """Waits at an RTMP address for whoever fetches, once."""
    url = f"rtmp://127.0.0.1:{port}/live/room"
    picture = ["-f", "lavfi", "-i", "testsrc2=size=320x240:rate=15", "-f", "lavfi", "-i", "sine=frequency=440"]
    codec = ["-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "15", "-pix_fmt", "yuv420p"]
    sound = ["-c:a", "aac", "-ar", "44100", "-ac", "1"]
    out = ["-f", "flv", "-listen", "1", url]
    process = await asyncio.create_subprocess_exec(
        str(FFMPEG), "-loglevel", "error", "-re", *picture, *codec, *sound, *out, stdin=asyncio.subprocess.DEVNULL
    )
    try:
        yield url
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def fetch(node: NodeProcess, *sources: dict[str, str], epoch: int = 1) -> int:
    async with httpx2.AsyncClient(trust_env=False) as client:
        url = f"{node.http}/control/rooms/L1/sources"
        body = {"epoch": epoch, "sources": list(sources)}
        return (await client.put(url, json=body, headers=node.web.service(node.node_id))).status_code


async def states(node: NodeProcess) -> dict[str, str]:
    """As the web hears them with the room's statistics."""
    async with httpx2.AsyncClient(trust_env=False) as client:
        told = await client.get(f"{node.http}/control/rooms/L1/seen", headers=node.web.service(node.node_id))
        found: dict[str, str] = told.json()["sources"]
        return found


async def is_state(node: NodeProcess, word: str) -> bool:
    return (await states(node)).get("lead") == word


@dataclass
class Seen:
    video: int = 0
    audio: int = 0
    sizes: set[tuple[int, int]] = field(default_factory=set)


@contextlib.asynccontextmanager
async def viewer(node: NodeProcess, web: FakeWeb, epoch: int = 1) -> AsyncIterator[Seen]:
    """A WHEP player that waits for the camera; what it decoded."""
    seen, player = Seen(), RTCPeerConnection()
    tasks: list[asyncio.Task[None]] = []

    async def play(track: Any) -> None:
        with contextlib.suppress(MediaStreamError):
            while True:
                frame = await track.recv()
                if track.kind == "audio":
                    seen.audio += 1
                else:
                    seen.video += 1
                    seen.sizes.add((frame.width, frame.height))

    async def come() -> None:
        await until(lambda: "EndpointJoined" in web.kinds())
        await negotiate(player, f"{node.http}/whep/L1", web.token("watch", epoch=epoch))

    player.on("track", lambda track: tasks.append(asyncio.create_task(play(track))))
    player.addTransceiver("audio", direction="recvonly")
    player.addTransceiver("video", direction="recvonly")
    tasks.append(asyncio.create_task(come()))
    try:
        yield seen
    finally:
        await player.close()
        await asyncio.gather(*tasks)


@contextlib.asynccontextmanager
async def rtsp_camera(port: int) -> AsyncIterator[str]:
    async with ip_camera("admin:x", asks=DIGEST, port=port):
        yield f"rtsp://127.0.0.1:{port}/stream1"


@pytest.mark.parametrize(
    "kind", [pytest.param(camera, marks=needs_ffmpeg, id="rtmp"), pytest.param(rtsp_camera, id="rtsp")]
)
async def test_a_camera_comes_in_goes_and_comes_again(tmp_path: Path, kind: Any) -> None:
    port = free_port()
    async with fake_web() as web, node_process(tmp_path / "n1", web, TONGTANG_SOURCES_LOCAL="true") as node:
        await node.put(make_spec())
        async with viewer(node, web) as seen:
            async with kind(port) as address:
                secret = "" if kind is camera else "admin:x"
                assert await fetch(node, {"room": "lead", "address": address, "secret": secret}) == 204
                await until(lambda: seen.video > 20 and seen.audio > 20)
                assert seen.sizes == {(320, 240)}, "as it came"
            await until(lambda: web.kinds().count("EndpointLeft") >= 1)
            before = seen.video
            async with kind(port):
                await until(lambda: seen.video > before + 20)
                assert await is_state(node, "sending")
                assert await fetch(node) == 204
                await until(lambda: web.kinds().count("EndpointLeft") >= 2)


async def test_an_ip_camera_with_a_password(tmp_path: Path) -> None:
    """RTSP: parameter sets in the SDP only, G.711 sound."""
    async with (
        fake_web() as web,
        node_process(tmp_path / "n1", web, TONGTANG_SOURCES_LOCAL="true") as node,
        ip_camera("admin:p@ss/w") as (found, port),
        viewer(node, web) as seen,
    ):
        await node.put(make_spec())
        address = f"rtsp://127.0.0.1:{port}/stream1"
        assert await fetch(node, {"room": "lead", "address": address, "secret": "admin:p@ss/w"}) == 204
        await until(lambda: seen.video > 20 and seen.audio > 20)
        assert seen.sizes == {(WIDTH, HEIGHT)} and found.played == 1
        assert await fetch(node) == 204


async def test_orders_are_the_webs_and_of_this_epoch(tmp_path: Path) -> None:
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node:
        await node.put(make_spec())
        source = {"room": "lead", "address": "rtsp://127.0.0.1:1/x", "secret": ""}
        assert await fetch(node, source, epoch=2) == 409
        assert await fetch(node, {"room": "lead"}) == 422
        async with httpx2.AsyncClient(trust_env=False) as client:
            url = f"{node.http}/control/rooms/L1/sources"
            assert (await client.put(url, json={"epoch": 1, "sources": []})).status_code == 401
        assert await fetch(node, source) == 204  # forbidden here: tried for ever, never fetched
        await until(lambda: is_state(node, "forbidden"))
        assert "EndpointJoined" not in web.kinds()


async def test_a_wrong_password_is_said(tmp_path: Path) -> None:
    async with (
        fake_web() as web,
        node_process(tmp_path / "n1", web, TONGTANG_SOURCES_LOCAL="true") as node,
        ip_camera("admin:right") as (_, port),
    ):
        await node.put(make_spec())
        address = f"rtsp://127.0.0.1:{port}/stream1"
        assert await fetch(node, {"room": "lead", "address": address, "secret": "admin:wrong"}) == 204
        await until(lambda: is_state(node, "password"))
        assert await fetch(node) == 204 and await states(node) == {}


async def test_a_camera_with_b_frames_is_named_and_never_seen(tmp_path: Path) -> None:
    async with (
        fake_web() as web,
        node_process(tmp_path / "n1", web, TONGTANG_SOURCES_LOCAL="true") as node,
        ip_camera("admin:right", asks=DIGEST, film=footage(b_frames=2)) as (found, port),
    ):
        await node.put(make_spec())
        address = f"rtsp://127.0.0.1:{port}/stream1"
        assert await fetch(node, {"room": "lead", "address": address, "secret": "admin:right"}) == 204
        await until(lambda: is_state(node, "bframes"))
        found.film = footage()
        await until(lambda: is_state(node, "sending"))
        assert web.kinds().count("EndpointJoined") == 1
        assert await fetch(node) == 204
