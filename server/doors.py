"""The web's doors: the one people use, and where that speaks TLS a plain one on loopback for the nodes of this machine
(a certificate that only this LAN's screens trust is nothing for them)."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import socket
from collections.abc import Iterator

import uvicorn


class Doors(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, internal_port: int = 0) -> None:
        super().__init__(config)
        self._inner = _inner(config, internal_port) if internal_port else None
        self._serving: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self._inner is not None and not self.should_exit:
            self._serving = asyncio.create_task(self._inner.serve())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._inner is not None and self._serving is not None:
            self._inner.should_exit = True
            await self._serving
        await super().shutdown(sockets)


class _Inner(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are the outer door's."""
        yield


def _inner(config: uvicorn.Config, port: int) -> _Inner:
    plain = copy.copy(config)
    plain.host, plain.port, plain.ssl_certfile, plain.ssl_keyfile = "127.0.0.1", port, None, None
    plain.lifespan = "off"  # one application, one beginning and one end: the outer door's
    return _Inner(plain)
