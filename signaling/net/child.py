"""The life of a child process that obeys its stdin (a mixer, a robot, a camera's fetcher), seen from both ends."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

STOP_SECONDS = 5.0
LEAVE_SECONDS = 3.0
"""Of these, for what the child's work still has to close."""


async def end(child: asyncio.subprocess.Process, seconds: float = STOP_SECONDS) -> None:
    """Its stdin's end is its order to stop; whoever does not is killed."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        await asyncio.shield(asyncio.wait_for(child.wait(), seconds))
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            child.kill()


async def while_wanted(work: Coroutine[Any, Any, T]) -> T | None:
    """In the child: what came of its work; None when it was told to stop first."""
    reader = asyncio.StreamReader()
    protocol = asyncio.StreamReaderProtocol(reader)
    # A pipe of the loop's, not a thread's read: nothing would wake that one when the work ends before the parent does.
    pipe, _ = await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, sys.stdin)
    working = asyncio.ensure_future(work)
    # The parent holds our stdin open: its end, however it came, is ours.
    orphaned = asyncio.ensure_future(reader.read())
    await asyncio.wait({working, orphaned}, return_when=asyncio.FIRST_COMPLETED)
    orphaned.cancel()
    pipe.close()
    if working.done():
        return working.result()
    working.cancel()
    await asyncio.wait({working}, timeout=LEAVE_SECONDS)
    return None
