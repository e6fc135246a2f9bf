"""Every two seconds the node tells the web that it lives and what it carries; the web answers which rooms have moved
on.

A web that is away changes nothing: lessons go on.
"""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from pathlib import Path

import httpx2

from signaling.messages import Heartbeat
from signaling.net.moves import LINGER_SECONDS
from signaling.net.node import Node

log = logging.getLogger("tongtang.heartbeat")

EVERY_SECONDS = 2.0
TIMEOUT_SECONDS = 5.0
EMPTY_SECONDS = 0.1
DRAIN_SECONDS = 15.0
"""Moving a room takes the web half a second."""


class HeartbeatSender:
    def __init__(
        self, node: Node, node_id: str, public_url: str, control_url: str, web_url: str, secret: str, spool: Path
    ) -> None:
        self._node, self._node_id, self._spool = node, node_id, spool
        self._public_url, self._control_url = public_url, control_url
        self._url = f"{web_url.rstrip('/')}/internal/nodes/{node_id}/heartbeat"
        self._headers = {"Authorization": f"Bearer {secret}"}
        self._started_at_ms = time.time_ns() // 1_000_000
        self._cpu, self._at = time.process_time(), time.monotonic()
        self._silent = False
        self.engine = "python"  # which packet engine runs

    async def run(self) -> None:
        async with httpx2.AsyncClient(timeout=TIMEOUT_SECONDS, headers=self._headers, trust_env=False) as client:
            while True:
                await self._beat(client)
                await asyncio.sleep(EVERY_SECONDS)

    async def drain(self) -> None:
        """The node is about to stop: the web shall move its rooms. Without a web that answers, or without another
        node, everything goes as when a node stops: the pages wait for it."""
        self._node.draining = True
        url = self._url.removesuffix("heartbeat") + "drain"
        try:
            async with httpx2.AsyncClient(timeout=DRAIN_SECONDS, headers=self._headers, trust_env=False) as client:
                response = await client.post(url)
                moved = len(response.raise_for_status().json()["moved"])
        except (httpx2.HTTPError, ValueError, KeyError, TypeError) as error:
            log.warning("the web does not move our rooms: %s", error)
            return
        end = time.monotonic() + LINGER_SECONDS
        while moved:
            await asyncio.sleep(EMPTY_SECONDS)
            if not self._node.lives or time.monotonic() >= end:
                return

    async def _beat(self, client: httpx2.AsyncClient) -> None:
        try:
            response = await client.post(self._url, content=self._message().model_dump_json(), headers=_JSON)
            response.raise_for_status()
            epochs = response.json().get("epochs", {})
            self._silent = False
        except (httpx2.HTTPError, ValueError, AttributeError) as error:
            if not self._silent:  # once, not every two seconds
                log.warning("the web does not take heartbeats: %s", error)
            self._silent = True
            return
        await self._node.moved({str(lesson): int(epoch) for lesson, epoch in epochs.items()})

    def _message(self) -> Heartbeat:
        return Heartbeat(
            node=self._node_id,
            started_at_ms=self._started_at_ms,
            public_url=self._public_url,
            control_url=self._control_url,
            load=self._load(),
            engine=self.engine,
            rooms=self._node.reports(),
            spool_bytes=self._node.media.bytes + self._node.facts.bytes,
            disk_free_bytes=shutil.disk_usage(self._spool).free,
            draining=self._node.draining,
        )

    def _load(self) -> float:
        cpu, at = time.process_time(), time.monotonic()
        load = (cpu - self._cpu) / max(0.001, at - self._at)
        self._cpu, self._at = cpu, at
        return round(load, 3)


_JSON = {"Content-Type": "application/json"}
