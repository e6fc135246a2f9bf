"""Object stores and webs that misbehave on request, and children that are killed: for the durable queues' tests."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from signaling.net.objectstore import FolderStore
from signaling.ports import ObjectInfo, ObjectStoreError


class Moody(FolderStore):
    """A folder that is ``away`` on request, or keeps ``rotten`` keys wrongly the first time."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.away = False
        self.rotten: set[str] = set()
        self.puts: list[str] = []

    async def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
        if self.away:
            raise ObjectStoreError("away")
        self.puts.append(key)
        if key in self.rotten:
            self.rotten.discard(key)
            data = data[:-1] + b"?"
        await super().put(key, data, content_type=content_type)

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        if self.away:
            raise ObjectStoreError("away")
        return await super().get(key, start=start, length=length)

    async def stat(self, key: str) -> ObjectInfo:
        if self.away:
            raise ObjectStoreError("away")
        return await super().stat(key)

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        if self.away:
            raise ObjectStoreError("away")
        async for info in super().list(prefix):
            yield info


def fragment(number: int, size: int = 2000, epoch: int = 1) -> tuple[str, bytes, dict[str, Any]]:
    """Key, bytes and manifest entry of a made-up fragment."""
    key = f"lessons/less/e{epoch}/mic/{number:06d}.m4s"
    data = hashlib.sha256(str(number).encode()).digest() * (size // 32)
    about = {"lesson": "less", "epoch": epoch, "opened_at_ms": 1, "track": "mic", "source": "mic", "mime": "audio/mp4"}
    item = {
        "n": number,
        "key": key,
        "init": 0,
        "from_ms": number,
        "to_ms": number + 1,
        "random_access": True,
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
    }
    return key, data, {**about, "fragment": item}


async def manifest_of(store: FolderStore, epoch: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(await store.get(f"lessons/less/e{epoch}/manifest.json"))
    return found


def numbers(manifest: dict[str, Any]) -> list[int]:
    return [item["n"] for track in manifest["tracks"] for item in track["fragments"]]


async def until(condition: Any, seconds: float = 20.0) -> None:
    """Wait for something that surely comes; the limit only ends a broken test."""
    end = asyncio.get_running_loop().time() + seconds
    while not condition():
        assert asyncio.get_running_loop().time() < end, "never came"
        await asyncio.sleep(0.01)


def run_and_kill(code: str, arguments: list[str], lines: int) -> list[str]:
    """Run ``code`` in a child, SIGKILL it in the middle of its work after it acknowledged ``lines``; what it said."""
    child = subprocess.Popen([sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    said = [child.stdout.readline().strip() for _ in range(lines)]
    child.send_signal(signal.SIGKILL)
    rest = child.stdout.read().split("\n")
    child.stdout.close()
    child.wait()
    return [line for line in [*said, *rest[:-1]] if line]  # the last piece may be torn
