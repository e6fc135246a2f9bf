"""What a room needs from the world, as Protocols; ``net/`` holds the real ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from signaling.facts import Fact


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """``sha256`` is hex and None where the store cannot say without reading the object."""

    key: str
    size: int
    sha256: str | None = None


class ObjectMissingError(Exception):
    """No object of that key."""


class ObjectStoreError(Exception):
    """The store cannot be reached or refused; try again later. Nothing was lost by asking."""


class ObjectStore(Protocol):
    """A folder, MinIO or any S3. Keys are ``/``-separated ``[A-Za-z0-9._=-]`` parts; writes are whole or not at all."""

    async def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None: ...
    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes: ...
    async def stat(self, key: str) -> ObjectInfo: ...
    async def delete(self, key: str) -> None: ...
    def list(self, prefix: str) -> AsyncIterator[ObjectInfo]: ...
    async def close(self) -> None: ...


class Journal(Protocol):
    """The room's durable local log (JSON lines). ``append`` returns only after fsync; group commit within 20 ms."""

    async def append(self, records: Sequence[bytes]) -> None: ...
    def read(self) -> Sequence[bytes]: ...


class FactSink(Protocol):
    """Where facts go: a spool that survives ``kill -9`` and is emptied only on the ledger's acknowledgement."""

    async def put(self, facts: Sequence[Fact]) -> None: ...


class MediaStore(Protocol):
    """Where the recorder's fragments go: spool with fsync, then the object store, read back, only then removed."""

    async def put(self, key: str, data: bytes) -> None: ...
