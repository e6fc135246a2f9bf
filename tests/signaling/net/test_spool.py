"""Nothing acknowledged is ever lost: killed processes, stores that are away, full disks, torn files."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from signaling.facts import Fact
from signaling.net import mediaspool
from signaling.net.appendfile import whole_lines
from signaling.net.spool import FactSpool, JournalFile, MediaSpool
from tests.support.stores import Moody, fragment, manifest_of, numbers, run_and_kill, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mediaspool, "MANIFEST_SECONDS", 0.02)
    monkeypatch.setattr(mediaspool, "FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(mediaspool, "LAST_RETRY_SECONDS", 0.05)


def fact(number: int) -> Fact:
    return Fact(f"less:1:{number}", "Chat", "less", 1, number, number)


def count_files(folder: Path) -> int:
    return len(list(folder.glob("*.jsonl")))


def no_space(*_arguments: Any) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


class TestJournalFile:
    async def test_what_was_appended_is_read_by_the_next_process(self, tmp_path: Path) -> None:
        journal = JournalFile(tmp_path / "rooms" / "less.jsonl")
        await journal.append([b'{"seq":1}', b'{"seq":2}'])
        await journal.append([b'{"seq":3}'])
        await journal.close()
        again = JournalFile(tmp_path / "rooms" / "less.jsonl")
        assert [json.loads(line)["seq"] for line in again.read()] == [1, 2, 3]
        await again.append([b'{"seq":4}'])
        await again.close()
        assert len(JournalFile(tmp_path / "rooms" / "less.jsonl").read()) == 4

    async def test_many_at_once_share_few_fsyncs(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        count = 0
        real = os.fdatasync

        def counting(descriptor: int) -> None:
            nonlocal count
            count += 1
            real(descriptor)

        monkeypatch.setattr(os, "fdatasync", counting)
        journal = JournalFile(tmp_path / "j")
        await asyncio.gather(*(journal.append([b'{"n":%d}' % n]) for n in range(200)))
        await journal.close()
        assert len(JournalFile(tmp_path / "j").read()) == 200
        assert count <= 20

    @pytest.mark.parametrize(
        "tail", [b'{"seq":3', b"\x00" * 64, b'{"seq":3}\n{"se\n', b"\xff\xfe\n", b"\x00" * 9 + b"\n"]
    )
    async def test_a_torn_tail_is_cut_off(self, tmp_path: Path, tail: bytes) -> None:
        path = tmp_path / "j"
        path.write_bytes(b'{"seq":1}\n{"seq":2}\n' + tail)
        journal = JournalFile(path)
        whole = [json.loads(line)["seq"] for line in journal.read()]
        assert whole in ([1, 2], [1, 2, 3])
        await journal.append([b'{"seq":9}'])
        await journal.close()
        assert [json.loads(line)["seq"] for line in JournalFile(path).read()] == [*whole, 9]

    async def test_a_full_disk_stops_nothing_and_loses_nothing(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        journal = JournalFile(tmp_path / "j")
        await journal.append([b'{"seq":1}'])
        with monkeypatch.context() as full:
            full.setattr(os, "pwrite", no_space)
            await journal.append([b'{"seq":2}'])
            assert journal.stalled
        await journal.append([b'{"seq":3}'])
        assert not journal.stalled
        await journal.close()
        assert [json.loads(line)["seq"] for line in JournalFile(tmp_path / "j").read()] == [1, 2, 3]

    async def test_a_half_written_batch_is_written_over(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        journal = JournalFile(tmp_path / "j")
        real = os.pwrite

        def half(descriptor: int, data: bytes, at: int) -> int:
            if len(data) > 5:
                return real(descriptor, data[:5], at)
            return no_space()

        with monkeypatch.context() as full:
            full.setattr(os, "pwrite", half)
            await journal.append([b'{"seq":1,"x":"yz"}'])
            assert journal.stalled
        await journal.append([b'{"seq":2}'])
        await journal.close()
        assert [json.loads(line)["seq"] for line in JournalFile(tmp_path / "j").read()] == [1, 2]

    def test_killed_in_mid_write_it_keeps_everything_acknowledged(self, tmp_path: Path) -> None:
        code = """
