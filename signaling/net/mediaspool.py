"""Fragments on their way to the object store: a file each, fsynced, uploaded, read back, listed in the manifest,
then removed.

A file of the spool holds one JSON line (key, size, hash, manifest entry) and the object's bytes; so a spool left by
a killed process, or found on a dead machine's disk weeks later, can be uploaded without anybody's memory, under its
own old epoch.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from media.record.manifest import Manifest, manifest_key
from signaling.net.objectstore import fsync_folder, matches
from signaling.ports import ObjectMissingError, ObjectStore, ObjectStoreError

UPLOADS = 4  # at once: hides the store's latency, does not drown a small one after an outage
FIRST_RETRY_SECONDS = 0.25
LAST_RETRY_SECONDS = 10.0
MANIFEST_SECONDS = 1.0
MANIFEST_BYTES_PER_SECOND = 256 * 1024  # a long lesson's manifest is rewritten less often instead of costing more
QUIET_SECONDS = 600.0
MEMORY_BYTES = 64 * 1024 * 1024  # what a full disk may keep in memory: about ten minutes of one lesson
QUOTA_BYTES = 8 * 1024**3
STALLED_SECONDS = 5.0  # a store that refuses for so long is said to be away; a blip is not shown to anybody


@dataclass(slots=True, eq=False)
class Item:
    """One object not yet surely stored. ``path`` None: the disk was full and ``data`` is all there is."""

    key: str
    size: int
    sha256: str
    content_type: str
    entry: dict[str, Any]
    path: Path | None
    data: bytes | None

    def header(self) -> bytes:
        head = {"key": self.key, "size": self.size, "sha256": self.sha256, "type": self.content_type}
        return json.dumps(head | {"entry": self.entry}, separators=(",", ":")).encode() + b"\n"


@dataclass(slots=True)
class Listing:
    """One epoch's manifest and what is stored but not yet listed in the stored manifest."""

    manifest: Manifest | None = None
    waiting: list[Item] = field(default_factory=list)
    written_at: float = -1e9
    length: int = 0

    def due_at(self) -> float:
        return self.written_at + max(MANIFEST_SECONDS, self.length / MANIFEST_BYTES_PER_SECOND)


def _ignore(_key: str) -> None:
    return None


