"""Words that were erased are in no stored chunk after the room's end; every other line stays byte for byte."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from signaling.messages import Op
from signaling.net.erasing import blank, blank_erased
from signaling.net.objectstore import open_store
from signaling.net.shipper import OpShipper, load_ops
from signaling.ops import Entry, encode
from signaling.ports import ObjectStore
from tests.signaling.net.test_node import host_of, open_and_begin, running, say
from tests.support.signaling import make_spec, until
from tests.support.stores import Moody

WORDS = "不该说的话"


def entry(seq: int, kind: str, epoch: int = 1, /, **body: Any) -> Entry:
    return Entry(Op(seq=seq, epoch=epoch, t=seq * 10, kind=kind, by="t-1", body=body), f"t-1 {seq}")


async def ship(store: ObjectStore, *entries: Entry) -> None:
    """Each in a chunk of its own, as in a lesson where people say something now and then."""
    ops = OpShipper(store)
    for one in entries:
        ops.add("less", one.op.epoch, one.op.seq, encode(one))
        await ops.ship()


async def stored(store: ObjectStore) -> dict[str, bytes]:
    return {info.key: await store.get(info.key) async for info in store.list("lessons/less/ops/")}


class ErasingContract:
    """Subclasses bring ``store``: an empty one."""

    async def test_words_go_and_the_log_stays_whole(self, store: ObjectStore) -> None:
        said = entry(2, "chat.say", text=WORDS)
        kept = entry(3, "chat.say", text="听得清楚")
        await ship(store, entry(1, "lesson.open"), said, kept, entry(4, "page.turn", page=2))
        await ship(store, entry(5, "epoch", 2, epoch=2, from_seq=5), entry(6, "chat.erase", 2, seq=2))
        before, told = await stored(store), await load_ops(store, "less")
        assert await blank_erased(store, "less", 2) == 1
        after = await stored(store)
        assert WORDS.encode() not in b"".join(after.values())
        assert {key for key in before if before[key] != after[key]} == {"lessons/less/ops/e1-00000002.jsonl"}
        told[1]["body"] = {"text": ""}
        assert await load_ops(store, "less") == told
        assert await blank_erased(store, "less", 2) == 0

    async def test_what_the_web_erased_later(self, store: ObjectStore) -> None:
        await ship(store, entry(1, "chat.say", text=WORDS), entry(2, "chat.say", text="好"))
        await store.put("lessons/less/erased.json", b"[1]")
        assert await blank_erased(store, "less", 1) == 1
        assert [op["body"]["text"] for op in await load_ops(store, "less")] == ["", "好"]

    async def test_a_newer_epochs_chunks_are_its_nodes(self, store: ObjectStore) -> None:
        await ship(store, entry(1, "lesson.open"), entry(2, "chat.say", 2, text=WORDS))
        await ship(store, entry(3, "chat.erase", 2, seq=2))
        assert await blank_erased(store, "less", 1) == 0
        assert await blank_erased(store, "less", 2) == 1


class TestFolder(ErasingContract):
    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[ObjectStore]:
        made = open_store(str(tmp_path / "objects"))
        yield made
        await made.close()


@pytest.mark.real
class TestS3(ErasingContract):
    @pytest.fixture
    async def store(self, s3_url: str) -> AsyncIterator[ObjectStore]:
        made = open_store(s3_url)
        for key in [info.key async for info in made.list("lessons/less/")]:  # the tests share a bucket
            await made.delete(key)
        yield made
        await made.close()


def test_other_lines_stay_byte_for_byte() -> None:
    lines = [encode(entry(n, "chat.say", text=f"{WORDS} \u2028 {n}")) + b"\n" for n in (1, 2)]
    hand = b'{ "kind": "hand.raise", "by": "\\"chat.say\\"", "seq": 3, "body": {} }\n'
    first, *others = blank(b"".join([*lines, hand]), {1, 3}).splitlines(keepends=True)
    assert others == [lines[1], hand]
    assert json.loads(first) == json.loads(lines[0]) | {"body": {"text": ""}}


async def test_a_room_that_ends_takes_its_erased_words_along(tmp_path: Path) -> None:
    """Also those of a chunk that was in the store long before; not before the room is over."""
    async with running(tmp_path) as node:
        await open_and_begin(node, make_spec())
        say(node, "chat.say", text=WORDS)
        seq = host_of(node).live.log.head.seq
        say(node, "chat.say", text="听得清楚")
        await until(lambda: WORDS in texts(tmp_path))
        say(node, "chat.erase", seq=seq)
        await until(lambda: "chat.erase" in texts(tmp_path))
        await node.close("L1", "over")
        await until(lambda: WORDS not in texts(tmp_path))
        assert "听得清楚" in texts(tmp_path)
        await until(lambda: not (tmp_path / "spool" / "rooms" / "L1.jsonl").exists())


async def test_a_store_that_is_away_keeps_the_journal_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = tmp_path / "spool" / "rooms" / "L1.jsonl"
    async with running(tmp_path) as node:
        await open_and_begin(node, make_spec())
        say(node, "chat.say", text=WORDS)
        say(node, "chat.erase", seq=host_of(node).live.log.head.seq)
        await until(lambda: "chat.erase" in texts(tmp_path))
        monkeypatch.setattr(node, "store", away := Moody(tmp_path / "objects"))
        away.away = True
        await node.close("L1", "over")
        await until(lambda: node.lives == {} and not node._locks["L1"].locked())
        assert journal.exists()
    async with running(tmp_path) as node:
        await node.close("L1", "over")
        await until(lambda: not journal.exists())
        assert WORDS not in texts(tmp_path)


def texts(folder: Path) -> str:
    return "".join(path.read_text("utf-8") for path in sorted((folder / "objects").rglob("*.jsonl")))
