"""Where a room's log comes from when a node takes the room up: its own journal, what any node shipped, or both.

A journal of this epoch is complete by itself. For a new epoch others may have written meanwhile: then both are
merged, and what an older epoch did after the next one took over is left out (``shipper.merge_ops``).
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from signaling.net.journal import JournalFile
from signaling.net.shipper import load_ops, merge_ops
from signaling.ops import Entry, encode, read_log
from signaling.ports import ObjectStore, ObjectStoreError

log = logging.getLogger("tongtang.node")


async def load_log(path: Path, store: ObjectStore, lesson: str, epoch: int) -> tuple[JournalFile, list[Entry]]:
    """The open journal, which holds exactly these entries."""
    journal = JournalFile(path)
    own = read_log(journal.read())
    if own and own[-1].op.epoch >= epoch:
        return journal, own
    entries = await _merged(own, store, lesson)
    if entries == own:
        return journal, own
    await journal.close()
    return await _rewritten(path, entries), entries


async def _merged(own: list[Entry], store: ObjectStore, lesson: str) -> list[Entry]:
    try:
        shipped = await load_ops(store, lesson)
    except ObjectStoreError as error:
        log.warning("%s: the store cannot be asked for earlier ops: %s", lesson, error)
        return own
    lines = [*shipped, *(json.loads(encode(entry)) for entry in own)]
    return read_log(json.dumps(line).encode() for line in merge_ops(lines))


async def _rewritten(path: Path, entries: list[Entry]) -> JournalFile:
    """Whole or not at all: a kill in between leaves the old journal."""
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    journal = JournalFile(part)
    await journal.append([encode(entry) for entry in entries])
    await journal.close()
    part.replace(path)
    return JournalFile(path)
