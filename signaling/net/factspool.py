"""Facts on their way to the ledger: appended and fsynced here, forgotten only when the ledger has said that it has
them.

Numbered files of JSON lines and one small file that says how far the ledger has acknowledged. That one is not
fsynced: losing it means sending again what the ledger knows already, and it counts each id once.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from signaling.facts import Fact
from signaling.net.appendfile import AppendFile, whole_lines

log = logging.getLogger("tongtang.facts")

SEGMENT_BYTES = 4 * 1024 * 1024
"""A file this long is closed and the next begun, so that hours of outage leave files that can go one by one."""
READ_BYTES = 1024 * 1024
"""More than 500 facts of ordinary length; a batch is whatever whole lines this holds."""


@dataclass(frozen=True, slots=True)
class Batch:
    """``end`` is where the acknowledged part ends once all of ``facts`` are stored; opaque to the caller."""

    facts: list[dict[str, Any]]
    end: tuple[int, int]
    memory: tuple[bytes, ...] = ()
    """Lines of it that a full disk kept in memory."""


class FactSpool:
    """``signaling.ports.FactSink`` that survives ``kill -9``."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._news = asyncio.Event()
        numbers = sorted(int(path.stem) for path in folder.glob("*.jsonl"))
        self._active_number = numbers[-1] if numbers else 1
        self._active = AppendFile(self._path(self._active_number))
        self._head, self._acked = self._read_acked(numbers)
        self._aside = folder / "refused.json-lines"
        self.refused = 0
        """Since the start."""

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:08d}.jsonl"

    def _read_acked(self, numbers: list[int]) -> tuple[int, int]:
        first = numbers[0] if numbers else self._active_number
        try:
            segment, offset = map(int, (self._folder / "acked").read_text().split())
        except (FileNotFoundError, ValueError):
            return first, 0
        if segment < first:
            return first, 0
        # A file cut short below the mark cannot be: but then everything in it counts as unsent.
        length = self._path(segment).stat().st_size if self._path(segment).exists() else 0
        return segment, offset if offset <= length else 0

    async def put(self, facts: Sequence[Fact]) -> None:
        lines = [json.dumps(asdict(fact), ensure_ascii=False, separators=(",", ":")).encode() for fact in facts]
        if self._active.size >= SEGMENT_BYTES and self._active.error is None:
            await self._roll()
        await self._active.append(lines)
        self._news.set()

    async def _roll(self) -> None:
        full, self._active_number = self._active, self._active_number + 1
        self._active = AppendFile(self._path(self._active_number))
        await full.close()

    def batch(self, limit: int = 500) -> Batch:
        """The oldest facts not yet acknowledged, empty when there are none."""
        while True:
            lines = self._read(limit)
            if lines or self._head >= self._active_number:
                break
            self._path(self._head).unlink(missing_ok=True)
            self._head, self._acked = self._head + 1, 0
        end = (self._head, self._acked + sum(len(line) + 1 for line in lines))
        memory: tuple[bytes, ...] = ()
        if not lines and self._active.error is not None:
            memory = tuple(self._active.unwritten[:limit])
        return Batch([json.loads(line) for line in (*lines, *memory)], end, memory)

    def _read(self, limit: int) -> list[bytes]:
        path = self._path(self._head)
        if not path.exists():
            return []
        length = READ_BYTES
        if self._head == self._active_number:
            length = min(length, self._active.size - self._acked)  # what is beyond is not surely written
        if length <= 0:
            return []
        with path.open("rb") as file:
            file.seek(self._acked)
            return whole_lines(file.read(length))[:limit]

    def set_aside(self, facts: Sequence[Mapping[str, Any]]) -> None:
        """What the ledger can never take is kept in ``refused.json-lines`` for somebody to look at."""
        if not facts:
            return
        self.refused += len(facts)
        log.error("the ledger refuses %d facts, first %.200r; they are kept in %s", len(facts), facts[0], self._aside)
        with suppress(OSError), self._aside.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(fact, ensure_ascii=False) + "\n" for fact in facts)

    def advance(self, batch: Batch) -> None:
        """Everything in ``batch`` is in the ledger."""
        self._active.discard(batch.memory)
        self._head, self._acked = batch.end
        temporary = self._folder / "acked.part"
        try:
            temporary.write_text(f"{self._head} {self._acked}\n")
            temporary.replace(self._folder / "acked")
        except OSError:
            return  # full disk: after a restart some facts go out twice, which the ledger does not mind

    @property
    def bytes(self) -> int:
        """On disk and not acknowledged."""
        later = range(self._head + 1, self._active_number + 1)
        sizes = sum(self._path(number).stat().st_size for number in later if self._path(number).exists())
        head = self._path(self._head)
        return sizes + max(0, (head.stat().st_size if head.exists() else 0) - self._acked)

    @property
    def stalled(self) -> bool:
        """The disk refuses: the newest facts are in memory only."""
        return self._active.error is not None

    async def wait(self, seconds: float) -> None:
        """Until something was put, or ``seconds`` have passed."""
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return

    async def close(self) -> None:
        await self._active.close()
