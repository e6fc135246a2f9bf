"""A child process of the node that is one robot classroom: it joins by the WebSocket, sends a test card and a voice,
hears the teacher, and does what ``signaling/robots.py`` says.

Rule: no door of its own: what works for it works for a classroom. It stores nothing, and ends when its parent does.
Orders: one JSON line on stdin.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import time
from array import array
from typing import Any

import websockets
from aiortc import RTCBundlePolicy, RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError
from av.audio.resampler import AudioResampler
from pydantic import ValidationError

from signaling.messages import PROTOCOL_VERSION, Op
from signaling.net.child import while_wanted
from signaling.net.mixer import everywhere
from signaling.net.testcard import RATE, TestCard, Voice
from signaling.net.thinsound import thin
from signaling.robots import AWAY, Do, Drop, Robot

SOUNDS = 3
TURN_SECONDS = 0.25
REPORT_SECONDS = 10.0
PING_SECONDS = 5.0
AGAIN_SECONDS = 3.0
OVER = ("ended", "elsewhere", "moved", "revoked", "epoch", "full", "shutdown")
"""The node says why; a new child comes where one is still wanted."""
NICE = 10
"""A real lesson on the same machine goes before a rehearsal."""


class Line:
    """One connection of the robot to its room, until it is cut."""

    def __init__(self, socket: websockets.ClientConnection, robot: Robot, order: dict[str, str]) -> None:
        self._socket, self._robot, self._order = socket, robot, order
        config = RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        self._pcs = {"pub": RTCPeerConnection(config), "sub": RTCPeerConnection(config)}
        self._voice = Voice()
        self._listening: list[asyncio.Task[None]] = []
        self._slots: list[str] = []
        self._reported = time.monotonic()
        self._pinged = 0.0

    async def attend(self) -> bool:
        """Whether the room still wants it: False when the node said good-bye."""
        join = {"type": "join", "v": PROTOCOL_VERSION, "lesson": self._order["lesson"], "token": self._order["token"]}
        await self._send({**join, "device": self._order["device"]})
        turning = asyncio.create_task(self._turn())
        reading = asyncio.create_task(self._read())
        try:
            await asyncio.wait({turning, reading}, return_when=asyncio.FIRST_COMPLETED)
            return reading.result() if reading.done() else True
        finally:
            for task in (turning, reading, *self._listening):
                task.cancel()
            self._socket.transport.abort()  # a cable that is pulled says nothing
            closing = [pc.close() for pc in self._pcs.values()]
            await asyncio.gather(turning, reading, *self._listening, *closing, return_exceptions=True)

    async def _send(self, message: dict[str, Any]) -> None:
        await self._socket.send(json.dumps(message))

    async def _read(self) -> bool:
        async for text in self._socket:
            message = json.loads(text)
            now = time.monotonic()
            match message["type"]:
                case "welcome":
                    state = message["state"] or {"phase": "waiting", "floor": []}
                    self._robot.welcomed(state["phase"], state["floor"], now)
                    await self._offer()
                case "ops":
                    self._heard(message["ops"], now)
                case "answer":
                    answer = RTCSessionDescription(everywhere(message["sdp"]), "answer")
                    await self._pcs[message["pc"]].setRemoteDescription(answer)
                case "closed":
                    return message["reason"] not in OVER
                case "error" if message.get("id") is None:
                    return False
        return True

    def _heard(self, ops: list[dict[str, Any]], now: float) -> None:
        for one in ops:
            with contextlib.suppress(ValidationError):
                self._robot.heard(Op.model_validate(one), now)
        self._voice.on_floor = self._robot.on_floor

    async def _offer(self) -> None:
        pub, sub = self._pcs["pub"], self._pcs["sub"]
        self._voice.on_floor = self._robot.on_floor
        pub.addTrack(self._voice)
        sender = pub.addTrack(TestCard("Tongtang robot classroom"))
        lines = {one.sender: one for one in pub.getTransceivers()}
        # VP8: every browser plays it, and its encoder is cheap at this size.
        vp8 = [
            one for one in RTCRtpSender.getCapabilities("video").codecs if one.mimeType in ("video/VP8", "video/rtx")
        ]
        lines[sender].setCodecPreferences(vp8)
        for _ in range(SOUNDS):
            sub.addTransceiver("audio", direction="recvonly")
        sub.on("track", self._track)
        for name, pc in self._pcs.items():
            await pc.setLocalDescription(await pc.createOffer())
            sources = {}
            if name == "pub":
                sources = {one.mid: "camera" if one.kind == "video" else "mic" for one in pc.getTransceivers()}
            sdp = pc.localDescription.sdp
            await self._send({"type": "offer", "id": f"o-{name}", "pc": name, "sdp": sdp, "sources": sources})

    def _track(self, track: Any) -> None:
        """The first place for sound is the teacher's (``stage.py``); the others are heard by nobody here."""
        self._listening.append(asyncio.create_task(_listen(track, None if self._listening else self._voice)))

    # --- time ---------------------------------------------------------------------------------------------------------

    async def _turn(self) -> None:
        """Until it cuts its line."""
        while True:
            await asyncio.sleep(TURN_SECONDS)
            now = time.monotonic()
            for wish in self._robot.turn(now):
                if isinstance(wish, Drop):
                    return
                await self._do(wish)
            await self._tell(now)

    async def _do(self, wish: Do) -> None:
        name = f"{self._order['device']}-{time.monotonic_ns()}"
        await self._send({"type": "do", "id": name, "kind": wish.kind, "body": wish.body})

    async def _tell(self, now: float) -> None:
        if now - self._pinged >= PING_SECONDS:
            self._pinged = now
            await self._send({"type": "ping", "t": now})
        if (since := now - self._reported) >= REPORT_SECONDS:
            self._reported = now
            length = min(60_000, round(since * 1000))
            heard = min(length, self._voice.take_heard())
            figures = {"rtt_ms": None, "loss": 0.0, "jitter_ms": None, "freezes": 0}
            await self._send({"type": "report", "connected_ms": length, "heard_ms": heard, "saw_ms": 0, **figures})


async def _listen(track: Any, voice: Voice | None) -> None:
    """What nobody hears is taken all the same: it must not pile up."""
    resampler = AudioResampler("s16", "mono", RATE)
    with contextlib.suppress(MediaStreamError):
        while True:
            frame = await track.recv()
            if voice is not None:
                for plain in resampler.resample(frame):
                    voice.hear(array("h", bytes(plain.planes[0])[: 2 * plain.samples]))


async def visit(order: dict[str, str]) -> None:
    """Line after line, until the room wants it no more."""
    robot = Robot(order["seat"], order["teacher"])
    while True:
        pause = AGAIN_SECONDS
        try:
            socket = await websockets.connect(order["ws"], proxy=None, max_size=None, compression=None)
            if not await Line(socket, robot, order).attend():
                return
            pause = AWAY
        except (OSError, websockets.WebSocketException) as error:
            logging.getLogger("tongtang.robot").warning("no line to the room: %s", error)
        await asyncio.sleep(pause)


def main() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    with contextlib.suppress(OSError):
        os.nice(NICE)
    thin()
    asyncio.run(while_wanted(visit(json.loads(sys.stdin.buffer.readline()))))


if __name__ == "__main__":
    main()
