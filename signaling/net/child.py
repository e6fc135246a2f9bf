"""The end of a child process that obeys its stdin: a mixer, a camera's fetcher."""

from __future__ import annotations

import asyncio
import contextlib

STOP_SECONDS = 5.0


async def end(child: asyncio.subprocess.Process, seconds: float = STOP_SECONDS) -> None:
    """Its stdin's end is its order to stop; whoever does not is killed."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        await asyncio.shield(asyncio.wait_for(child.wait(), seconds))
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.kill()