import asyncio, sys
from pathlib import Path
from signaling.net.spool import JournalFile
async def main():
    journal = JournalFile(Path(sys.argv[1]))
    async def one(n):
        await journal.append([b'{"seq":%d,"pad":"%s"}' % (n, b"x" * 3000)])
        print(n, flush=True)
    for n in range(0, 100000, 10):
        await asyncio.gather(*(one(n + k) for k in range(10)))
asyncio.run(main())
"""
        said = run_and_kill(code, [str(tmp_path / "j")], 120)
        kept = [json.loads(line)["seq"] for line in JournalFile(tmp_path / "j").read()]
        assert {int(line) for line in said} <= set(kept)
        assert kept == sorted(set(kept))

    def test_a_disk_limit_of_the_system_is_borne(self, tmp_path: Path) -> None:
        code = """
import asyncio, resource, sys
from pathlib import Path
from signaling.net.spool import JournalFile
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
async def main():
    journal = JournalFile(Path(sys.argv[1]))
    for n in range(100):
        await journal.append([b'{"seq":%d,"pad":"%s"}' % (n, b"x" * 100)])
    assert journal.stalled
    await journal.close()
asyncio.run(main())
"""
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "j")], check=True)
        assert len(JournalFile(tmp_path / "j").read()) >= 20


class TestFactSpool:
    async def test_oldest_first_and_gone_only_after_the_ack(self, tmp_path: Path) -> None:
        spool = FactSpool(tmp_path)
        await spool.put([fact(n) for n in range(7)])
        first = spool.batch(3)
        assert [f["id"] for f in first.facts] == ["less:1:0", "less:1:1", "less:1:2"]
        assert spool.batch(3) == first
        spool.advance(first)
        assert spool.batch(2).facts[0]["id"] == "less:1:3"
        await spool.close()
        again = FactSpool(tmp_path)
        assert [f["room_ms"] for f in again.batch().facts] == [3, 4, 5, 6]
        again.advance(again.batch())
        assert again.batch().facts == [] and again.bytes == 0
        await again.close()

    async def test_full_files_go_one_by_one(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("signaling.net.factspool.SEGMENT_BYTES", 2000)
        spool = FactSpool(tmp_path)
        for n in range(100):
            await spool.put([fact(n)])
        assert count_files(tmp_path) > 5
        seen: list[int] = []
        while (batch := spool.batch(7)).facts:
            seen += [f["room_ms"] for f in batch.facts]
            spool.advance(batch)
        assert seen == list(range(100))
        assert count_files(tmp_path) == 1
        await spool.close()

    async def test_a_lost_mark_sends_again_but_never_skips(self, tmp_path: Path) -> None:
        spool = FactSpool(tmp_path)
        await spool.put([fact(n) for n in range(5)])
        spool.advance(spool.batch(3))
        await spool.close()
        (tmp_path / "acked").write_text("garbage")
        assert len(FactSpool(tmp_path).batch().facts) == 5

    async def test_a_full_disk_ships_from_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        spool = FactSpool(tmp_path)
        await spool.put([fact(1)])
        with monkeypatch.context() as full:
            full.setattr(os, "pwrite", no_space)
            await spool.put([fact(2), fact(3)])
            assert spool.stalled
            spool.advance(spool.batch())
            memory = spool.batch(1)
            assert [f["room_ms"] for f in memory.facts] == [2]
            spool.advance(memory)
        await spool.put([fact(4)])
        assert not spool.stalled
        assert [f["room_ms"] for f in spool.batch().facts] == [3, 4]
        await spool.close()

    def test_killed_in_mid_write_it_keeps_everything_acknowledged(self, tmp_path: Path) -> None:
        code = """
