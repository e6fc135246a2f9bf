"""One peer's packets out: an arena in which they are written and encrypted one after another, and the path."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from itertools import repeat
from typing import TYPE_CHECKING, Any

from media.engine import Port
from media.transport.ice import Path
from media.transport.srtp import TRAILER, Arena, Binding, SrtpSession
from media.wire.sequence import FIRST_CYCLE

if TYPE_CHECKING:
    from media.forward.backlog import Backlog

_ARENA = 24 * 1024  # a key frame's burst of 20 packets; one system call with UDP GSO
_LIMIT = _ARENA - TRAILER
_MOST_DEPARTURES = 2048  # two seconds of 5 Mbit/s: feedback comes every 50 to 250 ms


def _refuse(_arena: Arena, _at: int, _size: int) -> int:
    return 0


class Burst:
    """The one arena of an engine, and whose packets lie in it: it stays in the processor's cache from peer to peer.

    (An arena per peer cost twice as much at 100 receivers: every packet was written to cold memory.)
    """

    __slots__ = ("arena", "data", "now", "owner", "stamp")

    def __init__(self, binding: Binding | None) -> None:
        self.arena = Arena(_ARENA, binding)
        self.data = memoryview(self.arena.data)  # its slices take bytes three times faster than a bytearray's
        self.owner: Outbox | None = None
        self.now = 0.0
        self.stamp = bytes(3)  # abs-send-time


class Outbox:
    """``room`` → write → ``protect`` → ``queue``, then ``flush`` at the end of the burst."""

    __slots__ = (
        "_departed",
        "_departures",
        "_numbered",
        "arena",
        "backlog",
        "bare",
        "burst",
        "data",
        "fill",
        "limit",
        "path",
        "port",
        "protect",
        "ready",
        "sent_bytes",
        "sent_packets",
        "sizes",
        "srtp",
        "transport_cc",
        "unnumbered",
    )

    def __init__(self, burst: Burst) -> None:
        self.arena, self.data = burst.arena, burst.data
        self.fill = 0
        self.limit = -1  # highest end of a plain packet; -1 while the arena is another's or nothing can be sent
        self.protect: Callable[[Arena, int, int], int] = _refuse
        self.bare: tuple[Any, Any, Any] | None = None  # see ``SrtpSession``
        self.sizes: list[int] = []
        self.burst = burst
        self.srtp: SrtpSession | None = None
        self.port: Port | None = None
        self.path: Path | None = None
        self.ready = False
        self.backlog: Backlog | None = None  # video waits there; None: it goes at once
        self.transport_cc = FIRST_CYCLE  # last number sent
        self.unnumbered: list[int] = []  # places in ``sizes`` of packets without one
        # Burst by burst: last number before it, when, sizes, unnumbered. (A record per packet cost a tenth of it.)
        self._departed: deque[tuple[int, float, array[int], list[int]]] = deque()
        self._departures = 0
        self._numbered = FIRST_CYCLE
        self.sent_packets = self.sent_bytes = 0

    def room(self, size: int) -> int:
        """Offset for a packet of ``size`` plain bytes, -1 when the peer cannot be sent to."""
        if not self.ready or size > _LIMIT:
            return -1
        owner = self.burst.owner
        if owner is not self:
            if owner is not None:
                owner.flush()
            self.burst.owner, self.limit = self, _LIMIT
        elif self.fill + size > _LIMIT:
            self.flush()
            self.burst.owner, self.limit = self, _LIMIT
        return self.fill

    def secure(self, srtp: SrtpSession) -> None:
        self.srtp = srtp
        self.protect, self.bare = srtp.protect, srtp.bare
        self._settle()

    def aim(self, port: Port | None, path: Path | None) -> None:
        self.flush()
        self.port, self.path = port, path
        self._settle()

    def _settle(self) -> None:
        self.ready = self.port is not None and self.srtp is not None

    def queue(self, size: int) -> None:
        """Books a packet of this encrypted size that was written at ``fill``."""
        self.sizes.append(size)
        self.fill += size

    def seal_rtcp(self, data: bytes) -> bool:
        at = self.room(len(data))
        if at < 0 or self.srtp is None:
            return False
        self.data[at : at + len(data)] = data
        if not (size := self.srtp.protect_rtcp(self.arena, at, len(data))):
            return False
        self.unnumbered.append(len(self.sizes))
        self.queue(size)
        return True

    def flush(self) -> None:
        """Sends what lies there and gives the arena up."""
        if self.burst.owner is self:
            self.burst.owner, self.limit = None, -1
        sizes = self.sizes
        if not sizes:
            return
        if self.port is not None and self.path is not None:
            self.port.send(self.path[1], self.data[: self.fill], sizes)
            self.sent_packets += len(sizes)
            self.sent_bytes += self.fill
        if self.transport_cc != self._numbered:
            self._note_departures()
        self.sizes, self.unnumbered = [], []
        self.fill = 0

    def _note_departures(self) -> None:
        sizes = array("H", self.sizes)  # not the numbers themselves: they would lie all over the memory
        self._departed.append((self._numbered, self.burst.now, sizes, self.unnumbered))
        self._departures += self.transport_cc - self._numbered
        self._numbered = self.transport_cc
        while self._departures > _MOST_DEPARTURES:
            _, _, sizes, unnumbered = self._departed.popleft()
            self._departures -= len(sizes) - len(unnumbered)

    def take_departures(self) -> list[tuple[int, float, int]]:
        taken, self._departed, self._departures = self._departed, deque(), 0
        out: list[tuple[int, float, int]] = []
        for number, at, sizes, unnumbered in taken:
            if unnumbered:
                sizes = array("H", [size for place, size in enumerate(sizes) if place not in unnumbered])
            out.extend(zip(range(number + 1, number + 1 + len(sizes)), repeat(at), sizes, strict=False))
        return out
