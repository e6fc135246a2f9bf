"""Facts reach the ledger once it listens, ops reach the store within a second, and another node can read them back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from signaling.facts import Fact
from signaling.net import shipper as shipping
from signaling.net.shipper import FactShipper, OpShipper, load_ops, merge_ops
from signaling.net.spool import FactSpool
from signaling.ports import ObjectStoreError
from tests.support.stores import Moody, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shipping, "FIRST_RETRY_SECONDS", 0.01)
    monkeypatch.setattr(shipping, "LAST_RETRY_SECONDS", 0.05)
    monkeypatch.setattr(shipping, "SHIP_SECONDS", 0.02)


def fact(number: int) -> Fact:
    return Fact(f"less:1:{number}", "Chat", "less", 1, number, number)


class Ledger:
    """The web's end: stores each id once; ``mood`` says how it answers."""

    def __init__(self) -> None:
        self.stored: dict[str, dict[str, Any]] = {}
        self.mood = "well"
        self.posts = 0
        self.sizes: list[int] = []
        self.unreadable: set[str] = set()
        self.refused: set[str] = set()

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.posts += 1
        assert request.url.path == "/internal/facts"
        if request.headers["authorization"] != "Bearer secret":
            return httpx2.Response(401)
        if self.mood == "down":
            raise httpx2.ConnectError("refused")
        if self.mood == "failing":
            return httpx2.Response(500)
        facts = json.loads(request.content)["facts"]
        self.sizes.append(len(facts))
        if any(one["id"] in self.unreadable for one in facts):
            return httpx2.Response(422, json={"detail": "unreadable"})
        refused = [one["id"] for one in facts if one["id"] in self.refused]
        facts = [one for one in facts if one["id"] not in refused]
        if self.mood == "partly":
            facts = facts[:1]
        self.stored.update({one["id"]: one for one in facts})
        if self.mood == "mute":
            return httpx2.Response(200, text="<html>")
        return httpx2.Response(200, json={"stored": [one["id"] for one in facts], "refused": refused})


@pytest.fixture
async def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[FactSpool]:
    made = FactSpool(tmp_path / "facts")
    yield made
    await made.close()


@pytest.fixture
async def shipper(spool: FactSpool, ledger: Ledger) -> AsyncIterator[FactShipper]:
    made = FactShipper(spool, "http://web/", "secret", transport=httpx2.MockTransport(ledger.answer))
    await made.start()
    yield made
    await made.stop()


async def test_ships_in_batches_and_empties_the_spool(spool: FactSpool, shipper: FactShipper, ledger: Ledger) -> None:
    await spool.put([fact(n) for n in range(1203)])
    assert await shipper.drain(20)
    assert set(ledger.stored) == {f"less:1:{n}" for n in range(1203)}
    assert max(ledger.sizes) <= 500
    assert spool.bytes == 0


@pytest.mark.parametrize("mood", ["down", "failing", "mute", "partly"])
async def test_only_an_ack_of_every_id_advances(
    spool: FactSpool, shipper: FactShipper, ledger: Ledger, mood: str
) -> None:
    ledger.mood = mood
    await spool.put([fact(n) for n in range(3)])
    await until(lambda: ledger.posts >= 3)
    assert len(spool.batch().facts) == 3
    ledger.mood = "well"
    assert await shipper.drain(20)
    assert set(ledger.stored) == {"less:1:0", "less:1:1", "less:1:2"}


async def test_says_when_the_web_has_been_away(
    spool: FactSpool, shipper: FactShipper, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "STALLED_SECONDS", 0.05)
    ledger.mood = "down"
    await spool.put([fact(1)])
    await until(lambda: shipper.stalled)
    ledger.mood = "well"
    assert await shipper.drain(20)
    await until(lambda: not shipper.stalled)


