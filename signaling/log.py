"""The room's log as the node holds it: what is decided (``head``), what is durable (``state``), and which wishes are
done.

Rule: wishes are judged on ``head``, people see only ``state``: an op that never reached the disk was never shown.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from signaling.messages import LastSeen, Op
from signaling.ops import Entry
from signaling.room import RoomState, reduce

TAIL_OPS = 500
"""A page that missed more gets a snapshot: cheaper than the tail."""
WISHES_KEPT = 4096


@dataclass(slots=True)
class RoomLog:
    epoch: int
    head: RoomState = field(default_factory=RoomState)
    state: RoomState = field(default_factory=RoomState)
    tail: deque[Op] = field(default_factory=lambda: deque(maxlen=TAIL_OPS))
    revoked: dict[str, float] = field(default_factory=dict)
    """Seat -> second up to which its tokens are refused: the web withdrew it, and may give it anew. In the log as kind
    "revoke", so that a restart lets nobody back in."""
    wishes: dict[str, int] = field(default_factory=dict)
    """"seat intent-id" -> seq of the op it became, oldest first."""

    @classmethod
    def replay(cls, epoch: int, entries: Iterable[Entry]) -> RoomLog:
        log = cls(epoch)
        for entry in entries:
            log.head = reduce(log.head, entry.op)
            log.commit(entry)
            log._remember(entry)
        return log

    def write(self, kind: str, by: str, body: dict[str, Any], t: int, intent: str | None = None) -> Entry:
        """Decide an op; it counts for others once ``commit`` says that it is durable."""
        entry = Entry(Op(seq=self.head.seq + 1, epoch=self.epoch, t=t, kind=kind, by=by, body=body), intent)
        self.head = reduce(self.head, entry.op)
        self._remember(entry)
        return entry

    def _remember(self, entry: Entry) -> None:
        if entry.intent is None:
            return
        self.wishes[entry.intent] = entry.op.seq
        if len(self.wishes) > WISHES_KEPT:
            del self.wishes[next(iter(self.wishes))]

    def commit(self, entry: Entry) -> None:
        self.state = reduce(self.state, entry.op)
        if entry.op.kind == "revoke":
            self.revoked[str(entry.op.body.get("seat"))] = entry.op.body.get("until", math.inf)
        self.tail.append(entry.op)

    def since(self, last: LastSeen | None) -> list[Op] | None:
        """Durable ops after ``last``, None when only a snapshot will do."""
        if last is None or last.epoch != self.epoch or last.seq > self.state.seq:
            return None
        if last.seq < self.state.seq and (not self.tail or self.tail[0].seq > last.seq + 1):
            return None
        return [op for op in self.tail if op.seq > last.seq]
