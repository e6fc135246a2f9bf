"""Real aiortc peers on loopback: one publishes, two receive, also over a line that loses packets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamTrack, VideoStreamTrack

from media.parameters import TrackActive, TransportConnected, TransportLost
from media.sfu import Sfu
from tests.support.media import lossy, publish, running, subscribe

pytestmark = [
    pytest.mark.slow,
    # aiortc's own habits, not ours
    pytest.mark.filterwarnings("ignore::DeprecationWarning:aiortc.*"),
]


class Counter(VideoStreamTrack):
    """A picture whose brightness says which frame it is, so that decoded and made up can be told apart."""

    kind = "video"

    async def recv(self) -> av.VideoFrame:
        pts, base = await self.next_timestamp()
        number = pts // 3000
        pixels = np.full((144, 256, 3), number % 32 * 8, np.uint8)
        frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
        frame.pts, frame.time_base = pts, Fraction(base)
        return frame


Answerer = Callable[[str], str]


@asynccontextmanager
async def connected(pc: RTCPeerConnection, answer: Answerer) -> AsyncIterator[RTCPeerConnection]:
    await pc.setLocalDescription(await pc.createOffer())
    await pc.setRemoteDescription(RTCSessionDescription(answer(pc.localDescription.sdp), "answer"))
    try:
        yield pc
    finally:
        await pc.close()


def publisher() -> RTCPeerConnection:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    for track in (AudioStreamTrack(), Counter()):
        pc.addTransceiver(track, "sendonly")
    return pc


def receiver() -> tuple[RTCPeerConnection, list[MediaStreamTrack]]:
    pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    pc.addTransceiver("audio", "recvonly")
    pc.addTransceiver("video", "recvonly")
    tracks: list[MediaStreamTrack] = []
    pc.on("track", tracks.append)
    return pc, tracks


def now() -> float:
    return asyncio.get_running_loop().time()


async def brightness(track: MediaStreamTrack, frames: int) -> list[int]:
    seen = []
    for _ in range(frames):
        frame = await asyncio.wait_for(track.recv(), 10)
        seen.append(int(frame.to_ndarray(format="gray")[72, 128]))
    return seen


async def watch(sfu: Sfu, name: str, rtx: bool, look: Callable[[list[MediaStreamTrack]], Awaitable[None]]) -> None:
    pc, tracks = receiver()
    async with connected(pc, lambda sdp: subscribe(sfu, "lesson", name, sdp, now(), rtx=rtx)):
        sfu.route(name, "0", "teacher/0", now())
        sfu.route(name, "1", "teacher/1", now())
        await look(tracks)


@pytest.mark.parametrize("mime", ["video/VP8", "video/H264"])
async def test_two_receive_what_one_publishes(mime: str) -> None:
    async def look(tracks: list[MediaStreamTrack]) -> None:
        audio, video = tracks
        assert (await asyncio.wait_for(audio.recv(), 10)).sample_rate == 48000
        seen = await brightness(video, 20)
        steps = {(b - a) % 256 for a, b in pairwise(seen)}
        assert len(set(seen)) >= 10, "the picture moves"
        assert all(min(step % 8, 8 - step % 8) <= 3 for step in steps), "and is the publisher's own"

    async with running() as (sfu, _):
        async with connected(publisher(), lambda sdp: publish(sfu, "lesson", "teacher", sdp, now(), mime)):
            await asyncio.gather(watch(sfu, "room-1", True, look), watch(sfu, "room-2", False, look))
            stats = {s.transport: s for s in sfu.stats("lesson")}
            assert stats["room-1"].sent_packets > 20
            assert stats["teacher"].key_frames_requested >= 1
            assert stats["teacher"].path == "udp"
        await asyncio.sleep(0.1)
        events = sfu.events()
        assert TransportConnected("lesson", "teacher", "udp") in events
        assert TrackActive("lesson", "teacher", "teacher/1", True) in events
        assert TransportLost("lesson", "teacher", "closed") in events, "close_notify is noticed"


async def test_lost_packets_come_again() -> None:
    """7 % lost each way: our NACKs to the publisher, answers to the receiver's NACKs, by RTX and without.

    From the first picture on: aiortc never asks for a key frame whose first packet it missed, as browsers do.
    """
    both_see, losing = asyncio.Barrier(2), asyncio.Event()

    async def look(tracks: list[MediaStreamTrack]) -> None:
        await brightness(tracks[1], 1)
        await both_see.wait()
        losing.set()
        await brightness(tracks[1], 60)

    async with (
        running(lossy(0.07, since=losing)) as (sfu, server),
        connected(publisher(), lambda sdp: publish(sfu, "lesson", "teacher", sdp, now())),
    ):
        await asyncio.gather(watch(sfu, "room-1", True, look), watch(sfu, "room-2", False, look))
        stats = {s.transport: s for s in sfu.stats("lesson")}
        for room in ("room-1", "room-2"):
            assert stats[room].nacks_received > 0
            assert stats[room].retransmitted > 0
        assert server.udp[0][1].dropped == 0
