"""A redirected encoder shows a ticket in its key's place: once, and what it made is the key's."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from signaling.messages import EncoderKey
from signaling.outside import digest
from signaling.seats import issue_ticket
from tests.signaling.net.test_whip import KEY, SDP, bearer
from tests.support.offers import offer
from tests.support.signaling import fake_web, make_spec, node_process

pytestmark = pytest.mark.slow


async def test_a_ticket_opens_once_what_its_bearer_would(tmp_path: Path) -> None:
    async with (
        fake_web() as web,
        node_process(tmp_path / "n1", web) as node,
        httpx2.AsyncClient(trust_env=False) as client,
    ):
        spec = make_spec()
        await node.put(spec.model_copy(update={"encoders": [EncoderKey(room="lead", sha256=digest(KEY))]}))

        async def post(ticket: str, door: str = "whip") -> httpx2.Response:
            url = f"{node.http}/{door}/L1?ticket={ticket}"
            return await client.post(url, content=offer("aiortc-pub"), headers=SDP)

        def ticket(shown: str, lesson: str = "L1", now: float | None = None) -> str:
            return issue_ticket(lesson, shown, web.key, time.time() if now is None else now)

        def at(made: httpx2.Response) -> str:
            """This node listens where it happens to, not where it says."""
            return node.http + urlsplit(made.headers["location"]).path

        once = ticket(KEY)
        made = await post(once)
        assert made.status_code == 201, made.text
        again = await post(once)
        assert (again.status_code, again.json()) == (401, {"error": "seat_expired"})
        assert made.headers["location"].startswith("http://127.0.0.1:8001/whip/L1/"), "whole, as the node is known"
        session = at(made)
        assert (await client.delete(f"{session}?ticket={ticket(KEY)}")).status_code == 200, "a new one of the same key"
        session = at(await post(ticket(KEY)))
        assert (await client.delete(session, headers=bearer("tk-other"))).status_code == 401
        assert (await client.delete(session, headers=bearer(KEY))).status_code == 200
        assert (await post(ticket(web.token("teacher")))).status_code == 201, "a seat's"
        assert (await post(ticket(web.token("watch")))).status_code == 403, "with its rights"
        assert (await post(ticket(web.expired("teacher")))).json() == {"error": "seat_expired"}
        assert (await post(ticket(KEY, now=time.time() - 60))).status_code == 401
        assert (await post(ticket(KEY, lesson="L2"))).json() == {"error": "seat_lesson"}
        assert (await post(ticket("tk-other"))).json() == {"error": "seat_revoked"}
        await node.put(spec)
        assert (await post(ticket(KEY))).json() == {"error": "seat_revoked"}, "withdrawn on the way"
