"""One supervised process of ``tongtang up``: who dies is started again, from a spare that has imported everything.

Imports and routes cost a node or a web one to three seconds of CPU, and after a crash a class waits for them. So beside
each there stands a process that has done it and waits for a line: ``python -m server.child node``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import importlib
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
STEADY_SECONDS = 5.0  # who lived that long did not die of starting: again without a pause
SPARE_AFTER = 5.0  # not beside the start itself, which needs the processor
PR_SET_PDEATHSIG = 1

Say = Callable[[str], None]


@dataclass
class Child:
    """One process that is kept running, or (``run``) runs once."""

    name: str
    environ: dict[str, str]
    say: Say
    process: asyncio.subprocess.Process | None = None
    label: str = ""
    """How its lines are marked; its name when empty."""
    spare: asyncio.subprocess.Process | None = field(default=None, init=False)
    _readying: asyncio.Task[None] | None = field(default=None, init=False)

    async def keep(self, stopping: asyncio.Event) -> None:
        pause = FIRST_PAUSE
        while not stopping.is_set():
            started = time.monotonic()
            refill = asyncio.create_task(self._refill())
            status = await self.run()
            refill.cancel()
            if stopping.is_set():
                await self._dismiss()
                return
            if time.monotonic() - started > STEADY_SECONDS:
                pause = FIRST_PAUSE
            self.say(f"{self.label or self.name} ended ({status}); starting it again in {pause:.1f} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def run(self) -> int:
        self.process = await self._wake() or await self._start("server.cli")
        output = self.process.stdout
        while output is not None and (line := await _line(output)):
            self.say(f"{self.label or self.name:<6} | {line.decode(errors='replace').rstrip()}")
        return await self.process.wait()

    async def _refill(self) -> None:
        await asyncio.sleep(SPARE_AFTER)
        if self.name in WARM and self.spare is None:
            self._readying = asyncio.create_task(self._ready())
            await asyncio.shield(self._readying)  # cancelled half way its process would be nobody's

    async def _ready(self) -> None:
        self.spare = await self._start("server.child")

    async def _wake(self) -> asyncio.subprocess.Process | None:
        spare, self.spare = self.spare, None
        if spare is None or spare.returncode is not None or spare.stdin is None:
            return None
        with contextlib.suppress(ConnectionError):  # it died this moment: its end is a child's end like any other
            spare.stdin.write(b"\n")
            await spare.stdin.drain()
        return spare

    async def _start(self, module: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            module,
            self.name,
            env=self.environ,
            stdin=asyncio.subprocess.PIPE if module == "server.child" else asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches them through us, once
            preexec_fn=_die_with_parent,
        )

    def end(self) -> None:
        """Nodes: at once. SIGTERM would make each look for another one to take its rooms, and all are ending."""
        self.signal(signal.SIGINT if self.name == "node" else signal.SIGTERM)

    async def _dismiss(self) -> None:
        if self._readying is not None:
            await asyncio.wait([self._readying])
        if self.spare is not None and self.spare.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.spare.kill()
            await self.spare.wait()

    def signal(self, number: int) -> None:
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)


async def _line(output: asyncio.StreamReader) -> bytes:
    try:
        return await output.readline()
    except ValueError:  # longer than the reader's limit: what is left of it follows as the next line
        return b"...\n"


def _die_with_parent() -> None:
    """Linux: when ``up`` is killed outright, its children end too instead of holding the ports."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


# --- the spare --------------------------------------------------------------------------------------------------------


def _web() -> Callable[[], None]:
    from server import cli
    from server.app import create_app

    held = cli.settings()
    made = create_app(held)
    return lambda: cli.serve(made, held)


def _node() -> Callable[[], None]:
    importlib.import_module("signaling.__main__")
    from server import cli

    return cli.node


WARM = {"web": _web, "node": _node}
"""All that can be done before it counts; returns the rest. The worker keeps nobody waiting."""


def stand_by(name: str) -> None:
    """Ready, and gone with whoever keeps it."""
    live = WARM[name]()
    if sys.stdin.readline():
        live()


if __name__ == "__main__":
    stand_by(sys.argv[1])
