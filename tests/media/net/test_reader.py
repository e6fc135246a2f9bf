from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, cast

from media.net.reader import AWAKE_S, Reader
from media.sfu import Sfu

PORT, DESCRIPTOR = 7, 99


class Loop:
    """A clock, and who is called when the port becomes readable."""

    def __init__(self) -> None:
        self.now = 50.0
        self.readers: dict[int, Callable[[], None]] = {}

    def time(self) -> float:
        return self.now

    def add_reader(self, descriptor: int, callback: Callable[[], None]) -> None:
        self.readers[descriptor] = callback

    def remove_reader(self, descriptor: int) -> bool:
        return self.readers.pop(descriptor, None) is not None


class Plane:
    """``urgent``: what the SFU will say of what waits."""

    def __init__(self) -> None:
        self.urgent = False
        self.read: list[int] = []

    def service(self, port: int, _now: float) -> bool:
        self.read.append(port)
        return self.urgent


class Rig:
    def __init__(self) -> None:
        self.loop, self.plane = Loop(), Plane()
        self.reader = Reader(cast(Sfu, self.plane), PORT, DESCRIPTOR, cast(asyncio.AbstractEventLoop, self.loop))

    def arrives(self, urgent: bool, after: float = 0.0) -> bool:
        """A datagram; whether it was read at once."""
        self.plane.urgent, self.loop.now = urgent, self.loop.now + after
        before = len(self.plane.read)
        with contextlib.suppress(KeyError):
            self.loop.readers[DESCRIPTOR]()
        return len(self.plane.read) > before


def test_media_is_read_at_once_however_long_it_flows() -> None:
    rig = Rig()
    assert all(rig.arrives(urgent=True, after=0.3) for _ in range(20))
    rig.reader.tick()
    assert rig.plane.read == [PORT] * 20, "the clock does not read what the loop reads"


def test_where_nothing_but_consent_comes_the_clock_reads() -> None:
    rig = Rig()
    assert rig.arrives(urgent=False), "somebody may be about to join"
    assert rig.arrives(urgent=False, after=AWAKE_S + 0.1)
    assert not rig.arrives(urgent=False, after=0.01)
    rig.reader.tick()
    assert len(rig.plane.read) == 3
    assert not rig.arrives(urgent=False, after=AWAKE_S), "and goes on doing so"


def test_a_word_of_somebody_new_wakes_it() -> None:
    rig = Rig()
    rig.arrives(urgent=False, after=AWAKE_S + 0.1)
    assert not rig.arrives(urgent=True, after=0.01)
    rig.reader.tick()
    assert rig.arrives(urgent=False, after=0.1), "his next step is answered at once"
    assert rig.arrives(urgent=True, after=AWAKE_S)
    assert rig.arrives(urgent=False, after=AWAKE_S - 0.1), "each of them is waited for"


def test_it_stops_awake_and_at_rest() -> None:
    for rest in (0.0, AWAKE_S + 0.1):
        rig = Rig()
        rig.arrives(urgent=False, after=rest)
        rig.reader.stop()
        read: list[Any] = list(rig.plane.read)
        rig.arrives(urgent=True)
        rig.reader.tick()
        assert rig.plane.read == read
