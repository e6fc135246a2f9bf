"""ICE-TCP passive (RFC 6544): a connection is an engine port, framed by RFC 4571. Rule: drops, never queues media."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from media.engine import Address
from media.errors import PeerError
from media.wire.framing import Deframer, frame

if TYPE_CHECKING:
    from media.sfu import Sfu

_STRANGER = 10.0  # seconds a connection may stay without an authentic check


class TcpPort(asyncio.Protocol):
    """One connection. ``clock`` gives monotonic seconds."""

    kind = "tcp"

    def __init__(self, sfu: Sfu, connections: set[TcpPort], clock: Callable[[], float]) -> None:
        self._sfu = sfu
        self._connections = connections
        self._clock = clock
        self._deframer = Deframer()
        self._transport: asyncio.Transport | None = None
        self._path: tuple[int, Address] = (0, ("", 0))
        self._deadline: asyncio.TimerHandle | None = None
        self.dropped = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        if len(self._connections) >= self._sfu.config.tcp_connections:
            transport.abort()
            return
        self._connections.add(self)
        remote = transport.get_extra_info("peername") or ("", 0)
        self._path = (self._sfu.engine.attach(self), (remote[0], remote[1]))
        self._deadline = asyncio.get_running_loop().call_later(_STRANGER, self._judge)

    def _judge(self) -> None:
        if self._transport is not None and not self._sfu.known(self._path):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        try:
            packets = self._deframer.feed(data)
        except PeerError:
            self._sfu.engine.garbage += 1
            if self._transport is not None:
                self._transport.abort()
            return
        now = self._clock()
        for packet in packets:
            self._sfu.receive(packet, self._path, now)

    def connection_lost(self, _: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        if self in self._connections:
            self._connections.discard(self)
            self._sfu.path_closed(self._path)
            self._sfu.engine.detach(self._path[0])
        self._transport = None

    def receive_into(self, _: bytearray) -> tuple[int, Address, float | None] | None:
        return None  # bytes come by ``data_received``

    def send(self, _: Address, data: memoryview, sizes: Sequence[int]) -> None:
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > self._sfu.config.tcp_buffer:
            self.dropped += len(sizes)
            return
        at, frames = 0, []
        for size in sizes:
            frames.append(frame(data[at : at + size]))
            at += size
        transport.write(b"".join(frames))

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()
