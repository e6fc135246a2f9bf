"""A child process of the node that mixes one room's sound: it hears the stage like any player (WHEP) and sends one Opus
track like any encoder (WHIP), for those who can play only one.

It makes no AAC: nothing that is live could play it. No browser has AAC in WebRTC (RFC 7874 asks for Opus and G.711),
and there is no HLS. Where AAC is wanted, for a download, ``server/recordings/sound.py`` writes it while it is sent, of
what was recorded with consent: that is the teacher's voice, not this mix.

Rule: what it hears is what the slot policy gives a viewer, so that no room is in the mix that is not on the stage; it
stores nothing. The lesson never waits for it; it ends when its parent does. Orders: one JSON line on stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time
from array import array
from fractions import Fraction
from typing import Any

import httpx2
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame
from av.audio.resampler import AudioResampler

from media.record.mixer import BLOCK, RATE, Mixer
from signaling.net.child import while_wanted
from signaling.net.thinsound import thin

SLOTS = 3
"""The teacher and the two rooms that can have the floor (``stage.py``)."""
BLOCK_SECONDS = BLOCK / RATE


class Mixed(MediaStreamTrack):
    """A block every 20 ms, by this machine's clock."""

    kind = "audio"

    def __init__(self, mixer: Mixer) -> None:
        super().__init__()
        self._mixer = mixer
        self._blocks = 0
        self._began: float | None = None

    async def recv(self) -> AudioFrame:
        now = time.monotonic()
        self._began = now if self._began is None else self._began
        due = self._began + self._blocks * BLOCK_SECONDS
        if due > now:
            await asyncio.sleep(due - now)
        frame = AudioFrame("s16", "mono", BLOCK)
        frame.planes[0].update(self._mixer.take().tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._blocks * BLOCK, Fraction(1, RATE)
        self._blocks += 1
        return frame


async def listen(track: Any, source: str, mixer: Mixer) -> None:
    """Decoded by aiortc; until the track ends."""
    resampler = AudioResampler("s16", "mono", RATE)
    with contextlib.suppress(MediaStreamError):
        while True:
            frame = await track.recv()
            for plain in resampler.resample(frame):
                mixer.put(source, array("h", bytes(plain.planes[0])[: 2 * plain.samples]))
    mixer.drop(source)


async def negotiate(pc: RTCPeerConnection, url: str, token: str) -> None:
    await pc.setLocalDescription(await pc.createOffer())
    headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
        answer = await client.post(url, content=pc.localDescription.sdp, headers=headers)
    answer.raise_for_status()
    await pc.setRemoteDescription(RTCSessionDescription(everywhere(answer.text), "answer"))


def everywhere(sdp: str) -> str:
    """aiortc 1.16 keeps the candidates of the last m-line of a bundle; ours name them in the first (RFC 9143 section
    7.1.3 allows both)."""
    head, *sections = sdp.split("m=")
    lines = [line for line in sections[0].splitlines() if line.startswith(("a=candidate:", "a=end-of-candidates"))]
    told = "".join(f"{line}\r\n" for line in lines)
    return head + "".join(f"m={one}" if "a=candidate:" in one else f"m={one}{told}" for one in sections)


def lost(pc: RTCPeerConnection, ended: asyncio.Event) -> None:
    @pc.on("connectionstatechange")
    def changed() -> None:
        if pc.connectionState in ("failed", "closed"):
            ended.set()


async def mix(order: dict[str, str]) -> None:
    """Until one of the two connections is lost."""
    mixer, ended = Mixer(), asyncio.Event()
    config = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
    hears, sends = RTCPeerConnection(config), RTCPeerConnection(config)
    listening: list[asyncio.Task[None]] = []

    @hears.on("track")
    def came(track: Any) -> None:
        listening.append(asyncio.create_task(listen(track, str(len(listening)), mixer)))

    for pc in (hears, sends):
        lost(pc, ended)
    try:
        for _ in range(SLOTS):
            hears.addTransceiver("audio", direction="recvonly")
        sends.addTrack(Mixed(mixer))
        await negotiate(hears, order["whep"], order["hears"])
        await negotiate(sends, order["whip"], order["sends"])
        print(json.dumps({"state": "mixing"}), flush=True)
        await ended.wait()
    finally:
        for task in listening:
            task.cancel()
        await asyncio.gather(hears.close(), sends.close(), *listening, return_exceptions=True)


def main() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    thin()
    asyncio.run(while_wanted(mix(json.loads(sys.stdin.buffer.readline()))))


if __name__ == "__main__":
    main()
