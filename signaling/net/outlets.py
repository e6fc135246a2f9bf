"""Where messages to connections leave the process: a queue per WebSocket, one slot per WHIP or WHEP request.

Rule: sending never waits. A socket whose queue is full is closed; its page comes back and gets the tail it missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Protocol

from signaling.messages import Answer, Error, ServerMessage

QUEUE_MESSAGES = 512
"""Some ten seconds of a busy lesson; who is farther behind is better served by a snapshot."""
TRY_AGAIN = 1013


class Outlet(Protocol):
    def send(self, message: ServerMessage, text: str) -> None: ...
    def close(self, code: int) -> None: ...


class SocketOutlet:
    """Texts for the socket's writer task; an int closes with that code."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[str | int] = asyncio.Queue()
        self._closed = False

    def send(self, message: ServerMessage, text: str) -> None:
        if self._closed:
            return
        if self.queue.qsize() >= QUEUE_MESSAGES:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.close(TRY_AGAIN)
            return
        self.queue.put_nowait(text)

    def close(self, code: int) -> None:
        if not self._closed:
            self._closed = True
            self.queue.put_nowait(code)


class RequestOutlet:
    """Keeps the answer or the error of one HTTP request."""

    def __init__(self) -> None:
        self.answer: Answer | None = None
        self.error: Error | None = None

    def send(self, message: ServerMessage, text: str) -> None:
        if isinstance(message, Answer):
            self.answer = message
        elif isinstance(message, Error):
            self.error = message

    def close(self, code: int) -> None:
        return None


class Outlets:
    def __init__(self) -> None:
        self._outlets: dict[str, Outlet] = {}

    def add(self, connection: str, outlet: Outlet) -> None:
        self._outlets[connection] = outlet

    def remove(self, connection: str) -> None:
        self._outlets.pop(connection, None)

    def send(self, connections: Iterable[str], message: ServerMessage) -> None:
        found = [outlet for one in connections if (outlet := self._outlets.get(one))]
        if found:
            text = message.model_dump_json()
            for outlet in found:
                outlet.send(message, text)

    def close(self, connection: str, code: int) -> None:
        if outlet := self._outlets.get(connection):
            outlet.close(code)
