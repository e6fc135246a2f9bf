"""What ``tongtang move`` and ``tongtang drain`` do: the same as the page's buttons, without a web."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.clock import SystemClock
from server.config import WebSettings
from server.database import Database, make_engine
from server.live import Nodes
from server.liverooms.moving import Mover
from server.security import load_keys


@asynccontextmanager
async def _mover(settings: WebSettings) -> AsyncIterator[Mover]:
    clock, database = SystemClock(), Database(make_engine(settings.database_url))
    nodes = Nodes(load_keys(settings.seat_key).seat, clock)
    try:
        yield Mover(database, nodes, clock)
    finally:
        await nodes.aclose()
        await database.dispose()


async def move_room(settings: WebSettings, lesson: str, to: str | None) -> str:
    """Returns the line to print."""
    async with _mover(settings) as mover:
        moved = await mover.move(lesson, to)
    return f"{moved.lesson}: {moved.old} -> {moved.new}, epoch {moved.epoch}"


async def drain_node(settings: WebSettings, node: str) -> str:
    async with _mover(settings) as mover:
        moved, kept = await mover.drain(node)
    return f"{node}: {len(moved)} rooms moved, {len(kept)} could not be moved{': ' if kept else ''}{' '.join(kept)}"
