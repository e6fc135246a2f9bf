"""One entry of a room's log as it stands in the journal: an ``Op`` plus the id of the intent it came from.

Rule: a line that was once written is read for ever. Lines that cannot be read (a torn tail after a power cut) end the
log. The log's first op is kind "room" (the RoomSpec and the wall clock of room time zero), so that a node recovers
alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from signaling.messages import Op, RoomSpec

OPS_VERSION = 1
NODE = "node"
HANDOVER = "handover"
"""The last op before a room goes to another node on command; with others behind it, it was thought better of."""


@dataclass(frozen=True, slots=True)
class Entry:
    """``intent`` is "seat intent-id", so that a repeated intent is recognised after a restart too; None: the node's
    own.
    """

    op: Op
    intent: str | None = None


def encode(entry: Entry) -> bytes:
    record = entry.op.model_dump()
    if entry.intent is not None:
        record["intent"] = entry.intent
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode()


def decode(line: bytes) -> Entry | None:
    """None for a line that is no op."""
    try:
        record = json.loads(line)
        intent = record.pop("intent", None) if isinstance(record, dict) else None
        return Entry(Op.model_validate(record), intent if isinstance(intent, str) else None)
    except ValueError:  # pydantic's ValidationError is one too
        return None


def read_log(lines: Iterable[bytes]) -> list[Entry]:
    """Entries in order of seq; a repeated seq counts once (shipped chunks may overlap), the first gap ends the log."""
    entries: list[Entry] = []
    for line in lines:
        entry = decode(line)
        if entry is None:
            continue
        expected = entries[-1].op.seq + 1 if entries else 1
        if entry.op.seq > expected:
            break
        if entry.op.seq == expected:
            entries.append(entry)
    return entries


def room_body(spec: RoomSpec, zero_at_ms: int) -> dict[str, Any]:
    return {"spec": spec.model_dump(), "zero_at_ms": zero_at_ms}


def last_spec(entries: Iterable[Entry]) -> tuple[RoomSpec, int] | None:
    """The newest RoomSpec of the log and the wall clock of room time zero; the epoch is the log's newest."""
    found: tuple[RoomSpec, int] | None = None
    epoch = 0
    for entry in entries:
        epoch = max(epoch, entry.op.epoch)
        if entry.op.kind == "room":
            zero = found[1] if found else int(entry.op.body["zero_at_ms"])
            found = (RoomSpec.model_validate(entry.op.body["spec"]), zero)
    return (found[0].model_copy(update={"epoch": epoch}), found[1]) if found else None
