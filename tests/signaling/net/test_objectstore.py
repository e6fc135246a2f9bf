"""One contract for every object store: a folder and a real S3 keep the same promises."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from signaling.net.objectstore import FolderStore, check_key, matches, open_store
from signaling.net.s3 import MinioStore
from signaling.ports import ObjectMissingError, ObjectStore, ObjectStoreError
from tests.support.processes import free_ports


class ObjectStoreContract:
    """Subclasses bring ``store``: an empty one."""

    async def test_put_then_get_is_the_same(self, store: ObjectStore) -> None:
        data = os.urandom(300_000)
        await store.put("lessons/a/e1/mic/000001.m4s", data, content_type="audio/mp4")
        assert await store.get("lessons/a/e1/mic/000001.m4s") == data
        assert (await store.stat("lessons/a/e1/mic/000001.m4s")).size == len(data)

    async def test_put_replaces_whole(self, store: ObjectStore) -> None:
        await store.put("a/manifest.json", b"x" * 1000)
        await store.put("a/manifest.json", b"short")
        assert await store.get("a/manifest.json") == b"short"

    async def test_empty_object(self, store: ObjectStore) -> None:
        await store.put("a/empty", b"")
        assert await store.get("a/empty") == b""
        assert (await store.stat("a/empty")).size == 0

    async def test_parts_of_an_object(self, store: ObjectStore) -> None:
        await store.put("a/b", b"0123456789")
        assert await store.get("a/b", start=3, length=4) == b"3456"
        assert await store.get("a/b", start=7) == b"789"
        assert await store.get("a/b", start=7, length=100) == b"789"
        assert await store.get("a/b", start=2, length=0) == b""
        assert await store.get("a/b", start=10) == b""
        assert await store.get("a/b", start=99, length=5) == b""

    async def test_missing_is_missing_not_trouble(self, store: ObjectStore) -> None:
        for work in (store.get("no/such"), store.stat("no/such")):
            with pytest.raises(ObjectMissingError):
                await work

    async def test_a_folder_is_no_object(self, store: ObjectStore) -> None:
        await store.put("a/b/c", b"1")
        for work in (store.get("a/b"), store.stat("a/b")):
            with pytest.raises(ObjectMissingError):
                await work

    async def test_delete_twice(self, store: ObjectStore) -> None:
        await store.put("a/b", b"1")
        await store.delete("a/b")
        await store.delete("a/b")
        with pytest.raises(ObjectMissingError):
            await store.get("a/b")

    async def test_list_in_order_by_prefix(self, store: ObjectStore) -> None:
        keys = ["lessons/a/ops/e1-1.jsonl", "lessons/a/ops/e2-1.jsonl", "lessons/a/e1/manifest.json", "lessons/ab/x"]
        for key in keys:
            await store.put(key, key.encode())
        assert [info.key async for info in store.list("lessons/a/ops/")] == keys[:2]
        assert [info.key async for info in store.list("lessons/a/ops/e2")] == keys[1:2]
        assert [info.key async for info in store.list("lessons/a")] == sorted(keys)
        assert {info.key: info.size async for info in store.list("")} == {key: len(key) for key in keys}
        assert [info async for info in store.list("nothing/")] == []

    @pytest.mark.parametrize(
        "key",
        [
            "",
            "/",
            "/etc/passwd",
            "a//b",
            "../a",
            "a/../b",
            "a/.",
            ".hidden",
            "a/.part",
            "a b",
            "a\\b",
            "ä",
            "a/",
            "a\n",
        ],
    )
    async def test_no_key_leaves_the_store(self, store: ObjectStore, key: str) -> None:
        for work in (store.put(key, b"1"), store.get(key), store.stat(key), store.delete(key)):
            with pytest.raises(ValueError, match="not an object key"):
                await work

    async def test_many_at_once(self, store: ObjectStore) -> None:
        await asyncio.gather(*(store.put(f"many/{n:03d}", str(n).encode()) for n in range(40)))
        read = await asyncio.gather(*(store.get(f"many/{n:03d}") for n in range(40)))
        assert read == [str(n).encode() for n in range(40)]

    async def test_matches_reads_the_object_back(self, store: ObjectStore) -> None:
        import hashlib

        await store.put("a/b", b"1234")
        digest = hashlib.sha256(b"1234").hexdigest()
        assert await matches(store, "a/b", 4, digest)
        assert not await matches(store, "a/b", 5, digest)
        assert not await matches(store, "a/b", 4, "0" * 64)
        assert not await matches(store, "a/c", 4, digest)


class TestFolder(ObjectStoreContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[ObjectStore]:
        made = open_store(str(tmp_path / "objects"))
        yield made
        await made.close()

    async def test_half_a_write_is_never_seen(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = FolderStore(tmp_path)
        await store.put("a/b", b"old")

        def fail(_descriptor: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(ObjectStoreError):
            await store.put("a/b", b"new and longer")
        assert await store.get("a/b") == b"old"
        assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
        await store.close()

    async def test_a_file_in_the_way_is_trouble_not_missing(self, tmp_path: Path) -> None:
        store = FolderStore(tmp_path)
        await store.put("a", b"1")
        with pytest.raises(ObjectStoreError):
            await store.put("a/b", b"2")
        await store.close()

    @pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
    async def test_a_read_only_folder_is_trouble(self, tmp_path: Path) -> None:
        blocked = tmp_path / "file"
        blocked.write_bytes(b"")
        store = FolderStore(blocked)  # a file where the folder should be: also root cannot write there
        with pytest.raises(ObjectStoreError):
            await store.put("a/b", b"1")
        assert stat.S_ISREG(blocked.stat().st_mode)
        await store.close()


@pytest.mark.real
class TestS3(ObjectStoreContract):
    @pytest.fixture
    async def store(self, s3_url: str) -> AsyncIterator[ObjectStore]:
        made = open_store(s3_url)
        yield made
        await made.close()

    async def test_makes_its_bucket(self, s3_url: str) -> None:
        store = open_store(s3_url + "-new")
        await store.put("a/b", b"1")
        assert await store.get("a/b") == b"1"
        await store.close()

    async def test_wrong_secret_is_trouble(self, s3_url: str) -> None:
        scheme, rest = s3_url.split("://")
        key, _, place = rest.partition(":")
        store = open_store(f"{scheme}://{key}:wrong@{place.partition('@')[2]}")
        with pytest.raises(ObjectStoreError):
            await store.put("a/b", b"1")
        await store.close()


async def test_an_absent_s3_is_trouble_within_seconds() -> None:
    store = MinioStore(f"127.0.0.1:{free_ports(1)}", "bucket", "key", "secret")
    for work in (store.put("a/b", b"1"), store.get("a/b")):
        with pytest.raises(ObjectStoreError):
            await asyncio.wait_for(work, 30)
    await store.close()


@pytest.mark.slow
async def test_a_silent_s3_is_trouble_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signaling.net.s3.READ_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        store = MinioStore(f"127.0.0.1:{listening.getsockname()[1]}", "bucket", "key", "secret")
        with pytest.raises(ObjectStoreError):
            await asyncio.wait_for(store.get("a/b"), 30)
        await store.close()


@pytest.mark.parametrize("url", ["s3://host/bucket", "s3://k:s@host:9000", "s3://k:s@host:9000/", "s3://:s@h/b"])
def test_an_address_without_keys_or_bucket_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="s3 address"):
        open_store(url)


def test_percent_signs_in_secrets() -> None:
    store = open_store("s3s://key:a%2Fb%40c@host:9000/bucket")
    assert isinstance(store, MinioStore)
    assert store.bucket == "bucket"
    assert check_key("a/b") == "a/b"