@pytest.mark.parametrize("told", ["unreadable", "refused"])
async def test_one_fact_that_cannot_be_taken_holds_up_nobody(
    spool: FactSpool, shipper: FactShipper, ledger: Ledger, tmp_path: Path, told: str
) -> None:
    setattr(ledger, told, {"less:1:13"})
    await spool.put([fact(n) for n in range(40)])
    assert await shipper.drain(20)
    assert set(ledger.stored) == {f"less:1:{n}" for n in range(40) if n != 13}
    kept = (tmp_path / "facts" / "refused.json-lines").read_text().splitlines()
    assert [json.loads(line)["id"] for line in kept] == ["less:1:13"]
    assert spool.refused == 1


async def test_a_restarted_node_ships_what_the_killed_one_had(tmp_path: Path, ledger: Ledger) -> None:
    first = FactSpool(tmp_path / "facts")
    await first.put([fact(n) for n in range(5)])
    first.advance(first.batch(2))
    again = FactSpool(tmp_path / "facts")  # no close: the process was killed
    shipper = FactShipper(again, "http://web", "secret", transport=httpx2.MockTransport(ledger.answer))
    await shipper.start()
    assert await shipper.drain(20)
    assert set(ledger.stored) == {"less:1:2", "less:1:3", "less:1:4"}
    await shipper.stop()
    await again.close()
    await first.close()


def op(seq: int, epoch: int = 1, kind: str = "page.turn", **body: Any) -> dict[str, Any]:
    return {"seq": seq, "epoch": epoch, "t": seq * 10, "kind": kind, "by": "t-1", "body": body, "v": 1}


def line(one: dict[str, Any]) -> bytes:
    return json.dumps(one).encode()


async def test_ops_are_in_the_store_soon_and_come_back_in_order(tmp_path: Path) -> None:
    store = Moody(tmp_path)
    ops = OpShipper(store)
    await ops.start()
    for seq in range(1, 6):
        ops.add("less", 1, seq, line(op(seq)))
    assert await ops.drain(20)
    ops.add("less", 1, 6, line(op(6)))
    ops.add("other", 1, 1, line(op(1)))
    assert await ops.drain(20)
    assert ops.shipped_seq("less", 1) == 6 and ops.shipped_seq("less", 2) == -1
    assert [one["seq"] for one in await load_ops(store, "less")] == [1, 2, 3, 4, 5, 6]
    assert [info.key async for info in store.list("lessons/less/ops/")] == [
        "lessons/less/ops/e1-00000001.jsonl",
        "lessons/less/ops/e1-00000006.jsonl",
    ]
    ops.forget("less", 1)
    assert ops.shipped_seq("less", 1) == -1
    await ops.stop()
    await store.close()


async def test_ops_wait_for_a_store_that_is_away(tmp_path: Path) -> None:
    store = Moody(tmp_path)
    store.away = True
    ops = OpShipper(store)
    await ops.start()
    ops.add("less", 1, 1, line(op(1)))
    await until(lambda: ops.failing)
    with pytest.raises(ObjectStoreError):
        await load_ops(store, "less")
    ops.add("less", 1, 2, line(op(2)))
    store.away = False
    assert await ops.drain(20)
    assert [one["seq"] for one in await load_ops(store, "less")] == [1, 2]
    await ops.stop()
    await store.close()


async def test_adding_the_journal_again_doubles_nothing(tmp_path: Path) -> None:
    store = Moody(tmp_path)
    for seqs in ((1, 2, 3), (4, 5), (1, 2, 3, 4, 5, 6)):  # the last: a restarted node
        ops = OpShipper(store)
        for seq in seqs:
            ops.add("less", 1, seq, line(op(seq)))
        await ops.ship()
    assert [one["seq"] for one in await load_ops(store, "less")] == [1, 2, 3, 4, 5, 6]
    await store.close()


def test_a_later_epoch_holds_from_its_first_op_on() -> None:
    old = [op(seq) for seq in range(1, 8)]  # 6 and 7 came from a node that had lost the room
    new = [op(6, 2, "epoch", from_seq=6), op(7, 2), op(8, 2)]
    merged = merge_ops([*new, *old])
    assert [(one["epoch"], one["seq"]) for one in merged] == [(1, n) for n in range(1, 6)] + [(2, n) for n in (6, 7, 8)]