class MediaSpool:
    """``signaling.ports.MediaStore``."""

    def __init__(
        self,
        folder: Path,
        store: ObjectStore,
        *,
        quota_bytes: int = QUOTA_BYTES,
        memory_bytes: int = MEMORY_BYTES,
        on_saved: Callable[[str], None] = _ignore,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._store = folder, store
        self._quota, self._memory_limit = quota_bytes, memory_bytes
        self.on_saved = on_saved
        self.bytes = 0
        """Not yet surely stored, on disk."""
        self.memory = 0
        """Not yet surely stored, in memory only."""
        self.dropped = 0
        self._disk_error: str | None = None
        self._failing_since: float | None = None
        self._number = 0
        self._queue: deque[Item] = deque()
        self._listings: dict[str, Listing] = {}
        self._unfinished = 0
        self._wake = asyncio.Event()
        self._listed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="spool")

    # --- for the node's report --------------------------------------------------------------------------------------

    @property
    def error(self) -> str | None:
        """ "disk": local copies cannot be written; "store": the object store has been away for some seconds."""
        if self._disk_error:
            return self._disk_error
        if self._failing_since is not None and _now() - self._failing_since >= STALLED_SECONDS:
            return "store"
        return None

    @property
    def stalled(self) -> bool:
        return self.error is not None

    @property
    def pending(self) -> int:
        return self._unfinished

    # --- in ---------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Take over what an earlier process left, then upload for ever."""
        for item in await self._in_thread(self._find):
            self._enqueue(item)
        self._tasks = [asyncio.create_task(self._upload_loop()) for _ in range(UPLOADS)]
        self._tasks.append(asyncio.create_task(self._manifest_loop()))

    async def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        entry: Mapping[str, Any] | None = None,
    ) -> None:
        """Returns when the object is on disk; on a full disk when it is in memory, with ``error`` "disk"."""
        digest = hashlib.sha256(data).hexdigest()
        item = Item(key, len(data), digest, content_type, dict(entry or {}), None, data)
        self._number += 1
        path = self._folder / f"{self._number:012d}.spool"
        try:
            if self.bytes + len(data) > self._quota:
                raise OSError(errno.EDQUOT, "quota of the spool")
            self.bytes += len(data)  # before the wait: puts at the same time must not pass the quota together
            try:
                await self._in_thread(_write, path, item.header() + data)
            except OSError:
                self.bytes -= len(data)
                raise
            item.path, item.data, self._disk_error = path, None, None
        except OSError:
            self._disk_error = "disk"
            if not self._keep_in_memory(item):
                return
        self._enqueue(item)

    def _keep_in_memory(self, item: Item) -> bool:
        if self.memory + item.size <= self._memory_limit:
            self.memory += item.size
            return True
        self.dropped += 1
        lost = item.entry.get("fragment")
        if lost is None:
            return item.size == 0  # entries alone cost nothing and are never dropped
        gap = {"from_ms": lost["from_ms"], "to_ms": lost["to_ms"], "cause": "disk"}
        item.entry = {**{k: v for k, v in item.entry.items() if k != "fragment"}, "gap": gap}
        item.size, item.data, item.sha256 = 0, b"", hashlib.sha256(b"").hexdigest()
        return True

    def _enqueue(self, item: Item) -> None:
        self._unfinished += 1
        self._idle.clear()
        self._queue.append(item)
        self._wake.set()

    def _find(self) -> list[Item]:
        found = []
        for path in sorted(self._folder.glob("*.spool")):
            self._number = max(self._number, int(path.stem))
            item = _read_item(path)
            if item is None:
                path.unlink(missing_ok=True)  # torn: its writer was killed before anybody was told "saved"
                continue
            self.bytes += item.size
            found.append(item)
        return found

    # --- out --------------------------------------------------------------------------------------------------------

    async def _upload_loop(self) -> None:
        while True:
            while not self._queue:
                self._wake.clear()
                await self._wake.wait()
            item = self._queue.popleft()
            await self._until_stored(item)
            listing = self._listings.setdefault(_manifest_of(item.entry), Listing())
            listing.waiting.append(item)
            self._listed.set()

    async def _until_stored(self, item: Item) -> None:
        if item.size == 0:
            return
        wait = FIRST_RETRY_SECONDS
        while True:
            try:
                data = item.data if item.data is not None else await self._in_thread(_read_data, item.path)
                await self._store.put(item.key, data, content_type=item.content_type)
                if await matches(self._store, item.key, item.size, item.sha256):
                    self._failing_since = None
                    return
            except (ObjectStoreError, OSError):
                pass
            self._failing_since = self._failing_since or _now()
            await asyncio.sleep(wait)
            wait = min(wait * 2, LAST_RETRY_SECONDS)

    async def _manifest_loop(self) -> None:
        wait = FIRST_RETRY_SECONDS
        while True:
            waiting = [listing for listing in self._listings.values() if listing.waiting]
            if not waiting:
                self._listed.clear()
                await self._listed.wait()
                continue
            first = min(waiting, key=Listing.due_at)
            if (delay := first.due_at() - _now()) > 0:
                await asyncio.sleep(delay)
            try:
                await self._write_manifest(first)
                wait = FIRST_RETRY_SECONDS
            except ObjectStoreError:
                self._failing_since = self._failing_since or _now()
                await asyncio.sleep(wait)
                wait = min(wait * 2, LAST_RETRY_SECONDS)

    async def _write_manifest(self, listing: Listing) -> None:
        batch = list(listing.waiting)
        entry = batch[0].entry
        if entry:
            if listing.manifest is None:
                listing.manifest = await self._stored_manifest(entry)
            for item in batch:
                listing.manifest.add(item.entry)
            data = listing.manifest.encode()
            listing.written_at, listing.length = _now(), len(data)
            await self._store.put(_manifest_of(entry), data, content_type="application/json")
        del listing.waiting[: len(batch)]
        self._let_go()
        await self._forget(batch)

    def _let_go(self) -> None:
        """Of what nothing more is to come: a term's manifests would fill the memory. What comes all the same begins
        with the stored one."""
        for key, one in list(self._listings.items()):
            over = one.manifest is not None and (one.manifest.closed or _now() - one.written_at > QUIET_SECONDS)
            if over and not one.waiting:
                del self._listings[key]

    async def _stored_manifest(self, entry: Mapping[str, Any]) -> Manifest:
        """What an earlier process listed and then forgot locally stands only there."""
        try:
            return Manifest.from_json(json.loads(await self._store.get(_manifest_of(entry))))
        except ObjectMissingError:
            return Manifest(entry["lesson"], entry["epoch"], entry["opened_at_ms"])

    async def _forget(self, batch: list[Item]) -> None:
        await self._in_thread(_unlink, [item.path for item in batch if item.path is not None])
        for item in batch:
            if item.path is None:
                self.memory -= item.size
            else:
                self.bytes -= item.size
            self._unfinished -= 1
            self.on_saved(item.key)
        if self.memory == 0:
            self._disk_error = None
        if self._unfinished == 0:
            self._idle.set()

    async def drain(self, seconds: float) -> bool:
        """Wait until everything is stored and listed; False if that took longer."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def stop(self) -> None:
        """What is not stored yet stays on disk for the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=True)

    async def _in_thread(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _manifest_of(entry: Mapping[str, Any]) -> str:
    return manifest_key(entry["lesson"], entry["epoch"]) if entry else ""


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        written = 0
        while written < len(data):
            written += os.write(descriptor, data[written:])
        os.fsync(descriptor)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    fsync_folder(path.parent)


def _read_item(path: Path) -> Item | None:
    head, _, data = path.read_bytes().partition(b"\n")
    try:
        fields = json.loads(head)
        item = Item(fields["key"], fields["size"], fields["sha256"], fields["type"], fields["entry"], path, None)
    except (ValueError, KeyError, TypeError):
        return None
    if len(data) != item.size or hashlib.sha256(data).hexdigest() != item.sha256:
        return None
    return item


def _read_data(path: Path) -> bytes:
    return path.read_bytes().partition(b"\n")[2]


def _unlink(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
