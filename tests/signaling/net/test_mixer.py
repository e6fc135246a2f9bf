"""A player with one place for sound hears teacher and room at once; the mixer is killed in mid-lesson and is back."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import signal
from array import array
from collections.abc import AsyncIterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx2
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame
from av.audio.resampler import AudioResampler

from tests.support.processes import children_of
from tests.support.signaling import NodeProcess, fake_web, make_spec, node_process, until, wall_ms

pytestmark = pytest.mark.slow

RATE, BLOCK = 48_000, 960
TEACHER, ROOM = 440, 1000


class Tone(MediaStreamTrack):
    """A sine of one pitch, 20 ms at a time."""

    kind = "audio"

    def __init__(self, hz: int) -> None:
        super().__init__()
        wave = [round(8000 * math.sin(2 * math.pi * hz * n / RATE)) for n in range(RATE)]
        self._wave, self._blocks, self._began = array("h", wave), 0, 0.0

    async def recv(self) -> AudioFrame:
        now = asyncio.get_running_loop().time()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._blocks * BLOCK / RATE - now))
        at = self._blocks * BLOCK % RATE
        frame = AudioFrame("s16", "mono", BLOCK)
        frame.planes[0].update(self._wave[at : at + BLOCK].tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._blocks * BLOCK, Fraction(1, RATE)
        self._blocks += 1
        return frame


def power(samples: array[int], hz: int) -> float:
    """Goertzel: 1 for a pure tone of this pitch in full scale."""
    c = 2 * math.cos(2 * math.pi * hz / RATE)
    a = b = 0.0
    for x in samples:
        a, b = x / 32768 + c * a - b, a
    return (a * a + b * b - c * a * b) / len(samples) ** 2 * 4


class Ear:
    """One place for sound; what was heard in the newest 200 ms."""

    def __init__(self) -> None:
        self.newest = array("h")

    async def listen(self, track: Any) -> None:
        resampler = AudioResampler("s16", "mono", RATE)
        with contextlib.suppress(MediaStreamError):
            while True:
                for plain in resampler.resample(await track.recv()):
                    self.newest.extend(array("h", bytes(plain.planes[0])[: 2 * plain.samples]))
                    del self.newest[: -10 * BLOCK]

    def hears(self, *pitches: int) -> bool:
        return len(self.newest) == 10 * BLOCK and all(power(self.newest, hz) > 0.005 for hz in pitches)


async def negotiate(pc: RTCPeerConnection, url: str, token: str) -> None:
    await pc.setLocalDescription(await pc.createOffer())
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
        answer = await client.post(url, content=pc.localDescription.sdp, headers=headers)
    assert answer.status_code == 201, answer.text
    await pc.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))


@contextlib.asynccontextmanager
async def connections() -> AsyncIterator[list[RTCPeerConnection]]:
    made = [RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(3)]
    yield made
    await asyncio.gather(*(pc.close() for pc in made))


def mixer_of(node: NodeProcess) -> int | None:
    assert node.process is not None
    found = [pid for pid, command in children_of(node.process.pid).items() if "signaling.net.mixer" in command]
    return found[0] if found else None


async def test_both_voices_on_one_track_and_a_mixer_that_dies(tmp_path: Path) -> None:
    async with (
        fake_web() as web,
        node_process(tmp_path / "node", web) as node,
        connections() as (lead, village, player),
    ):
        assert await node.put(make_spec(starts_at_ms=wall_ms())) == 200
        page = await node.page(web.token("teacher"))
        room = await node.page(web.token("class", "room1"))
        await page.next("welcome")
        await room.next("welcome")
        lead.addTrack(Tone(TEACHER))
        village.addTrack(Tone(ROOM))
        await negotiate(lead, f"{node.http}/whip/L1", web.token("teacher"))
        await negotiate(village, f"{node.http}/whip/L1", web.token("class", "room1"))
        assert (await page.do("lesson.open"))["type"] == "done"
        assert (await page.do("floor.give", seat="r-room1"))["type"] == "done"
        ear, listening = Ear(), []
        player.on("track", lambda track: listening.append(asyncio.ensure_future(ear.listen(track))))
        player.addTransceiver("audio", direction="recvonly")
        await negotiate(player, f"{node.http}/whep/L1", web.token("watch"))
        await until(lambda: ear.hears(TEACHER, ROOM), 60)
        first = mixer_of(node)
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await until(lambda: ear.hears(TEACHER) and not ear.hears(ROOM), 10)
        await until(lambda: ear.hears(TEACHER, ROOM), 60)
        assert mixer_of(node) not in (None, first)
        people = [card["seat"] for message in page.seen if message["type"] == "people" for card in message["people"]]
        assert people and not any(seat.startswith("m-") for seat in people)
        await player.close()
        for task in listening:
            task.cancel()
