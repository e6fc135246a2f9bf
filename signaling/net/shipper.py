"""Carries facts to the web's ledger and op-log chunks to the object store, for as long as it takes.

    shipper = FactShipper(spool, web_url, node_secret)      POST {web}/internal/facts, only an ack advances
        await shipper.start(); shipper.stalled; await shipper.drain(seconds) -> bool; await shipper.stop()
    ops = OpShipper(store)                                  to lessons/{lesson}/ops/e{epoch}-{first_seq:08d}.jsonl
        ops.add(lesson, epoch, seq, record)                 record: the op as one JSON line, no newline; after fsync
        ops.shipped_seq(lesson, epoch) -> int               everything up to it is in the store
        await ops.start(); await ops.drain(seconds) -> bool; await ops.stop()
    await load_ops(store, lesson) -> [dict]                 all shipped ops in order, for a node that takes over

After a crash the node adds the whole journal again: a chunk that exists is rewritten with the same ops or more.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

from signaling.net.factspool import Batch, FactSpool
from signaling.ports import ObjectStore, ObjectStoreError

BATCH_FACTS = 500
CHUNK_OPS = 2000  # after an outage: several chunks instead of one endless one
SHIP_SECONDS = 0.5  # ops are in the store within a second: half for gathering, half for the store
POLL_SECONDS = 1.0
FIRST_RETRY_SECONDS = 0.25
LAST_RETRY_SECONDS = 10.0
TIMEOUT_SECONDS = 10.0
STALLED_SECONDS = 5.0
Answer = tuple[set[str], set[str]]
"""Ids that the ledger has, and those it can never take: set aside, so that one bad fact holds up no other."""


class FactShipper:
    """One batch at a time, oldest first. Whatever goes wrong, the same facts are sent again."""

    def __init__(
        self,
        spool: FactSpool,
        web_url: str,
        node_secret: str,
        *,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._spool, self._transport = spool, transport
        self._url = web_url.rstrip("/") + "/internal/facts"
        self._headers = {"Authorization": f"Bearer {node_secret}"}
        self._task: asyncio.Task[None] | None = None
        self._failing_since: float | None = None

    @property
    def stalled(self) -> bool:
        since = self._failing_since
        return since is not None and asyncio.get_running_loop().time() - since >= STALLED_SECONDS

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        async with httpx2.AsyncClient(
            timeout=TIMEOUT_SECONDS, headers=self._headers, trust_env=False, transport=self._transport
        ) as client:
            wait = FIRST_RETRY_SECONDS
            while True:
                batch = self._spool.batch(BATCH_FACTS)
                if not batch.facts:
                    await self._spool.wait(POLL_SECONDS)
                elif await self._ship(client, batch):
                    wait, self._failing_since = FIRST_RETRY_SECONDS, None
                else:
                    self._failing_since = self._failing_since or asyncio.get_running_loop().time()
                    await asyncio.sleep(wait)
                    wait = min(wait * 2, LAST_RETRY_SECONDS)

    async def _ship(self, client: httpx2.AsyncClient, batch: Batch) -> bool:
        answer = await self._post(client, batch.facts)
        if answer is None:
            return False
        stored, refused = answer
        if any(fact["id"] not in stored | refused for fact in batch.facts):
            return False
        self._spool.set_aside([fact for fact in batch.facts if fact["id"] not in stored])
        self._spool.advance(batch)
        return True

    async def _post(self, client: httpx2.AsyncClient, facts: list[dict[str, Any]]) -> Answer | None:
        """None when the web cannot be asked."""
        try:
            response = await client.post(self._url, json={"facts": facts})
            if response.status_code == 422:
                return await self._post_halves(client, facts)
            if response.status_code != 200:
                return None
            told = response.json()
            return set(told["stored"]), set(told["refused"])
        except (httpx2.HTTPError, ValueError, KeyError, TypeError):
            return None

    async def _post_halves(self, client: httpx2.AsyncClient, facts: list[dict[str, Any]]) -> Answer | None:
        """Find the unreadable fact by halving; the others must not wait for it."""
        if len(facts) == 1:
            return set(), {facts[0]["id"]}
        stored: set[str] = set()
        refused: set[str] = set()
        for half in (facts[: len(facts) // 2], facts[len(facts) // 2 :]):
            answer = await self._post(client, half)
            if answer is None:
                return None
            stored |= answer[0]
            refused |= answer[1]
        return stored, refused

    async def drain(self, seconds: float) -> bool:
        """Wait until the ledger has everything; False if that took longer."""
        return await _until(lambda: not self._spool.batch(1).facts, seconds)

    async def stop(self) -> None:
        await _cancel(self._task)


@dataclass(slots=True)
class _Log:
    """One room's ops of one epoch that are not shipped yet."""

    waiting: dict[int, bytes] = field(default_factory=dict)
    shipped_seq: int = -1


