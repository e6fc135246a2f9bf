"""A child process of the node that fetches one camera (RTSP, RTMP) and sends it in by the WHIP door, like any encoder.

Its picture is H.264 and stays as it came: only cut anew into RTP packets (RFC 6184). Its sound (AAC, G.711) becomes
Opus. Rule: whatever the camera does, the lesson's process never waits for it; this one tries for ever, and ends when
its parent does. Orders come as one JSON line on stdin: no password stands in a process list.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import socket
import sys
import threading
import time
from typing import Any

import av
import httpx2
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from signaling.net.camera import READ_SECONDS, Camera
from signaling.net.child import while_wanted
from signaling.net.thinsound import thin
from signaling.sources import Patience, SourceError, choose, host_of, url_of, why

log = logging.getLogger("tongtang.fetcher")

QUEUED = 250
"""Packets of one kind that may wait to be sent: some seconds; what waits longer is no live picture."""
GONE = 3
"""Exit code: the lesson is over."""


class Fetched(MediaStreamTrack):
    """Packets (video) or frames (sound) as the camera's thread brings them."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self._queue: asyncio.Queue[Any] = asyncio.Queue()

    def put(self, item: Any) -> None:
        if self._queue.qsize() < QUEUED:
            self._queue.put_nowait(item)

    async def recv(self) -> Any:
        item = await self._queue.get()
        if item is None:
            self.stop()
            raise MediaStreamError
        return item


class Fetcher:
    def __init__(self, order: dict[str, Any]) -> None:
        self._order = order

    async def forever(self) -> int:
        patience = Patience()
        while True:
            began, state = time.monotonic(), "ended"
            try:
                await self.once()
            except httpx2.HTTPError:
                state = "door"
            except (SourceError, OSError, av.error.FFmpegError) as error:
                state = why(error)
            except Exception:  # whatever a broken stream does to a demuxer or decoder: the next one may be whole
                log.exception("the camera's stream cannot be followed")
                state = "stream"
            if state == "over":
                return GONE
            wait = patience.after(time.monotonic() - began)
            print(json.dumps({"state": "waiting", "why": state, "seconds": wait}), flush=True)
            await asyncio.sleep(wait)

    async def once(self) -> None:
        """From opening the camera to its end."""
        url = await self._url()
        camera = await asyncio.to_thread(Camera, url)
        pc, resource = RTCPeerConnection(RTCConfiguration(iceServers=[])), ""
        stopping = threading.Event()
        try:
            tracks = self._tracks(pc, camera)
            resource = await self._negotiate(pc)
            print(json.dumps({"state": "sending"}), flush=True)
            await self._pump(pc, camera, tracks, stopping)
        finally:
            stopping.set()
            await self._leave(resource)
            await pc.close()
            await asyncio.to_thread(camera.close)

    async def _url(self) -> str:
        host = host_of(self._order["address"])
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            raise SourceError("name") from error
        ip = choose([str(one[4][0]) for one in found], bool(self._order["local"]))
        return url_of(self._order["address"], self._order["secret"], ip)

    def _tracks(self, pc: RTCPeerConnection, camera: Camera) -> dict[str, Fetched]:
        tracks = {"video": Fetched("video")}
        if camera.sounds:
            tracks["audio"] = Fetched("audio")
        for track in tracks.values():
            pc.addTrack(track)
        for transceiver in pc.getTransceivers():
            if transceiver.kind == "video":
                able = RTCRtpSender.getCapabilities("video").codecs
                transceiver.setCodecPreferences([one for one in able if one.mimeType in ("video/H264", "video/rtx")])
        return tracks

    async def _negotiate(self, pc: RTCPeerConnection) -> str:
        await pc.setLocalDescription(await pc.createOffer())
        headers = {"Content-Type": "application/sdp", "Authorization": f"Bearer {self._order['token']}"}
        async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
            answer = await client.post(self._order["whip"], content=pc.localDescription.sdp, headers=headers)
        if answer.status_code == 404:
            raise SourceError("over")
        if answer.status_code != 201:
            raise SourceError("door")
        await pc.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        return str(answer.url.join(answer.headers["location"]))

    async def _pump(
        self, pc: RTCPeerConnection, camera: Camera, tracks: dict[str, Fetched], stopping: threading.Event
    ) -> None:
        """Until the camera ends or the connection to the node does."""
        loop = asyncio.get_running_loop()
        lost: asyncio.Future[None] = loop.create_future()

        @pc.on("connectionstatechange")
        def changed() -> None:
            if pc.connectionState in ("failed", "closed") and not lost.done():
                lost.set_result(None)

        def read() -> None:
            for kind, item in camera.read():
                if stopping.is_set():
                    return
                if kind in tracks:
                    loop.call_soon_threadsafe(tracks[kind].put, item)

        reading = asyncio.ensure_future(asyncio.to_thread(read))
        await asyncio.wait({reading, lost}, return_when=asyncio.FIRST_COMPLETED)
        stopping.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reading, READ_SECONDS + 2)

    async def _leave(self, resource: str) -> None:
        if not resource:
            return
        headers = {"Authorization": f"Bearer {self._order['token']}"}
        with contextlib.suppress(httpx2.HTTPError):
            async with httpx2.AsyncClient(trust_env=False, timeout=5) as client:
                await client.delete(resource, headers=headers)


def main() -> None:
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    av.logging.set_level(av.logging.FATAL)
    thin()
    order = json.loads(sys.stdin.buffer.readline())
    code = asyncio.run(while_wanted(Fetcher(order).forever()))
    sys.stdout.flush()
    # A thread may still wait in a camera's socket; nothing here is worth waiting for it.
    os._exit(code or 0)


if __name__ == "__main__":
    main()
