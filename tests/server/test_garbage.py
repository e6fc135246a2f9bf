"""Nothing is collected in the middle of a step, everything between steps; afterwards Python collects as before."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from server import garbage
from server.garbage import collecting


class Knot:
    """Refers to itself: only the collector can end it."""

    def __init__(self) -> None:
        self.me = self


async def test_garbage_waits_for_the_step_to_end_and_not_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "COLLECTS_ANYWHERE", True)
    monkeypatch.setattr(garbage, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(garbage, "YOUNG", 100)
    before = gc.isenabled()
    async with collecting():
        knot = Knot()
        gone = weakref.ref(knot)
        del knot
        held = [[n] for n in range(5000)]  # far beyond what makes Python collect by itself
        assert gone() is not None, "not in the middle of a step"
        async with asyncio.timeout(10):
            while gone() is not None:
                held.append([0])
                await asyncio.sleep(0.01)
    assert gc.isenabled() == before
