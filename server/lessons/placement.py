"""Which node a room lives on, and when it may move. Pure: nodes and moments in, a choice out.

A room lives on exactly one node. Moving one that is still alive would split a lesson in two, so three witnesses must
agree: the web (up long enough to have heard), the node's silence, and a client that cannot reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from server.lessons.models import Node

HEALTHY = timedelta(seconds=6)  # three heartbeats
SILENT = timedelta(seconds=10)  # five heartbeats: a node that restarts from its spool is back before that
WEB_UP_SECONDS = 30.0  # a web that just started has heard nobody yet
DISK_FLOOR = 500_000_000  # bytes: an hour of recording of ten rooms; below it a node is the last choice
CROWDED = 0.6  # of a core: above it a node's own packets wait, which is worse than two budgets on one line
ROOM_LOAD = 0.03  # CPU share a quiet room will need: spreads rooms that were placed but are still empty


def healthy(node: Node, now: datetime) -> bool:
    return now - node.seen_at <= HEALTHY


def choose(
    nodes: Sequence[Node],
    now: datetime,
    but: frozenset[str] = frozenset(),
    near: frozenset[str] = frozenset(),
) -> Node | None:
    """The least loaded healthy node; one with a full disk only when there is no other. First come those in ``near``,
    which hold other rooms of the same schools: only one node can share a school's line out, unless it is crowded."""
    fit = [node for node in nodes if healthy(node, now) and not node.draining and node.id not in but]

    def rank(node: Node) -> tuple[bool, bool, float, str]:
        load = node.load + ROOM_LOAD * node.rooms
        return node.disk_free_bytes < DISK_FLOOR, not (node.id in near and load < CROWDED), load, node.id

    return min(fit, key=rank, default=None)


def may_move(*, web_up: float, silent_for: timedelta, epoch: int, unreachable: int | None) -> bool:
    """All three witnesses agree. A report about an older epoch says nothing about this one."""
    return web_up >= WEB_UP_SECONDS and silent_for >= SILENT and unreachable == epoch
