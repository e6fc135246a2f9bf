"""WHIP and WHEP with aiortc as encoder and player, through a real node."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import httpx2
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack, MediaStreamError, VideoStreamTrack
from av import VideoFrame

from signaling.messages import EncoderKey
from signaling.outside import digest
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
    sdp = await offered(pc)
    async with httpx2.AsyncClient(trust_env=False) as client, asyncio.timeout(30):
        while True:
            answer = await client.post(url, content=sdp, headers=SDP | bearer(token))
            if answer.status_code != 409:  # a player that comes before the encoder is connected asks again
                break
            await asyncio.sleep(0.2)
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
            assert await post(without(good, "a=fingerprint")) == (422, "sdp_fingerprint")
            assert await post(good.replace("opus", "g722")) == (422, "sdp_audio")
            assert await post(at=f"{node.http}/whep/L1", token=web.token("watch")) == (409, "stage_empty")
            assert await post(Accept="text/html") == (406, "sdp_malformed")
            assert await post(token="tk-nothing") == (401, "seat_malformed")
            assert await post("x" * 50_000) == (413, "sdp_malformed")
            assert await post(Origin="https://evil.example") == (403, "origin")
            assert (await client.post(url, content=good, headers=bearer(web.token("teacher")))).status_code == 415
            page = {"Origin": f"http://127.0.0.1:{node.port + 1}", "Access-Control-Request-Method": "POST"}
            options = await client.options(url, headers=page)
            assert options.status_code == 204 and options.headers["access-control-allow-origin"] == page["Origin"]
        assert "EndpointJoined" not in web.kinds()


FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
RESTART = "a=ice-ufrag:again\r\na=ice-pwd:" + "p" * 24 + "\r\n"


async def test_the_session_by_the_letter(tmp_path: Path) -> None:
    """RFC 9725 sections 4.2 and 4.3, request by request."""
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node:
        await node.put(make_spec())
        teacher, other = bearer(web.token("teacher")), bearer(web.token("class", "room1"))
        async with httpx2.AsyncClient(trust_env=False) as client:
            url = f"{node.http}/whip/L1"
            for method in ("GET", "HEAD", "PUT", "DELETE", "PATCH"):
                refused = await client.request(method, url, headers=teacher)
                assert (refused.status_code, refused.headers["allow"]) == (405, "POST, OPTIONS"), method
            made = await client.post(url, content=offer("aiortc-pub"), headers=SDP | teacher)
            assert made.status_code == 201 and made.headers["content-type"] == "application/sdp"
            session, etag = str(made.url.join(made.headers["location"])), made.headers["etag"]
            for method in ("GET", "HEAD", "POST", "PUT"):
                refused = await client.request(method, session, headers=teacher)
                assert (refused.status_code, refused.headers["allow"]) == (405, "PATCH, DELETE, OPTIONS"), method

            async def patch(body: str, **headers: str) -> httpx2.Response:
                sent = FRAGMENT | teacher | {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.patch(session, content=body, headers=sent)

            trickle = "a=ice-ufrag:x\r\na=mid:0\r\na=candidate:1 1 udp 1 192.0.2.1 9 typ host\r\n"
            candidates = trickle.split("\r\n", 1)[1]
            assert (await client.patch(session, content=candidates, headers=FRAGMENT)).status_code == 401
            assert (await client.patch(session, content=candidates, headers=FRAGMENT | other)).status_code == 401
            assert (await patch(candidates, Content_Type="text/plain", If_Match=etag)).status_code == 415
            assert (await patch(candidates)).status_code == 204, "harmless"
            assert (await patch(RESTART)).status_code == 428
            assert (await patch(candidates, If_Match='"old"')).status_code == 412
            assert (await patch("nonsense", If_Match=etag)).status_code == 400
            assert (await patch(candidates, If_Match=etag)).status_code == 204
            assert (await patch(candidates, If_Match="*")).status_code == 422
            restarted = await patch(RESTART, If_Match="*")
            assert restarted.status_code == 200 and restarted.headers["content-type"] == FRAGMENT["Content-Type"]
            assert "a=ice-ufrag:" in restarted.text and "a=ice-pwd:" in restarted.text
            assert (await patch(candidates, If_Match=etag)).status_code == 412
            assert (await patch(candidates, If_Match=restarted.headers["etag"])).status_code == 204
            assert (await client.delete(session, headers=teacher)).status_code == 200
            assert (await patch(candidates, If_Match="*")).status_code == 404
            statuses = [await client.post(url, content=offer("aiortc-pub"), headers=SDP | teacher) for _ in range(9)]
            assert statuses[-1].status_code == 429 and int(statuses[-1].headers["retry-after"]) > 0


KEY = "tk-0123456789abcdef"


async def test_an_encoder_with_a_key_takes_the_pages_place(tmp_path: Path) -> None:
    """Its key opens the lead room's camera; withdrawn, it is put out and the page's own picture is back."""
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node:
        spec = make_spec()
        held = spec.model_copy(update={"encoders": [EncoderKey(room="lead", sha256=digest(KEY))]})
        await node.put(held)
        page, encoder, player = RTCPeerConnection(), RTCPeerConnection(), RTCPeerConnection()
        shown: list[int] = []
        tasks: list[asyncio.Task[None]] = []

        async def play(track: object) -> None:
            with contextlib.suppress(MediaStreamError):
                while True:
                    shown.append(int((await track.recv()).width))  # type: ignore[attr-defined]

        player.on("track", lambda track: tasks.append(asyncio.create_task(play(track))))
        player.addTransceiver("video", direction="recvonly")
        page.addTrack(Picture(320))
        encoder.addTrack(Picture(640))
        try:
            await negotiate(page, f"{node.http}/whip/L1", web.token("teacher"))
            await until(lambda: web.kinds().count("EndpointJoined") == 1)
            await negotiate(player, f"{node.http}/whep/L1", web.token("watch"))
            await until(lambda: shown[-1:] == [320], 30)
            await negotiate(encoder, f"{node.http}/whip/L1", KEY)
            await until(lambda: shown[-1:] == [640], 30)
            await node.put(spec)
            await until(lambda: shown[-1:] == [320], 30)
            left = [fact for fact in web.facts.values() if fact["kind"] == "EndpointLeft"]
            assert [(fact["data"]["seat"], fact["data"]["reason"]) for fact in left] == [("e-lead", "revoked")]
        finally:
            for pc in (page, encoder, player):
                await pc.close()
            await asyncio.gather(*tasks)


class Picture(VideoStreamTrack):
    """aiortc's black picture in another size, so that viewers tell who sends."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self._width = width

    async def recv(self) -> VideoFrame:
        pts, base = await self.next_timestamp()
        frame = VideoFrame(self._width, self._width // 2)
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        frame.pts, frame.time_base = pts, base
        return frame
