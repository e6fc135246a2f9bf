"""Objects in a folder, in MinIO or in any S3, behind ``signaling.ports.ObjectStore``.

Writes are whole or not at all. Every failure of the store itself is ``ObjectStoreError`` (try again later); a key
that is not there is ``ObjectMissingError``; a key that could leave the store's root is ``ValueError`` before
anything is touched.

    store = open_store("/var/lib/tongtang/objects")                       # a folder
    store = open_store("s3://key:secret@127.0.0.1:9000/tongtang")  # s3s:// for TLS; the bucket is made if missing
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

from signaling.ports import ObjectInfo, ObjectMissingError, ObjectStore, ObjectStoreError

T = TypeVar("T")

_PART = re.compile(r"[A-Za-z0-9_=-][A-Za-z0-9._=-]*")
MAX_KEY_CHARS = 512
THREADS = 8  # own threads: a store that hangs must not take those in which the journal is fsynced


def check_key(key: str) -> str:
    """``key`` itself if it is ``/``-separated parts of ``[A-Za-z0-9._=-]`` that do not start with a dot."""
    if len(key) > MAX_KEY_CHARS or not all(_PART.fullmatch(part) for part in key.split("/")):
        raise ValueError(f"not an object key: {key[:80]!r}")
    return key


def check_prefix(prefix: str) -> str:
    """A prefix is a key that may end anywhere, also with a slash or empty."""
    if prefix:
        check_key(prefix + "x" if prefix.endswith("/") else prefix)
    return prefix


class FolderStore:
    """Objects as files: written beside their place, fsynced, renamed, and the folder fsynced too."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="folder-store")

    async def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
        await self._run(_write_file, self.root, check_key(key), data)

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        return await self._run(_read_file, self.root / check_key(key), start, length)

    async def stat(self, key: str) -> ObjectInfo:
        size = await self._run(_file_size, self.root / check_key(key))
        return ObjectInfo(key, size)

    async def delete(self, key: str) -> None:
        """Missing already is as good as deleted."""
        await self._run(_delete_file, self.root / check_key(key))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        for info in await self._run(_walk, self.root, check_prefix(prefix)):
            yield info

    async def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, work, *arguments)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise ObjectMissingError(str(error)) from error
        except OSError as error:
            raise ObjectStoreError(str(error)) from error


def _write_file(root: Path, key: str, data: bytes) -> None:
    path = root / key
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{secrets.token_hex(8)}.part")  # a leading dot is no legal key: never listed
        try:
            with temporary.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
        fsync_folder(path.parent)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, FileExistsError) as error:
        raise OSError(f"cannot write {key}: {error}") from error


def fsync_folder(folder: Path) -> None:
    """A rename is on disk only when its folder is."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_file(path: Path, start: int, length: int | None) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read() if length is None else file.read(length)


def _file_size(path: Path) -> int:
    if not path.is_file():
        raise FileNotFoundError(path.name)
    return path.stat().st_size


def _delete_file(path: Path) -> None:
    path.unlink(missing_ok=True)


def _walk(root: Path, prefix: str) -> list[ObjectInfo]:
    base = root / prefix.rpartition("/")[0]
    return sorted(_files(root, base, prefix), key=lambda info: info.key)


def _files(root: Path, base: Path, prefix: str) -> Iterator[ObjectInfo]:
    for folder, names, files in os.walk(base):
        names[:] = [name for name in names if not name.startswith(".")]
        for name in files:
            key = (Path(folder) / name).relative_to(root).as_posix()
            if not name.startswith(".") and key.startswith(prefix):
                try:
                    yield ObjectInfo(key, (root / key).stat().st_size)
                except FileNotFoundError:
                    continue  # deleted while we walked


def open_store(url: str) -> ObjectStore:
    """A folder's path, ``s3://key:secret@host:port/bucket`` or ``s3s://…`` with TLS; key and secret percent-encoded."""
    parts = urlsplit(url)
    if parts.scheme not in ("s3", "s3s"):
        return FolderStore(Path(url.removeprefix("file://")))
    bucket = parts.path.strip("/")
    if not (parts.hostname and parts.username and parts.password and bucket):
        raise ValueError("s3 address needs key:secret@host:port/bucket")
    from signaling.net.s3 import MinioStore  # half a second of imports that a folder does not need

    host = parts.hostname if parts.port is None else f"{parts.hostname}:{parts.port}"
    keys = (unquote(parts.username), unquote(parts.password))
    return MinioStore(host, bucket, *keys, secure=parts.scheme == "s3s")


async def matches(store: ObjectStore, key: str, size: int, sha256: str) -> bool:
    """Read the object back and compare: only this makes a local copy superfluous."""
    try:
        data = await store.get(key)
    except ObjectMissingError:
        return False
    return len(data) == size and hashlib.sha256(data).hexdigest() == sha256
