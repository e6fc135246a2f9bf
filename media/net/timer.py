"""Calls ``Sfu.tick`` when it asked to be called. Rule: one timer for the whole media plane."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from media.net.reader import Reader
    from media.sfu import Sfu


_AFTER_AN_ERROR = 0.1


class Timer:
    """The loop's own clock is the media clock (monotonic seconds). ``readers``: what rests is read by it."""

    def __init__(self, sfu: Sfu, loop: asyncio.AbstractEventLoop) -> None:
        self._sfu = sfu
        self.readers: list[Reader] = []
        self._loop = loop
        self._handle: asyncio.TimerHandle | None = None

    def start(self) -> None:
        due = self._loop.time() + _AFTER_AN_ERROR
        try:
            for reader in self.readers:
                reader.tick()
            due = self._sfu.tick(self._loop.time(), self._between)
        finally:  # one bad beat must not stop every lesson's clock
            self._handle = self._loop.call_at(due, self.start)

    def _between(self) -> None:
        for reader in self.readers:
            reader.between()

    def stop(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
