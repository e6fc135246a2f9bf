"""An encoder's whole way: the classroom's address at the web, 307 to the node, and back out again by what it was told.

The client is one that looks for the session at the address it was given first, as npm's whip-whep does.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

import httpx2
import pytest

from server.clock import FixedClock
from signaling.messages import RoomSpec
from tests.support.offers import offer
from tests.support.processes import free_ports
from tests.support.signaling import FakeWeb, fake_web, node_process, until
from tests.support.web import NODE_SECRET, ORIGIN, Browser, Web

pytestmark = pytest.mark.slow

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag", "If-Match": "*"}
RESTART = "a=ice-ufrag:again\r\na=ice-pwd:" + "p" * 24 + "\r\n"


@pytest.fixture
def clock() -> FixedClock:
    """The node's is the real one, and a redirect's ticket holds for seconds."""
    return FixedClock(datetime.fromtimestamp(time.time(), UTC))


async def stream_key(web: Web) -> dict[str, str]:
    """Of a classroom whose lesson begins in ten minutes."""
    town = await web.school(await web.district(), "城关小学")
    lead = await web.room(town, "录播教室", kind="lead")
    await web.lesson(await web.person("teacher", school=town), lead)
    admin = await web.sign_in(await web.person("school_admin", of_school=town))
    made: dict[str, str] = (await admin.post(f"/api/v1/rooms/{lead.id}/stream-keys", json={"label": "录播主机"})).json()
    return made


async def heard(web: Web, fake: FakeWeb) -> None:
    """The web hears of the node what the node says of itself."""
    await until(lambda: fake.beats)
    told = {"authorization": f"Bearer {NODE_SECRET}"}
    assert (await web.browser().post("/internal/nodes/n1/heartbeat", json=fake.beats[-1], headers=told)).is_success


async def test_a_session_is_found_from_the_first_address(web: Web, tmp_path: Path) -> None:
    made = await stream_key(web)
    bearer = {"Authorization": f"Bearer {made['key']}"}
    port = free_ports(1)
    public = {"TONGTANG_NODE_PORT": str(port), "TONGTANG_NODE_PUBLIC_URL": f"ws://127.0.0.1:{port}"}
    async with (
        fake_web() as fake,
        httpx2.AsyncClient(trust_env=False) as client,
    ):
        fake.key = web.app.state.keys.seat
        async with node_process(tmp_path / "n1", fake, **public) as node:
            await heard(web, fake)
            encoder: Browser = web.browser()
            sent = await encoder.post(made["url"], headers=bearer)
            assert sent.status_code == 307, sent.text
            await node.put(RoomSpec.model_validate(web.nodes.calls[-1][2]))
            answer = await client.post(sent.headers["location"], content=offer("aiortc-pub"), headers=SDP)
            assert answer.status_code == 201, answer.text
            session = urljoin(made["url"], answer.headers["location"])
            assert session.startswith(f"http://127.0.0.1:{port}/whip/") and not session.startswith(ORIGIN)
            restarted = await client.patch(session, content=RESTART, headers=FRAGMENT | bearer)
            assert restarted.status_code == 200, restarted.text
            assert (await client.delete(session, headers=bearer)).status_code == 200
            assert (await client.delete(session, headers=bearer)).status_code == 404, "it is gone"
