"""How far a file is written. Nobody sees into the transaction that writes it, and SQLite lets nobody write beside it:
it is said in an object next to the file, once a second at most, which goes when the file goes.
"""

from __future__ import annotations

import contextlib

from server.clock import Clock
from signaling.ports import ObjectMissingError, ObjectStore, ObjectStoreError

EVERY_SECONDS = 1.0
DIGITS = 3


def key_of(upload_id: str) -> str:
    return f"uploads/{upload_id}.percent"


class Progress:
    """Two halves: the rows are checked once more, then written. No store that is away stops the writing."""

    def __init__(self, objects: ObjectStore, clock: Clock, upload_id: str, rows: int) -> None:
        self._objects, self._clock, self._key = objects, clock, key_of(upload_id)
        self._rows, self._said_at = max(1, rows), float("-inf")
        self._write, self._written = 1, 0

    async def checked(self, rows: int) -> None:
        await self._say(rows / self._rows / 2)

    def to_write(self, rows: int) -> None:
        self._write = max(1, rows)

    async def wrote(self, rows: int) -> None:
        self._written += rows
        await self._say(0.5 + self._written / self._write / 2)

    async def _say(self, part: float) -> None:
        now = self._clock.monotonic()
        if now - self._said_at < EVERY_SECONDS:
            return
        self._said_at = now
        percent = min(99, int(part * 100))
        with contextlib.suppress(ObjectStoreError, OSError):
            await self._objects.put(self._key, b"%d" % percent, content_type="text/plain")

    async def over(self) -> None:
        with contextlib.suppress(ObjectMissingError, ObjectStoreError, OSError):
            await self._objects.delete(self._key)


async def percent(objects: ObjectStore, upload_id: str) -> int:
    """0 before anything is said."""
    try:
        return int((await objects.get(key_of(upload_id), length=DIGITS)).decode())
    except (ObjectMissingError, ObjectStoreError, OSError, ValueError):
        return 0
