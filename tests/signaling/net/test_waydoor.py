"""The door for path tests: a real node, aiortc at the other end, and everybody who has no business there."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx2
import pytest
from aiortc import RTCPeerConnection, RTCSessionDescription

from signaling.seats import sign
from tests.support.signaling import fake_web, node_process

pytestmark = pytest.mark.slow


async def test_a_way_that_stands_connects_and_strangers_do_not(tmp_path: Path) -> None:
    async with fake_web() as web, node_process(tmp_path / "n1", web) as node:
        url = f"http://127.0.0.1:{node.port}/way"
        pc = RTCPeerConnection()
        pc.addTransceiver("audio", "recvonly")
        await pc.setLocalDescription(await pc.createOffer())
        offer = pc.localDescription.sdp

        async def post(claim: dict[str, object], body: str = offer, **headers: str) -> httpx2.Response:
            token = sign(claim, web.key)
            async with httpx2.AsyncClient(trust_env=False) as client:
                return await client.post(url, content=body, headers={"Authorization": f"Bearer {token}", **headers})

        good = {"aud": "way", "exp": time.time() + 60}
        assert (await post({"aud": "node", "exp": time.time() + 60})).status_code == 401
        assert (await post({"aud": "way", "exp": time.time() - 1})).status_code == 401
        assert (await post(good, Origin="http://elsewhere.example")).status_code == 403
        assert (await post(good, "nonsense")).status_code == 422
        assert (await post(good, "v=0\r\n" * 8000)).status_code == 413
        answer = await post(good, Origin="http://127.0.0.1:8000")
        assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (201, "http://127.0.0.1:8000")
        connected = asyncio.Event()
        pc.on("connectionstatechange", lambda: pc.connectionState == "connected" and connected.set())
        await pc.setRemoteDescription(RTCSessionDescription(answer.text, "answer"))
        await asyncio.wait_for(connected.wait(), 20)
        await pc.close()
