"""A file of lines to which many append and which one thread fsyncs: the group commit under journal and fact spool.

Whoever appends while an fsync runs rides on the next one: under load a batch is as long as one fsync, idle there is
no wait at all, so that the 20 ms of the design hold wherever fsync itself takes less.
"""

from __future__ import annotations

import asyncio
import errno
import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from signaling.net.objectstore import fsync_folder


def whole_lines(data: bytes) -> list[bytes]:
    """The lines that were surely written: up to the first that is torn or no JSON (a power cut may leave zeros)."""
    lines: list[bytes] = []
    for line in data.split(b"\n")[:-1]:
        try:
            json.loads(line)
        except ValueError:
            break
        lines.append(line)
    return lines


class AppendFile:
    """``append`` returns once its lines are on disk; on a full disk once they wait in memory, ``error`` set."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.error: str | None = None
        self.size = 0
        """Bytes surely on disk."""
        self._waiting: list[bytes] = []
        self._committing: asyncio.Task[None] | None = None
        self._descriptor: int | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fsync")
        path.parent.mkdir(parents=True, exist_ok=True)
        self.recovered = self._recover()

    def _recover(self) -> list[bytes]:
        """Read what is there and cut off what is torn: the next line must not be glued to half a one."""
        if not self.path.exists():
            return []
        lines = whole_lines(self.path.read_bytes())
        self.size = sum(len(line) + 1 for line in lines)
        if self.size < self.path.stat().st_size:
            os.truncate(self.path, self.size)
        return lines

    @property
    def unwritten(self) -> list[bytes]:
        """Lines that a full disk keeps in memory."""
        return list(self._waiting)

    async def append(self, lines: Sequence[bytes]) -> None:
        if not lines:
            return
        self._waiting.extend(lines)
        if self._committing is not None and not self._committing.done():
            await asyncio.shield(self._committing)  # the one under way may have started before our lines came
        if self._committing is None or self._committing.done():
            if not self._waiting:
                return
            self._committing = asyncio.create_task(self._commit())
        await asyncio.shield(self._committing)

    async def _commit(self) -> None:
        batch = list(self._waiting)
        try:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._write, b"\n".join(batch) + b"\n")
        except OSError as error:
            self.error = "disk" if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) else "io"
            return
        self.error = None
        self.discard(batch)

    def discard(self, lines: Sequence[bytes]) -> None:
        """Forget waiting lines, by identity: two equal lines are two lines."""
        gone = {id(line) for line in lines}
        self._waiting = [line for line in self._waiting if id(line) not in gone]

    def _write(self, data: bytes) -> None:
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT, 0o600)
            fsync_folder(self.path.parent)
        # Written at the place where the surely written part ends: a half-written batch is written over, never doubled.
        written = 0
        while written < len(data):
            written += os.pwrite(self._descriptor, data[written:], self.size + written)
        os.fdatasync(self._descriptor)
        self.size += len(data)

    async def close(self) -> None:
        """A last attempt for lines kept back by a full disk, then the file is left as it is."""
        if self._committing is not None and not self._committing.done():
            await asyncio.shield(self._committing)
        if self._waiting:
            await self._commit()
        self._thread.shutdown(wait=True)
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
