"""Opens the media ports of a node: one UDP and one TCP socket per advertised address, all on one port number."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Callable

from media.config import MediaConfig
from media.net.reader import Reader
from media.net.tcp import TcpPort
from media.net.timer import Timer
from media.net.udp import UdpPort
from media.sfu import Sfu

TRIES = 8
"""With port 0 the kernel chooses one for UDP, which may be somebody's on TCP."""


@dataclasses.dataclass(slots=True)
class MediaServer:
    """Open ports; ``close`` is immediate."""

    port: int
    sfu: Sfu
    udp: list[tuple[int, UdpPort]]
    servers: list[asyncio.Server]
    connections: set[TcpPort]
    timer: Timer

    def close(self) -> None:
        self.timer.stop()
        for reader in self.timer.readers:
            reader.stop()
        for handle, port in self.udp:
            self.sfu.engine.detach(handle)
            port.close()
        for server in self.servers:
            server.close()
        for connection in list(self.connections):
            connection.close()


async def open_media(config: MediaConfig, sfu: Sfu, udp_port: Callable[[str, int], UdpPort] = UdpPort) -> MediaServer:
    """Raises OSError when a port is taken; then nothing stays open. ``udp_port``: tests put a bad line in between."""
    for _ in range(TRIES - 1 if config.port == 0 else 0):
        with contextlib.suppress(OSError):
            return await _open(config, sfu, udp_port)
    return await _open(config, sfu, udp_port)


async def _open(config: MediaConfig, sfu: Sfu, udp_port: Callable[[str, int], UdpPort]) -> MediaServer:
    loop = asyncio.get_running_loop()
    server = MediaServer(config.port, sfu, [], [], set(), Timer(sfu, loop))
    try:
        for address in config.addresses:
            await _open_address(address, config, server, loop, udp_port)
    except OSError:
        server.close()
        raise
    sfu.port = server.port
    server.timer.start()
    return server


async def _open_address(
    address: str,
    config: MediaConfig,
    server: MediaServer,
    loop: asyncio.AbstractEventLoop,
    udp_port: Callable[[str, int], UdpPort],
) -> None:
    sfu = server.sfu
    port = udp_port(address, server.port)
    server.port = port.port
    handle = sfu.engine.attach(port)
    server.udp.append((handle, port))
    server.timer.readers.append(Reader(sfu, handle, port.socket.fileno(), loop))
    if config.tcp:
        server.servers.append(
            await loop.create_server(lambda: TcpPort(sfu, server.connections, loop.time), address, server.port)
        )