import asyncio, sys
from pathlib import Path
from signaling.facts import Fact
from signaling.net.spool import FactSpool
async def main():
    spool = FactSpool(Path(sys.argv[1]))
    for n in range(0, 100000, 5):
        await spool.put([Fact("f%d" % (n + k), "Chat", "less", 1, n + k, 0) for k in range(5)])
        print(n, flush=True)
asyncio.run(main())
"""
        said = run_and_kill(code, [str(tmp_path)], 60)
        spool = FactSpool(tmp_path)
        kept: set[int] = set()
        while (batch := spool.batch()).facts:
            kept |= {f["room_ms"] for f in batch.facts}
            spool.advance(batch)
        assert {int(n) + k for n in said for k in range(5)} <= kept


class TestMediaSpool:
    async def test_stored_listed_then_forgotten(self, tmp_path: Path) -> None:
        store, saved = Moody(tmp_path / "store"), []
        spool = MediaSpool(tmp_path / "spool", store, on_saved=saved.append)
        await spool.start()
        for n in range(10):
            key, data, entry = fragment(n)
            await spool.put(key, data, content_type="audio/mp4", entry=entry)
        assert await spool.drain(20)
        assert len(saved) == 10 and spool.bytes == spool.pending == 0
        assert list((tmp_path / "spool").iterdir()) == []
        manifest = await manifest_of(store)
        assert numbers(manifest) == list(range(10)) and manifest["saved_ms"] == 10
        assert await store.get(fragment(4)[0]) == fragment(4)[1]
        await spool.stop()
        await store.close()

    async def test_a_store_that_is_away_loses_nothing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(mediaspool, "STALLED_SECONDS", 0.05)
        store = Moody(tmp_path / "store")
        store.away = True
        spool = MediaSpool(tmp_path / "spool", store)
        await spool.start()
        for n in range(6):
            key, data, entry = fragment(n)
            await spool.put(key, data, entry=entry)
        await until(lambda: spool.error == "store")
        assert spool.stalled and spool.pending == 6 and len(list((tmp_path / "spool").iterdir())) == 6
        store.away = False
        assert await spool.drain(20)
        assert numbers(await manifest_of(store)) == list(range(6)) and not spool.stalled
        await spool.stop()
        await store.close()

    async def test_an_object_that_reads_back_wrong_is_put_again(self, tmp_path: Path) -> None:
        store = Moody(tmp_path / "store")
        key, data, entry = fragment(1)
        store.rotten = {key}
        spool = MediaSpool(tmp_path / "spool", store)
        await spool.start()
        await spool.put(key, data, entry=entry)
        assert await spool.drain(20)
        assert store.puts.count(key) == 2
        assert await store.get(key) == data
        await spool.stop()
        await store.close()

    async def test_the_next_process_goes_on_under_the_old_epoch(self, tmp_path: Path) -> None:
        store = Moody(tmp_path / "store")
        first = MediaSpool(tmp_path / "spool", store)
        await first.start()
        key, data, entry = fragment(1)
        await first.put(key, data, entry=entry)
        assert await first.drain(20)
        store.away = True
        for n in (2, 3):
            key, data, entry = fragment(n)
            await first.put(key, data, entry=entry)
        await first.stop()
        (tmp_path / "spool" / "000000000099.spool").write_bytes(b'{"key":"torn')
        store.away = False
        second = MediaSpool(tmp_path / "spool", store)
        await second.start()
        key, data, entry = fragment(7, epoch=2)
        await second.put(key, data, entry=entry)
        assert await second.drain(20)
        assert numbers(await manifest_of(store, 1)) == [1, 2, 3]
        assert numbers(await manifest_of(store, 2)) == [7]
        await second.stop()
        await store.close()

    async def test_entries_without_data_reach_the_manifest(self, tmp_path: Path) -> None:
        store = Moody(tmp_path / "store")
        spool = MediaSpool(tmp_path / "spool", store)
        await spool.start()
        key, data, entry = fragment(1)
        await spool.put(key, data, entry=entry)
        gap = {k: v for k, v in entry.items() if k != "fragment"} | {"gap": {"from_ms": 5, "to_ms": 9, "cause": "loss"}}
        await spool.put("lessons/less/e1/mic/gap-5", b"", entry=gap)
        closed = {"lesson": "less", "epoch": 1, "opened_at_ms": 1, "closed": True}
        await spool.put("lessons/less/e1/closed-true", b"", entry=closed)
        assert await spool.drain(20)
        manifest = await manifest_of(store)
        assert manifest["closed"] and manifest["tracks"][0]["gaps"] == [{"from_ms": 5, "to_ms": 9, "cause": "loss"}]
        assert [info.key async for info in store.list("lessons/")] == [
            "lessons/less/e1/manifest.json",
            "lessons/less/e1/mic/000001.m4s",
        ]
        await spool.stop()
        await store.close()

    async def test_a_full_disk_uploads_from_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        store = Moody(tmp_path / "store")
        spool = MediaSpool(tmp_path / "spool", store)
        await spool.start()
        store.away = True
        with monkeypatch.context() as full:
            full.setattr(mediaspool, "_write", no_space)
            for n in range(4):
                key, data, entry = fragment(n)
                await spool.put(key, data, entry=entry)
            assert (
                spool.error == "disk" and spool.stalled and spool.memory == sum(len(fragment(n)[1]) for n in range(4))
            )
            store.away = False
            assert await spool.drain(20)
        assert numbers(await manifest_of(store)) == [0, 1, 2, 3]
        assert spool.memory == 0 and spool.error is None
        await spool.stop()
        await store.close()

    async def test_beyond_memory_a_gap_says_what_was_lost(self, tmp_path: Path) -> None:
        store = Moody(tmp_path / "store")
        store.away = True
        spool = MediaSpool(tmp_path / "spool", store, quota_bytes=5000, memory_bytes=3000)
        await spool.start()
        for n in range(6):
            key, data, entry = fragment(n)
            await spool.put(key, data, entry=entry)
        assert spool.dropped == 3 and spool.bytes <= 5000 and spool.memory <= 3000
        store.away = False
        assert await spool.drain(20)
        manifest = await manifest_of(store)
        assert numbers(manifest) == [0, 1, 2]
        assert [(gap["from_ms"], gap["cause"]) for gap in manifest["tracks"][0]["gaps"]] == [
            (3, "disk"),
            (4, "disk"),
            (5, "disk"),
        ]
        await spool.stop()
        await store.close()

    def test_killed_in_mid_write_it_keeps_everything_acknowledged(self, tmp_path: Path) -> None:
        code = """
