"""An IP camera: a small RTSP server (RFC 2326) that sends H.264 and G.711 interleaved on its one TCP connection.

As such cameras do, it names the parameter sets in its SDP only, and makes key frames when it likes, asked for or not.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import itertools
import re
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from fractions import Fraction

import av
from aiortc.codecs.h264 import H264Encoder
from av import VideoFrame

FPS, WIDTH, HEIGHT = 15, 320, 240
PARAMETER_SETS = (7, 8)
REQUEST = re.compile(r"([A-Z_]+) (\S+) RTSP/1\.0\r\n(.*)", re.DOTALL)
PARAMETER = re.compile(r'(\w+)="?([^",]*)"?')
REALM, NONCE = "IP Camera(12345)", "4e6a51324e446b7a"
BASIC, DIGEST = 'Basic realm="camera"', f'Digest realm="{REALM}", nonce="{NONCE}", stale="FALSE"'
"""What is asked for (RFC 7617, RFC 2617): as the cameras of two makers write it."""
DIGEST_QOP = f'Digest realm="{REALM}", nonce="{NONCE}", algorithm=MD5, qop="auth"'
SHA_256 = f'Digest realm="{REALM}", nonce="{NONCE}", algorithm=SHA-256, qop="auth"'


@dataclass(frozen=True, slots=True)
class Footage:
    """One second: NAL units by picture as sent, and when each is shown (in pictures)."""

    pictures: list[list[bytes]]
    shown: list[int]
    sps: bytes
    pps: bytes
    in_band: bool = False


def footage(width: int = WIDTH, height: int = HEIGHT, b_frames: int = 0, *, in_band: bool = False) -> Footage:
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"  # type: ignore[attr-defined]
    codec.time_base = Fraction(1, FPS)
    codec.options = {"preset": "ultrafast", "g": str(FPS), "bf": str(b_frames), "sc_threshold": "0"}
    codec.options |= {"b_strategy": "0"} if b_frames else {"tune": "zerolatency", "profile": "baseline"}
    packets = []
    for number in range(FPS):
        frame = VideoFrame(width, height)
        for plane in frame.planes:
            plane.update(bytes([16 + number * 8]) * plane.buffer_size)
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        packets += codec.encode(frame)  # type: ignore[attr-defined]
    packets += codec.encode(None)  # type: ignore[attr-defined]
    units = [list(H264Encoder._split_bitstream(bytes(one))) for one in packets]
    flat = [unit for picture in units for unit in picture]
    sps, pps = (next(unit for unit in flat if unit[0] & 31 == kind) for kind in PARAMETER_SETS)
    kept = (1, 5, *PARAMETER_SETS) if in_band else (1, 5)
    pictures = [[unit for unit in one if unit[0] & 31 in kept] for one in units]
    return Footage(pictures, [int(one.pts or 0) for one in packets], sps, pps, in_band)


class Camera:
    """Counts who plays and its key frames (``once``: one and no other); ``user`` is asked for as ``asks`` says, each
    line of it a header."""

    def __init__(self, user: str, once: bool = False, asks: str = BASIC, film: Footage | None = None) -> None:
        self.film = film or footage()
        """May be changed while it plays."""
        self.mute: set[str] = set()
        """"video", "audio": what comes no more, though the connection stands."""
        self.garbage: list[bytes] = []
        """RTP payloads to send as the next pictures."""
        self.most = 9
        """So many may fetch from it at a time."""
        self.late = 0
        """Ticks (90 kHz) that its clock was set by."""
        self._once, self._user, self._asks = once, user, asks
        self._lines: set[asyncio.StreamWriter] = set()
        self.played = self.playing = self.key_frames = 0

    def sdp(self) -> str:
        sets = ",".join(base64.b64encode(one).decode() for one in (self.film.sps, self.film.pps))
        return (
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=camera\r\nt=0 0\r\na=control:*\r\n"
            "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=control:0\r\n"
            f"a=fmtp:96 packetization-mode=1;sprop-parameter-sets={sets}\r\n"
            "m=audio 0 RTP/AVP 8\r\na=rtpmap:8 PCMA/8000\r\na=control:1\r\n"
        )

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        playing: asyncio.Task[None] | None = None
        self._lines.add(writer)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                # Reports (RTCP) come between the requests on the same connection.
                found = REQUEST.search((await reader.readuntil(b"\r\n\r\n")).decode("latin-1"))
                if found is None:
                    continue
                method, url, rest = found.groups()
                pairs = (line.partition(":") for line in rest.strip().split("\r\n"))
                headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
                answer = self._answer(method, headers, url)
                writer.write(answer)
                if method == "PLAY" and b" 200 " in answer.partition(b"\r\n")[0]:
                    self.played += 1
                    self.playing += 1
                    playing = asyncio.create_task(self._play(writer))
        if playing:
            self.playing -= 1
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)
        self._lines.discard(writer)
        writer.close()

    def unplug(self) -> None:
        for writer in self._lines:
            writer.transport.abort()

    def _answer(self, method: str, headers: dict[str, str], url: str) -> bytes:
        head = [f"CSeq: {headers.get('cseq', '0')}", "Session: 1"]
        if method != "OPTIONS" and not self._knows(method, headers.get("authorization", "")):
            head += [f"WWW-Authenticate: {line}" for line in self._asks.splitlines()]
            return "\r\n".join(["RTSP/1.0 401 Unauthorized", *head, "", ""]).encode()
        if method == "PLAY" and self.playing >= self.most:
            return "\r\n".join(["RTSP/1.0 453 Not Enough Bandwidth", *head, "", ""]).encode()
        body = ""
        if method == "OPTIONS":
            head.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER")
        elif method == "DESCRIBE":
            body = self.sdp()
            head += [f"Content-Base: {url}/", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
        elif method == "SETUP":
            head.append(f"Transport: {headers['transport']}")
        return ("\r\n".join(["RTSP/1.0 200 OK", *head, "", ""]) + body).encode()

    def _knows(self, method: str, shown: str) -> bool:
        scheme, _, rest = shown.partition(" ")
        if scheme == "Basic" and scheme in self._asks:
            return rest == base64.b64encode(self._user.encode()).decode()
        return scheme == "Digest" and scheme in self._asks and self._digests(method, dict(PARAMETER.findall(rest)))

    def _digests(self, method: str, said: dict[str, str]) -> bool:
        """RFC 2617 section 3.2.2, RFC 7616 section 3.4: of MD5, with and without qop."""

        def md5(*parts: str) -> str:
            return hashlib.md5(":".join(parts).encode(), usedforsecurity=False).hexdigest()

        name, _, password = self._user.partition(":")
        if said.get("algorithm", "MD5") != "MD5" or (said["username"], said["nonce"]) != (name, NONCE):
            return False
        counted = (said["nc"], said["cnonce"], said["qop"]) if "qop" in said else ()
        if ("qop=" in self._asks) != bool(counted):
            return False
        return said["response"] == md5(md5(name, REALM, password), NONCE, *counted, md5(method, said["uri"]))

    async def _play(self, writer: asyncio.StreamWriter) -> None:
        video, audio = itertools.count(1), itertools.count(1)
        loop = asyncio.get_running_loop()
        began = loop.time()
        with contextlib.suppress(ConnectionError):
            for number in itertools.count():
                if "video" not in self.mute:
                    self._picture(writer, video, number)
                samples = 8000 // FPS
                if "audio" not in self.mute:
                    self._send(writer, 2, 8, next(audio), number * samples, b"\xd5" * samples)
                await writer.drain()
                await asyncio.sleep(max(0.0, began + (number + 1) / FPS - loop.time()))

    def _picture(self, writer: asyncio.StreamWriter, video: itertools.count[int], number: int) -> None:
        at = 1 + (number - 1) % (FPS - 1) if self._once and number else number % FPS
        self.key_frames += at == 0
        shown = number - at + self.film.shown[at]
        payloads = H264Encoder._packetize(iter(self.film.pictures[at]))
        if self.garbage:
            payloads = [self.garbage.pop(0)]
        for index, payload in enumerate(payloads):
            last = index == len(payloads) - 1
            stamp = shown * 90_000 // FPS + self.late
            self._send(writer, 0, 96 | (128 if last else 0), next(video), stamp, payload)

    def _send(
        self, writer: asyncio.StreamWriter, channel: int, kind: int, number: int, stamp: int, payload: bytes
    ) -> None:
        packet = struct.pack("!BBHII", 128, kind, number & 0xFFFF, stamp & 0xFFFFFFFF, 7 + channel) + payload
        writer.write(struct.pack("!cBH", b"$", channel, len(packet)) + packet)


@asynccontextmanager
async def ip_camera(
    user: str, once: bool = False, *, asks: str = BASIC, film: Footage | None = None, port: int = 0
) -> AsyncIterator[tuple[Camera, int]]:
    """The camera and its port."""
    camera = Camera(user, once, asks, film)
    server = await asyncio.start_server(camera.serve, "127.0.0.1", port)
    try:
        yield camera, server.sockets[0].getsockname()[1]
    finally:
        server.close()
        camera.unplug()
