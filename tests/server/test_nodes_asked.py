"""What the web says of a node's answer: a room that is not open is no failure of ours; a refusal is."""

from __future__ import annotations

import logging

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.lessons.models import Node
from server.live import NodeRefusedError, Nodes
from tests.support.web import MONDAY, FixedClock


@pytest.mark.parametrize(
    ("status", "levels"),
    [(404, {logging.INFO}), (403, {logging.ERROR}), (409, {logging.ERROR})],
)
async def test_a_room_that_is_not_open_is_no_error(
    caplog: pytest.LogCaptureFixture, status: int, levels: set[int]
) -> None:
    answer = httpx2.MockTransport(lambda _request: httpx2.Response(status, text="no"))
    nodes = Nodes(Ed25519PrivateKey.generate(), FixedClock(MONDAY), answer)
    with caplog.at_level(logging.INFO, "tongtang.live"), pytest.raises(NodeRefusedError):
        await nodes.seen(Node(id="n1", control_url="http://n1.test"), "lesson")
    assert {one.levelno for one in caplog.records if one.name == "tongtang.live"} == levels
    await nodes.aclose()
