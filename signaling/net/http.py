"""The node's addresses and its HTTP server, which ends with grace: rooms first, then sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute

from signaling.messages import MAX_MESSAGE_BYTES
from signaling.net.control import ControlDoor
from signaling.net.metrics import MetricsDoor
from signaling.net.node import Node
from signaling.net.waydoor import WayDoor
from signaling.net.websocket import WebSocketDoor
from signaling.net.whep import WhepDoor
from signaling.net.whip import WhipDoor

PING_SECONDS = 5.0
PONG_SECONDS = 10.0
"""A page without network is noticed in 15 s even if it sends no media."""
KEEP_ALIVE_SECONDS = 150
"""As the web's: longer than the web keeps an idle connection to our control door, a proxy to the others."""


def application(
    node: Node,
    socket: WebSocketDoor,
    whip: WhipDoor,
    whep: WhepDoor,
    control: ControlDoor,
    metrics: MetricsDoor,
    way: WayDoor,
) -> Starlette:
    async def health(request: Request) -> Response:
        return JSONResponse({"ok": True, "rooms": len(node.lives)})

    routes: list[BaseRoute] = [
        WebSocketRoute("/ws", socket.serve),
        Route("/way", way.endpoint, methods=["POST", "OPTIONS"]),
        Route("/healthz", health),
        Route("/control/healthz", health),
        Route("/metrics", metrics.get),
        Route("/control/rooms/{lesson}", control.put, methods=["PUT"]),
        Route("/control/rooms/{lesson}", control.delete, methods=["DELETE"]),
        Route("/control/rooms/{lesson}/handover", control.hand_over, methods=["POST"]),
        Route("/control/rooms/{lesson}/moved", control.moved, methods=["POST"]),
        Route("/control/rooms/{lesson}/seen", control.seen, methods=["GET"]),
        Route("/control/rooms/{lesson}/revoke", control.revoke, methods=["POST"]),
        Route("/control/rooms/{lesson}/sources", control.sources, methods=["PUT"]),
    ]
    for name, door in (("whip", whip), ("whep", whep)):
        every = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]  # what is not allowed is the door's to say
        routes += [
            Route(f"/{name}/{{lesson}}", door.endpoint, methods=every),
            Route(f"/{name}/{{lesson}}/{{resource}}", door.session, methods=every),
        ]
    return Starlette(routes=routes)


class HttpServer(uvicorn.Server):
    """Signals are the composition root's: it tells the rooms first.

    ``inner``: beside a TLS door, a plain one on loopback for the web and the children of this machine.
    """

    inner: tuple[HttpServer, socket.socket] | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        if self.inner is None:
            await super().serve(sockets)
            return
        plain, bound = self.inner
        serving = asyncio.create_task(plain.serve([bound]))
        try:
            await super().serve(sockets)
        finally:
            plain.should_exit = True
            await serving

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def server(app: Starlette, tls: tuple[Path, Path] | None = None, inner: socket.socket | None = None) -> HttpServer:
    """``tls``: certificate chain and key. ``inner`` is bound already, so that its port is known."""
    made = HttpServer(_config(app, tls))
    if inner is not None:
        made.inner = HttpServer(_config(app, None)), inner
    return made


def _config(app: Starlette, tls: tuple[Path, Path] | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        ssl_certfile=tls[0] if tls else None,
        ssl_keyfile=tls[1] if tls else None,
        ws="websockets-sansio",
        # Four times what a message may have: the session answers what is a little too long, the library the rest.
        ws_max_size=4 * MAX_MESSAGE_BYTES,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PONG_SECONDS,
        ws_per_message_deflate=False,  # small messages; saves 300 kB a socket
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=2,
    )
