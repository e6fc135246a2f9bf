"""Any S3 through the ``minio`` SDK; see ``objectstore.py``, which imports this only for an S3 address.

A node on a folder saves the SDK's half second at each start: after a crash that is half a second of lesson.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from io import BytesIO
from typing import Any, TypeVar

import urllib3
from minio import Minio
from minio.error import MinioException, S3Error

from signaling.net.objectstore import THREADS, check_key, check_prefix
from signaling.ports import ObjectInfo, ObjectMissingError, ObjectStoreError

T = TypeVar("T")

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
ATTEMPTS = 3  # inside one call; whoever must not lose anything tries again for ever
MISSING = {"NoSuchKey", "NoSuchObject", "NotFound"}


class MinioStore:
    """Any S3 through the ``minio`` SDK, which blocks: its calls run in threads of their own with short timeouts."""

    def __init__(self, host: str, bucket: str, access_key: str, secret_key: str, *, secure: bool = False) -> None:
        self.bucket = bucket
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
            maxsize=THREADS,
            retries=urllib3.Retry(total=ATTEMPTS - 1, backoff_factor=0.2, status_forcelist=(500, 502, 503, 504)),
        )
        # A region given spares the SDK a question to the store for each bucket.
        self._client = Minio(
            host,
            access_key=access_key,
            secret_key=secret_key,
            secure=secure,
            region="us-east-1",
            http_client=self._http,
        )
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="s3")
        self._bucket_known = False

    async def put(self, key: str, data: bytes, *, content_type: str = "application/octet-stream") -> None:
        put = partial(self._client.put_object, content_type=content_type)
        await self._run(put, self.bucket, check_key(key), BytesIO(data), len(data))

    async def get(self, key: str, *, start: int = 0, length: int | None = None) -> bytes:
        return await self._run(self._read, check_key(key), start, length)

    def _read(self, key: str, start: int, length: int | None) -> bytes:
        if length == 0:
            return b""
        try:
            response = self._client.get_object(self.bucket, key, offset=start, length=length or 0)
        except S3Error as error:
            if error.code == "InvalidRange":  # reading past the end is reading nothing, as with a file
                return b""
            raise
        try:
            return response.read()
        finally:
            response.close()
            response.release_conn()

    async def stat(self, key: str) -> ObjectInfo:
        found = await self._run(self._client.stat_object, self.bucket, check_key(key))
        return ObjectInfo(key, found.size or 0)

    async def delete(self, key: str) -> None:
        await self._run(self._client.remove_object, self.bucket, check_key(key))

    async def list(self, prefix: str) -> AsyncIterator[ObjectInfo]:
        for info in await self._run(self._list, check_prefix(prefix)):
            yield info

    def _list(self, prefix: str) -> Sequence[ObjectInfo]:
        found = self._client.list_objects(self.bucket, prefix=prefix, recursive=True)
        infos = [ObjectInfo(item.object_name or "", item.size or 0) for item in found if not item.is_dir]
        return sorted(infos, key=lambda info: info.key)

    async def close(self) -> None:
        self._threads.shutdown(wait=False)
        self._http.clear()

    async def _run(self, work: Callable[..., T], *arguments: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._call, work, arguments)

    def _call(self, work: Callable[..., T], arguments: tuple[Any, ...]) -> T:
        try:
            self._make_bucket()
            return work(*arguments)
        except S3Error as error:
            if error.code in MISSING:
                raise ObjectMissingError(str(arguments[1:2])) from error
            raise ObjectStoreError(error.code or "refused") from error
        except (MinioException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            raise ObjectStoreError(type(error).__name__) from error

    def _make_bucket(self) -> None:
        if self._bucket_known:
            return
        if not self._client.bucket_exists(self.bucket):
            try:
                self._client.make_bucket(self.bucket)
            except S3Error as error:
                if error.code not in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                    raise
        self._bucket_known = True
