"""Which node a room lives on, and when it may move. Pure: nodes and moments in, a choice out.

A room lives on exactly one node. Moving one that is still alive would split a lesson in two, so three witnesses must
agree: the web (up long enough to have heard), the node's silence, and a client that cannot reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit, urlunsplit

from server.lessons.models import Node

HEALTHY = timedelta(seconds=6)  # three heartbeats
SILENT = timedelta(seconds=10)  # five heartbeats: a node that restarts from its spool is back before that
WEB_UP_SECONDS = 30.0  # a web that just started has heard nobody yet
DISK_FLOOR = 500_000_000  # bytes: an hour of recording of ten rooms; below it a node is the last choice
ROOM_LOAD = 0.03  # CPU share a quiet room will need: spreads rooms that were placed but are still empty


def healthy(node: Node, now: datetime) -> bool:
    return now - node.seen_at <= HEALTHY


def choose(nodes: Sequence[Node], now: datetime, but: frozenset[str] = frozenset()) -> Node | None:
    """The least loaded healthy node; one with a full disk only when there is no other."""
    fit = [node for node in nodes if healthy(node, now) and not node.draining and node.id not in but]
    return min(fit, key=lambda n: (n.disk_free_bytes < DISK_FLOOR, n.load + ROOM_LOAD * n.rooms, n.id), default=None)


def may_move(*, web_up: float, silent_for: timedelta, epoch: int, unreachable: int | None) -> bool:
    """All three witnesses agree. A report about an older epoch says nothing about this one."""
    return web_up >= WEB_UP_SECONDS and silent_for >= SILENT and unreachable == epoch


def as_seen_from(public_url: str, host: str) -> str:
    """A node's address for a page of this host: nodes of the embedded default say "ws://{host}:8001"."""
    return public_url.replace("{host}", host).rstrip("/")


def over_http(url: str) -> str:
    """ws://… as http://…, for WHIP and WHEP."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme={"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)))
