"""Erased chat lines leave the stored log too: at a room's end their words go from the chunks, their place stays.

    await blank_erased(store, lesson, epoch)    chunks up to this epoch that hold such words are written anew

Rule: seq, epoch, time and author of a line stay as they were; only its text becomes empty. It may run any number of
times: a node that comes back ships its journal again, and ends the room again. Lines erased after the end are named
by the web in ``erased.json``, for the same reason.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from signaling.net.shipper import merge_ops
from signaling.ports import ObjectMissingError, ObjectStore

EPOCH = re.compile(r"/e(\d+)-\d+\.jsonl$")
READS_AT_ONCE = 8
TYPE = "application/x-ndjson"


async def blank_erased(store: ObjectStore, lesson: str, epoch: int) -> int:
    """How many chunks were written anew. A newer epoch's are left to its own node, which may be writing them now."""
    keys = [info.key async for info in store.list(f"lessons/{lesson}/ops/")]
    gate = asyncio.Semaphore(READS_AT_ONCE)

    async def read(key: str) -> bytes:
        async with gate:
            return await store.get(key)

    chunks = dict(zip(keys, await asyncio.gather(*(read(key) for key in keys)), strict=True))
    lines = [json.loads(line) for data in chunks.values() for line in data.splitlines() if line]
    seqs = erased_seqs(merge_ops(lines)) | await erased_later(store, lesson)
    own = {key: data for key, data in chunks.items() if (found := EPOCH.search(key)) and int(found[1]) <= epoch}
    blanked = {key: anew for key, data in own.items() if (anew := blank(data, seqs)) != data}
    for key, anew in blanked.items():
        await store.put(key, anew, content_type=TYPE)
    return len(blanked)


async def erased_later(store: ObjectStore, lesson: str) -> set[int]:
    """What the web erased when the room was over."""
    try:
        return set(json.loads(await store.get(f"lessons/{lesson}/erased.json")))
    except ObjectMissingError:
        return set()


def erased_seqs(ops: Iterable[Mapping[str, Any]]) -> set[int]:
    return {op["body"]["seq"] for op in ops if op["kind"] == "chat.erase"}


def blank(chunk: bytes, seqs: Collection[int]) -> bytes:
    """Untouched lines stay byte for byte."""
    return b"".join(_blank_line(line, seqs) for line in chunk.splitlines(keepends=True))


def _blank_line(line: bytes, seqs: Collection[int]) -> bytes:
    if b'"chat.say"' not in line:
        return line
    op = json.loads(line)
    if op["kind"] != "chat.say" or op["seq"] not in seqs or not op["body"]["text"]:
        return line
    op["body"]["text"] = ""
    return json.dumps(op, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
