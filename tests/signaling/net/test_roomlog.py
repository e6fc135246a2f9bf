"""A node takes a room up from its own journal, from what was shipped, or from both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from signaling.messages import Op
from signaling.net.journal import JournalFile
from signaling.net.objectstore import FolderStore
from signaling.net.roomlog import load_log
from signaling.net.shipper import OpShipper
from signaling.ops import Entry, encode


def entry(seq: int, epoch: int = 1, kind: str = "x", **body: Any) -> Entry:
    return Entry(Op(seq=seq, epoch=epoch, t=seq, kind=kind, by="node", body=body), None)


async def ship(store: FolderStore, *entries: Entry) -> None:
    shipper = OpShipper(store)
    for one in entries:
        shipper.add("L1", one.op.epoch, one.op.seq, encode(one))
    await shipper.ship()


async def write(path: Path, *entries: Entry) -> None:
    journal = JournalFile(path)
    await journal.append([encode(one) for one in entries])
    await journal.close()


async def load(tmp_path: Path, store: FolderStore, epoch: int) -> list[Entry]:
    path = tmp_path / "rooms" / "L1.jsonl"
    journal, entries = await load_log(path, store, "L1", epoch)
    await journal.close()
    again = JournalFile(path)
    assert again.read() == tuple(encode(one) for one in entries)
    await again.close()
    return entries


async def test_nothing_anywhere(tmp_path: Path) -> None:
    assert await load(tmp_path, FolderStore(tmp_path / "objects"), 1) == []


async def test_the_own_journal_of_this_epoch_is_enough(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    await ship(store, entry(1), entry(2), entry(3))
    await write(tmp_path / "rooms" / "L1.jsonl", entry(1), entry(2))
    assert await load(tmp_path, store, 1) == [entry(1), entry(2)]


async def test_another_nodes_room(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    await ship(store, entry(1), entry(2))
    assert await load(tmp_path, store, 2) == [entry(1), entry(2)]


async def test_a_room_that_was_here_and_elsewhere_comes_back(tmp_path: Path) -> None:
    """Epoch 1 here, then epoch 2 elsewhere from op 3 on; what this node wrote as 3 and 4 alone never held."""
    store = FolderStore(tmp_path / "objects")
    taken = entry(3, 2, "epoch", epoch_=2, from_seq=3)
    await ship(store, entry(1), entry(2), taken, entry(4, 2))
    await write(tmp_path / "rooms" / "L1.jsonl", entry(1), entry(2), entry(3), entry(4), entry(5))
    assert await load(tmp_path, store, 3) == [entry(1), entry(2), taken, entry(4, 2)]


async def test_what_was_not_shipped_is_still_here(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "objects")
    await ship(store, entry(1))
    await write(tmp_path / "rooms" / "L1.jsonl", entry(1), entry(2))
    assert await load(tmp_path, store, 2) == [entry(1), entry(2)]
