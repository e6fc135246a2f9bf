"""One connection to a camera that asks for a digest, hangs, sends B frames, changes its picture, sends garbage."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import av
import pytest
from av.packet import Packet

from media.wire.h264 import IDR, SPS, picture_size, split, unit_type
from signaling.net import camera as camera_module
from signaling.net.camera import Camera
from signaling.sources import why
from tests.support.rtsp import BASIC, DIGEST, DIGEST_QOP, FPS, HEIGHT, SHA_256, WIDTH, footage, ip_camera
from tests.support.signaling import until

pytestmark = pytest.mark.slow  # cameras speak in real time

USER, ADDRESS = "admin:p@ss/w", "admin:p%40ss%2Fw"


def url_of(port: int, user: str = ADDRESS) -> str:
    return f"rtsp://{user}@127.0.0.1:{port}/Streaming/Channels/101?transportmode=unicast"


@dataclass
class Read:
    """What a thread reads of a camera; ``end`` is the word for why it ended ("" when the camera hung up)."""

    pictures: list[Packet] = field(default_factory=list)
    sounds: int = 0
    end: str | None = None
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, url: str) -> None:
        try:
            camera = Camera(url)
            with contextlib.closing(camera):
                for kind, item in camera.read():
                    if self._stop.is_set():
                        break
                    self._take(kind, item)
            self.end = ""
        except Exception as error:
            self.end = why(error)

    def _take(self, kind: str, item: Any) -> None:
        if kind == "video":
            self.pictures.append(item)
        else:
            self.sounds += 1

    def stop(self) -> None:
        self._stop.set()

    def sizes(self) -> list[tuple[int, int]]:
        """Of what a decoder makes of it, one after the other."""
        codec = av.CodecContext.create("h264", "r")
        seen: list[tuple[int, int]] = []
        for packet in self.pictures:
            with contextlib.suppress(av.error.InvalidDataError):
                for frame in codec.decode(Packet(bytes(packet))):  # type: ignore[attr-defined]
                    if not seen or seen[-1] != (frame.width, frame.height):
                        seen.append((frame.width, frame.height))
        return seen

    def steps(self) -> list[float]:
        """Seconds from picture to picture."""
        at = [float((one.pts or 0) * one.time_base) for one in self.pictures]
        return [after - before for before, after in itertools.pairwise(at)]


@contextlib.asynccontextmanager
async def reading(url: str) -> AsyncIterator[Read]:
    read = Read()
    running = asyncio.ensure_future(asyncio.to_thread(read.run, url))
    try:
        yield read
    finally:
        read.stop()
        await running


@pytest.mark.parametrize("asks", [DIGEST, DIGEST_QOP, f"{SHA_256}\n{DIGEST_QOP}", f"{DIGEST}\n{BASIC}"])
async def test_a_camera_that_asks_for_a_digest(asks: str) -> None:
    async with ip_camera(USER, asks=asks) as (found, port), reading(url_of(port)) as read:
        await until(lambda: read.end is not None or (len(read.pictures) > 5 and read.sounds > 5))
        assert read.end is None and found.played == 1


async def test_a_wrong_password_in_a_digest() -> None:
    async with ip_camera(USER, asks=DIGEST_QOP) as (_, port), reading(url_of(port, "admin:wrong")) as read:
        assert await until(lambda: read.end) == "password"


async def test_key_frames_stand_after_their_parameter_sets() -> None:
    async with ip_camera(USER) as (_, port), reading(url_of(port)) as read:
        await until(lambda: len(read.pictures) > 2 * FPS)
    keys = [kinds for one in read.pictures if IDR in (kinds := [unit_type(unit) for unit in split(bytes(one))])]
    assert len(keys) >= 2 and all(kinds[0] == SPS and kinds.count(SPS) == 1 for kinds in keys)


@pytest.mark.parametrize("mute", [{"video", "audio"}, {"video"}])
async def test_a_camera_that_hangs(mute: set[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "READ_SECONDS", 1.0)
    async with ip_camera(USER) as (found, port), reading(url_of(port)) as read:
        await until(lambda: len(read.pictures) > 5)
        found.mute = mute
        assert await until(lambda: read.end) == "stuck"


async def test_a_camera_that_answers_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "OPEN_SECONDS", 1.0)

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    async with server, reading(url_of(server.sockets[0].getsockname()[1])) as read:
        assert await until(lambda: read.end) == "away"


async def test_b_frames_are_named_before_a_picture_is_sent() -> None:
    async with ip_camera(USER, film=footage(b_frames=2)) as (_, port), reading(url_of(port)) as read:
        assert await until(lambda: read.end) == "bframes"
        assert read.pictures == []


async def test_b_frames_that_are_switched_on_in_mid_stream() -> None:
    async with ip_camera(USER) as (found, port), reading(url_of(port)) as read:
        await until(lambda: len(read.pictures) > 5)
        found.film = footage(b_frames=2, in_band=True)
        assert await until(lambda: read.end) == "bframes"


async def test_another_resolution_in_mid_stream() -> None:
    async with ip_camera(USER) as (found, port), reading(url_of(port)) as read:
        await until(lambda: len(read.pictures) > FPS)
        found.film = footage(640, 480, in_band=True)
        before = len(read.pictures)
        await until(lambda: len(read.pictures) > before + 2 * FPS)
    assert read.sizes() == [(WIDTH, HEIGHT), (640, 480)]
    last = next(one for one in reversed(read.pictures) if IDR in map(unit_type, split(bytes(one))))
    assert [picture_size(unit) for unit in split(bytes(last)) if unit_type(unit) == SPS] == [(640, 480)]


async def test_garbage_is_left_out() -> None:
    async with ip_camera(USER) as (found, port), reading(url_of(port)) as read:
        await until(lambda: len(read.pictures) > FPS)
        found.garbage = [
            b"\x18\x00\x00",
            b"\x1c\x85",
            b"\x61\x00\x00\x01\x00\x00\x01\x00\x00\x01",
            b"\xff" * 40,
            b"\x67",
        ]
        before = len(read.pictures)
        await until(lambda: read.end is not None or len(read.pictures) > before + 2 * FPS)
        assert read.end is None
    assert all(split(bytes(one)) for one in read.pictures)


@pytest.mark.parametrize("set_by", [-3600 * 90_000, 3600 * 90_000])
async def test_a_camera_whose_clock_is_set(set_by: int) -> None:
    async with ip_camera(USER) as (found, port), reading(url_of(port)) as read:
        await until(lambda: len(read.pictures) > 5)
        found.late = set_by
        before = len(read.pictures)
        await until(lambda: len(read.pictures) > before + FPS)
    assert all(0 <= step < 1 for step in read.steps()), read.steps()
