"""One peer's packets out: an arena in which they are written and encrypted one after another, and the path."""

from __future__ import annotations

from media.engine import Port
from media.transport.ice import Path
from media.transport.srtp import TRAILER, Arena, Binding, SrtpSession

_ARENA = 24 * 1024  # a key frame's burst of 20 packets; one system call with UDP GSO


class Burst:
    """What the outboxes of one engine share between two flushes."""

    __slots__ = ("dirty", "stamp")

    def __init__(self) -> None:
        self.dirty: list[Outbox] = []
        self.stamp = bytes(3)  # abs-send-time


class Outbox:
    """``room`` → write → ``seal``, then ``flush`` at the end of the burst."""

    __slots__ = (
        "_sizes",
        "_transport_cc",
        "_view",
        "arena",
        "burst",
        "fill",
        "path",
        "port",
        "ready",
        "sent_bytes",
        "sent_packets",
        "srtp",
    )

    def __init__(self, binding: Binding | None, burst: Burst) -> None:
        self.arena = Arena(_ARENA, binding)
        self._view = memoryview(self.arena.data)
        self.fill = 0
        self._sizes: list[int] = []
        self.burst = burst
        self.srtp: SrtpSession | None = None
        self.port: Port | None = None
        self.path: Path | None = None
        self.ready = False
        self._transport_cc = 0
        self.sent_packets = self.sent_bytes = 0

    def room(self, size: int) -> int:
        """Offset for a packet of ``size`` plain bytes, -1 when the peer cannot be sent to."""
        if not self.ready or size + TRAILER > _ARENA:
            return -1
        if self.fill + size + TRAILER > _ARENA:
            self.flush()
        return self.fill

    def number(self, at: int) -> None:
        """Writes the next transport-wide sequence number."""
        self._transport_cc = number = self._transport_cc + 1 & 0xFFFF
        self.arena.data[at : at + 2] = number.to_bytes(2, "big")

    def secure(self, srtp: SrtpSession) -> None:
        self.srtp = srtp
        self.ready = self.port is not None

    def aim(self, port: Port | None, path: Path | None) -> None:
        self.flush()
        self.port, self.path = port, path
        self.ready = port is not None and self.srtp is not None

    def seal(self, at: int, size: int) -> bool:
        return self._queue(self.srtp.protect(self.arena, at, size) if self.srtp else 0)

    def seal_rtcp(self, data: bytes) -> bool:
        at = self.room(len(data))
        if at < 0 or self.srtp is None:
            return False
        self.arena.data[at : at + len(data)] = data
        return self._queue(self.srtp.protect_rtcp(self.arena, at, len(data)))

    def _queue(self, size: int) -> bool:
        if not size:
            return False
        if not self._sizes:
            self.burst.dirty.append(self)
        self._sizes.append(size)
        self.fill += size
        return True

    def flush(self) -> None:
        sizes = self._sizes
        if not sizes:
            return
        if self.port is not None and self.path is not None:
            self.port.send(self.path[1], self._view[: self.fill], sizes)
            self.sent_packets += len(sizes)
            self.sent_bytes += self.fill
        self._sizes = []
        self.fill = 0