class OpShipper:
    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._logs: dict[tuple[str, int], _Log] = {}
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self.failing = False

    def add(self, lesson: str, epoch: int, seq: int, record: bytes) -> None:
        self._logs.setdefault((lesson, epoch), _Log()).waiting[seq] = record
        self._news.set()

    def shipped_seq(self, lesson: str, epoch: int) -> int:
        """Everything up to this op is in the store; -1 when nothing is."""
        log = self._logs.get((lesson, epoch))
        return log.shipped_seq if log else -1

    @property
    def pending(self) -> int:
        return sum(len(log.waiting) for log in self._logs.values())

    def forget(self, lesson: str, epoch: int) -> None:
        """The room is closed and everything of it shipped."""
        log = self._logs.get((lesson, epoch))
        if log is not None and not log.waiting:
            del self._logs[(lesson, epoch)]

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        wait = FIRST_RETRY_SECONDS
        while True:
            await self._news.wait()
            await asyncio.sleep(SHIP_SECONDS)
            self._news.clear()
            try:
                await self.ship()
                wait, self.failing = FIRST_RETRY_SECONDS, False
            except ObjectStoreError:
                self.failing = True
                self._news.set()
                await asyncio.sleep(wait)
                wait = min(wait * 2, LAST_RETRY_SECONDS)

    async def ship(self) -> None:
        """Everything that waits, now. Raises ObjectStoreError with the rest still waiting."""
        async with self._turn:
            await self._ship()

    async def _ship(self) -> None:
        for (lesson, epoch), log in list(self._logs.items()):
            while log.waiting:
                seqs = sorted(log.waiting)[:CHUNK_OPS]
                chunk = b"".join(log.waiting[seq] + b"\n" for seq in seqs)
                key = f"lessons/{lesson}/ops/e{epoch}-{seqs[0]:08d}.jsonl"
                await self._store.put(key, chunk, content_type="application/x-ndjson")
                for seq in seqs:
                    del log.waiting[seq]
                log.shipped_seq = max(log.shipped_seq, seqs[-1])

    async def drain(self, seconds: float) -> bool:
        return await _until(lambda: self.pending == 0, seconds)

    async def stop(self) -> None:
        await _cancel(self._task)


async def load_ops(store: ObjectStore, lesson: str) -> list[dict[str, Any]]:
    """All shipped ops of a lesson in the order in which they hold; raises ObjectStoreError when the store is away."""
    lines: list[dict[str, Any]] = []
    async for info in store.list(f"lessons/{lesson}/ops/"):
        data = await store.get(info.key)
        lines.extend(json.loads(line) for line in data.splitlines() if line)
    return merge_ops(lines)


def merge_ops(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Each (epoch, seq) once, in order; what an epoch did after the next one had taken over never held."""
    ops = {(line["epoch"], line["seq"]): dict(line) for line in lines}
    first = {epoch: min(s for e, s in ops if e == epoch) for epoch in {e for e, _ in ops}}
    ends = {epoch: min((s for e, s in first.items() if e > epoch), default=None) for epoch in first}
    return [ops[at] for at in sorted(ops) if (end := ends[at[0]]) is None or at[1] < end]


async def _until(done: Callable[[], bool], seconds: float) -> bool:
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while not done():
        if loop.time() >= end:
            return False
        await asyncio.sleep(0.05)
    return True


async def _cancel(task: asyncio.Task[None] | None) -> None:
    if task is not None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
