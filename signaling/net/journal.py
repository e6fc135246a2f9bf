"""The room's own log on the node's disk: fsynced before anything is broadcast, read back after a crash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from signaling.net.appendfile import AppendFile


class JournalFile:
    """``signaling.ports.Journal`` on one file of JSON lines."""

    def __init__(self, path: Path) -> None:
        self._file = AppendFile(path)

    @property
    def stalled(self) -> bool:
        """The disk refuses: the newest records are in memory only."""
        return self._file.error is not None

    async def append(self, records: Sequence[bytes]) -> None:
        await self._file.append(records)

    def read(self) -> Sequence[bytes]:
        """What was in the file when it was opened."""
        return tuple(self._file.recovered)

    async def close(self) -> None:
        await self._file.close()

    def remove(self) -> None:
        """Only after close, and after everything in it is known to be elsewhere."""
        self._file.path.unlink(missing_ok=True)
