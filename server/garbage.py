"""Collects cyclic garbage between two steps of the event loop, never in the middle of one.

Python 3.11 collects inside any allocation. A weak reference's callback that runs then (SQLAlchemy keeps one for every
row) may change the very ``__dict__`` that the interpreter is just building, and the process dies with signal 11: seen
with ``tongtang up`` after some forty pages. Python 3.12 collects between bytecodes by itself; there this does nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator

COLLECTS_ANYWHERE = sys.version_info < (3, 12)
LOOK_SECONDS = 0.25
YOUNG = 5_000  # objects since the last look that make a look worth while; Python's own limit is 700
MIDDLE_EVERY, ALL_EVERY = 10, 60  # looks: of the middle-aged, and of everything (some 50 ms in a web)


def hold_back() -> None:
    """For composition roots of processes that run several loops: nothing is collected but inside ``collecting``."""
    if COLLECTS_ANYWHERE:
        gc.disable()


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[None]:
    """While the block runs, its loop collects; afterwards everything is as it was."""
    if not COLLECTS_ANYWHERE:
        yield
        return
    automatic = gc.isenabled()
    gc.disable()
    task = asyncio.create_task(_collect())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if automatic:
            gc.enable()


async def _collect() -> None:
    looks = 0
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        looks += 1
        if looks % ALL_EVERY == 0:
            gc.collect()
        elif gc.get_count()[0] > YOUNG:
            gc.collect(1 if looks % MIDDLE_EVERY == 0 else 0)
