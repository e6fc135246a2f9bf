"""An IP camera: a small RTSP server (RFC 2326) that sends H.264 and G.711 interleaved on its one TCP connection.

As such cameras do, it names the parameter sets in its SDP only, and makes key frames when it likes, asked for or not.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import itertools
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction

import av
from aiortc.codecs.h264 import H264Encoder
from av import VideoFrame

FPS, WIDTH, HEIGHT = 15, 320, 240
PARAMETER_SETS = (7, 8)
REQUEST = re.compile(r"([A-Z_]+) (\S+) RTSP/1\.0\r\n(.*)", re.DOTALL)


def footage() -> tuple[list[list[bytes]], bytes, bytes]:
    """One second as NAL units by frame, with the parameter sets beside it."""
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = WIDTH, HEIGHT, "yuv420p"  # type: ignore[attr-defined]
    codec.time_base = Fraction(1, FPS)
    codec.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "g": str(FPS)}
    units: list[list[bytes]] = []
    for number in range(FPS):
        frame = VideoFrame(WIDTH, HEIGHT)
        for plane in frame.planes:
            plane.update(bytes([16 + number * 8]) * plane.buffer_size)
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        packets = codec.encode(frame)  # type: ignore[attr-defined]
        units += [list(H264Encoder._split_bitstream(bytes(one))) for one in packets]
    flat = [unit for frame_units in units for unit in frame_units]
    sps, pps = (next(unit for unit in flat if unit[0] & 31 == kind) for kind in PARAMETER_SETS)
    return [[u for u in one if u[0] & 31 in (1, 5)] for one in units], sps, pps


class Camera:
    """Counts who plays and its key frames (``once``: one and no other); ``user`` is wanted by Basic (RFC 7617)."""

    def __init__(self, user: str, once: bool) -> None:
        self._frames, self._sps, self._pps = footage()
        self._once = once
        self._wanted = "Basic " + base64.b64encode(user.encode()).decode()
        self.played = self.key_frames = 0

    def sdp(self) -> str:
        sets = ",".join(base64.b64encode(one).decode() for one in (self._sps, self._pps))
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
            "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:0\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
            "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:1\r\n"
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing: asyncio.Task[None] | None = None
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                # Reports (RTCP) come between the requests on the same connection.
                found = REQUEST.search((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
                if found is None:
                    continue
                method, url, rest = found.groups()
                pairs = (line.partition(":") for line in rest.strip().split("\r\n"))
                headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
                writer.write(self._answer(method, headers, url))
                if method == "PLAY":
                    self.played += 1
                    playing = asyncio.create_task(self._play(writer))
        if playing:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
        writer.close()

    def _answer(self, method: str, headers: dict[str, str], url: str) -> bytes:
        head = [f"CSeq: {headers.get('cseq', '0')}", "Session: 1"]
        if method != "OPTIONS" and headers.get("authorization") != self._wanted:
            head.append('WWW-Authenticate: Basic realm="camera"')
            return "\r\n".join(["RTSP/1.0 401 Unauthorized", *head, "", ""]).encode()
        body = ""
        if method == "OPTIONS":
            head.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")
        elif method == "DESCRIBE":
            body = self.sdp()
            head += [f"Content-Base: {url}/", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            head.append(f"Transport: {headers['transport']}")
        return ("\r\n".join(["RTSP/1.0 200 OK", *head, "", ""]) + body).encode()

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        video, audio = itertools.count(1), itertools.count(1)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with contextlib.suppress(ConnectionError):
            for number in itertools.count():
                at = 1 + (number - 1) % (FPS - 1) if self._once and number else number % FPS
                self.key_frames += at == 0
                payloads = H264Encoder._packetize(iter(self._frames[at]))
                for at, payload in enumerate(payloads):
                    last = at == len(payloads) - 1
                    self._send(writer, 0, 96 | (128 if last else 0), next(video), number * 90_000 // FPS, payload)
                samples = 8000 // FPS
                self._send(writer, 2, 8, next(audio), number * samples, b"\xd5" * samples)
                await writer.drain()
                await asyncio.sleep(max(0.0, began + (number + 1) / FPS - loop.time()))

    def _send(
        self, writer: asyncio.StreamWriter, channel: int, kind: int, number: int, stamp: int, payload: bytes
    ) -> None:
        packet = struct.pack("!BBHII", 128, kind, number & 0xFFFF, stamp & 0xFFFFFFFF, 7 + channel) + payload
        writer.write(struct.pack("!cBH", b"$", channel, len(packet)) + packet)


@asynccontextmanager
async def ip_camera(user: str, once: bool = False) -> AsyncIterator[tuple[Camera, int]]:
    """The camera and its port."""
    camera = Camera(user, once)
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    try:
        yield camera, server.sockets[0].getsockname()[1]
    finally:
        server.close()