import asyncio, sys
from pathlib import Path
from signaling.net.spool import MediaSpool
from tests.support.stores import Moody, fragment
async def main():
    store = Moody(Path(sys.argv[1]) / "store")
    spool = MediaSpool(Path(sys.argv[1]) / "spool", store)
    await spool.start()
    for n in range(100000):
        key, data, entry = fragment(n, 60000)
        await spool.put(key, data, entry=entry)
        print(n, flush=True)
asyncio.run(main())
"""
        said = run_and_kill(code, [str(tmp_path)], 40)

        async def recover() -> dict[str, Any]:
            store = Moody(tmp_path / "store")
            spool = MediaSpool(tmp_path / "spool", store)
            await spool.start()
            assert await spool.drain(60)
            await spool.stop()
            for track in (manifest := await manifest_of(store))["tracks"]:
                for item in track["fragments"]:
                    assert len(await store.get(item["key"])) == item["size"]
            await store.close()
            return manifest

        assert {int(line) for line in said} <= set(numbers(asyncio.run(recover())))


def test_whole_lines_never_invents() -> None:
    assert whole_lines(b"") == []
    assert whole_lines(b"{}") == []
    assert whole_lines(b'{}\n{"a":1}\n') == [b"{}", b'{"a":1}']
    assert whole_lines(b"{}\nnope\n{}\n") == [b"{}"]
