"""Reads one UDP port when the loop says that something waits there, or by the clock. Rule: media never waits.

While nobody sends media, what comes is what a thousand idle rooms say to be still there. Each such datagram by itself
would wake a process whose caches have gone cold, and that is most of its price. So the port then rests, and what came
is read when the clock ticks, all in one go.
"""

from __future__ import annotations

import asyncio

from media.sfu import Sfu

AWAKE_S = 0.5  # after anything else came: somebody joins, and waits for each of our answers


class Reader:
    """Begins at once; ``tick`` with the clock, some fifty times a second; ``stop`` ends it."""

    def __init__(self, sfu: Sfu, port: int, descriptor: int, loop: asyncio.AbstractEventLoop) -> None:
        """``port``: the engine's handle."""
        self._sfu, self._port, self._descriptor, self._loop = sfu, port, descriptor, loop
        self._awake_until = 0.0
        self._resting = True
        self._listen()

    def _listen(self) -> None:
        self._resting = False
        self._awake_until = self._loop.time() + AWAKE_S
        self._loop.add_reader(self._descriptor, self._on_readable)

    def _read(self) -> bool:
        return self._sfu.service(self._port, self._loop.time())

    def _on_readable(self) -> None:
        now = self._loop.time()
        if self._read():
            self._awake_until = now + AWAKE_S
        elif now > self._awake_until:
            self._resting = True
            self._loop.remove_reader(self._descriptor)

    def tick(self) -> None:
        if self._resting and self._read():
            self._listen()

    def between(self) -> None:
        """What came while the clock's work was under way: it must not wait for the rest of that."""
        if not self._resting:
            self._read()

    def stop(self) -> None:
        self._resting = False
        self._loop.remove_reader(self._descriptor)
