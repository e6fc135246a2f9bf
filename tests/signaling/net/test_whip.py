"""WHIP and WHEP with aiortc as encoder and player, through a real node."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx2
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack

from tests.support.offers import offer, without
from tests.support.signaling import NodeProcess, fake_web, make_spec, node_process, until

pytestmark = pytest.mark.slow

SDP = {"Content-Type": "application/sdp"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def offered(pc: RTCPeerConnection) -> str:
    await pc.setLocalDescription(await pc.createOffer())
    return str(pc.localDescription.sdp)


async def negotiate(pc: RTCPeerConnection, url: str, token: str) -> httpx2.Response:
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.post(url, content=await offered(pc), headers=SDP | bearer(token))
    assert answer.status_code == 201, answer.text
    await pc.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
    return answer


async def test_publish_and_play(tmp_path: Path) -> None:
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node:
        await node.put(make_spec())
        encoder, player = RTCPeerConnection(), RTCPeerConnection()
        frames: list[object] = []
        tasks: list[asyncio.Task[None]] = []

        async def play(track: object) -> None:
            try:
                while True:
                    frames.append(await track.recv())  # type: ignore[attr-defined]
            except MediaStreamError:
                return

        player.on("track", lambda track: tasks.append(asyncio.create_task(play(track))))
        encoder.addTrack(AudioStreamTrack())
        encoder.addTrack(VideoStreamTrack())
        player.addTransceiver("audio", direction="recvonly")
        player.addTransceiver("video", direction="recvonly")
        try:
            published = await negotiate(encoder, f"{node.http}/whip/L1", web.token("teacher"))
            played = await negotiate(player, f"{node.http}/whep/L1", web.token("watch"))
            assert published.headers["etag"] != played.headers["etag"]
            await until(lambda: {type(frame).__name__ for frame in frames} == {"AudioFrame", "VideoFrame"}, 30)
            await _end(node, web.token("teacher"), str(published.url.join(published.headers["location"])))
            await until(lambda: "EndpointLeft" in web.kinds())
        finally:
            await encoder.close()
            await player.close()
            await asyncio.gather(*tasks)


async def _end(node: NodeProcess, token: str, resource: str) -> None:
    assert resource.startswith(f"{node.http}/whip/L1/")
    async with httpx2.AsyncClient(trust_env=False) as client:
        assert (await client.delete(resource)).status_code == 401
        trickle = {"Content-Type": "application/trickle-ice-sdpfrag"}
        assert (await client.patch(resource, content="a=candidate:x", headers=trickle)).status_code == 204
        assert (await client.patch(resource, content="a=ice-ufrag:x", headers=trickle)).status_code == 405
        assert (await client.delete(resource, headers=bearer(token))).status_code == 200
        assert (await client.delete(resource, headers=bearer(token))).status_code == 404


async def test_refusals(tmp_path: Path) -> None:
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node:
        await node.put(make_spec())
        good, url = offer("aiortc-pub"), f"{node.http}/whip/L1"
        async with httpx2.AsyncClient(trust_env=False) as client:

            async def post(sdp: str = good, token: str | None = None, at: str = url, **headers: str) -> tuple[int, str]:
                sent = SDP | bearer(token or web.token("teacher")) | headers
                answer = await client.post(at, content=sdp, headers=sent)
                return answer.status_code, answer.json().get("error", "")

            assert await post(token="x") == (401, "seat_malformed")
            assert await post(token=web.expired("teacher")) == (401, "seat_expired")
            assert await post(token=web.token("teacher", epoch=3)) == (409, "seat_epoch")
            assert await post(token=web.token("watch")) == (403, "forbidden")
            assert await post(at=f"{node.http}/whip/L9") == (404, "room_unknown")
            assert await post("hello") == (400, "sdp_malformed")
            assert await post(without(good, "a=fingerprint")) == (400, "sdp_fingerprint")
            assert await post(good.replace("opus", "g722")) == (400, "sdp_audio")
            assert await post("x" * 50_000) == (413, "sdp_malformed")
            assert await post(Origin="https://evil.example") == (403, "origin")
            assert (await client.post(url, content=good, headers=bearer(web.token("teacher")))).status_code == 415
            page = {"Origin": f"http://127.0.0.1:{node.port + 1}", "Access-Control-Request-Method": "POST"}
            options = await client.options(url, headers=page)
            assert options.status_code == 204 and options.headers["access-control-allow-origin"] == page["Origin"]
        assert "EndpointJoined" not in web.kinds()
