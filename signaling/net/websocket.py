"""The WebSocket door: frames in, texts out. Everything that needs thought is in ``signaling/session.py``."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from signaling.effects import Close, Effect, Send
from signaling.net.node import Node
from signaling.net.outlets import SocketOutlet
from signaling.session import JOIN_SECONDS, Keys, Session

log = logging.getLogger("tongtang.websocket")

BUG = 1011


class OriginRule:
    """Which pages may connect: those named, or those of the host name this node is asked by. No Origin: no browser."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._origins = frozenset(origins)

    def allows(self, origin: str | None, host: str | None) -> bool:
        if origin is None:
            return True
        if self._origins:
            return origin in self._origins
        name = urlsplit(f"//{host}").hostname if host else None
        return name is not None and urlsplit(origin).hostname == name


class WebSocketDoor:
    def __init__(self, node: Node, keys: Keys, origins: OriginRule) -> None:
        self._node, self._keys, self._origins = node, keys, origins
        self._numbers = itertools.count(1)

    async def serve(self, socket: WebSocket) -> None:
        if not self._origins.allows(socket.headers.get("origin"), socket.headers.get("host")):
            await socket.close(1008)  # before accept: HTTP 403
            return
        await socket.accept()
        connection = f"c{next(self._numbers)}"
        outlet = SocketOutlet()
        self._node.outlets.add(connection, outlet)
        session = Session.open(connection, self._node.lives, self._keys, time.monotonic())
        writer = asyncio.create_task(_write(socket, outlet))
        timer = asyncio.get_running_loop().call_later(JOIN_SECONDS + 0.1, self._turn, session, session.tick)
        try:
            await self._read(socket, session, outlet)
        finally:
            timer.cancel()
            self._turn(session, session.lost)
            self._node.outlets.remove(connection)
            outlet.close(1000)
            await writer

    async def _read(self, socket: WebSocket, session: Session, outlet: SocketOutlet) -> None:
        while True:
            try:
                frame = await socket.receive()
            except (WebSocketDisconnect, RuntimeError):
                return
            if frame["type"] == "websocket.disconnect":
                return
            text = frame.get("text")
            at_ms = time.time_ns() // 1_000_000
            try:
                now = time.monotonic()
                self._do(session, session.receive(text, at_ms, now) if text is not None else session.binary())
            except Exception:  # our fault: this one session dies, not the room
                log.exception("%s: after a message", session.connection)
                outlet.close(BUG)

    def _turn(self, session: Session, turn: Callable[[float], list[Effect]]) -> None:
        try:
            self._do(session, turn(time.monotonic()))
        except Exception:
            log.exception("%s: at the door", session.connection)

    def _do(self, session: Session, effects: list[Effect]) -> None:
        """A room's effects are its host's; before a room is joined there are only messages."""
        host = self._node.host(session.room.lesson) if session.room else None
        if host is not None:
            host.do(effects)
            return
        for effect in effects:
            if isinstance(effect, Send):
                self._node.outlets.send(effect.connections, effect.message)
            elif isinstance(effect, Close):
                self._node.outlets.close(effect.connection, effect.code)


async def _write(socket: WebSocket, outlet: SocketOutlet) -> None:
    """Until closed by either side. Errors of a dead socket are the reader's to notice."""
    with suppress(WebSocketDisconnect, RuntimeError, OSError):
        while True:
            item = await outlet.queue.get()
            if isinstance(item, int):
                if socket.client_state is WebSocketState.CONNECTED:
                    await socket.close(item)
                return
            await socket.send_text(item)
