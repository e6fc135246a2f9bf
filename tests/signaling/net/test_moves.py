"""A room goes from one node to another on command: held, shipped, taken up, told; or it goes on where it was."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from signaling.messages import Intent
from signaling.net import moves
from signaling.net.factspool import FactSpool
from signaling.net.host import RoomHost
from signaling.net.mediaspool import MediaSpool
from signaling.net.moves import HandoverError
from signaling.net.node import Node, StaleEpochError
from signaling.net.objectstore import FolderStore
from signaling.net.outlets import RequestOutlet
from signaling.ports import ObjectStoreError
from tests.support.nullplane import NullPlane
from tests.support.signaling import make_seat, make_spec, until


class Heard(RequestOutlet):
    """A socket that keeps what it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.types: list[str] = []
        self.closed = False

    def send(self, message: object, text: str) -> None:
        self.types.append(message.type)  # type: ignore[attr-defined]

    def close(self, code: int) -> None:
        self.closed = True


@asynccontextmanager
async def running(folder: Path, objects: Path) -> AsyncIterator[Node]:
    store, facts = FolderStore(objects), FactSpool(folder / "facts")
    node = Node(NullPlane(), store, MediaSpool(folder / "media", store), facts, folder)
    await node.start()
    try:
        yield node
    finally:
        await node.stop()
        await facts.close()


def host_of(node: Node) -> RoomHost:
    host = node.host("L1")
    assert host is not None
    return host


def enter(node: Node, outlet: Heard | None = None) -> Heard:
    outlet = outlet or Heard()
    host = host_of(node)
    node.outlets.add("c", outlet)
    seat = make_seat("teacher", epoch=host.live.epoch)
    host.do(host.live.join("c", seat, "d", None, "resume", time.monotonic()))
    return outlet


def wish(node: Node, kind: str, id_: str | None = None, **body: object) -> None:
    host = host_of(node)
    host.do(host.live.intent("c", Intent(type="do", id=id_ or kind, kind=kind, body=body), time.monotonic()))


async def begin(node: Node) -> Heard:
    live = await node.open(make_spec())
    heard = enter(node)
    wish(node, "lesson.open")
    wish(node, "chat.say", text="你们好")
    await until(lambda: live.log.state.chat and live.log.state.recording.on)
    return heard


async def test_state_log_and_clock_go_with_the_room(tmp_path: Path) -> None:
    async with (
        running(tmp_path / "a", tmp_path / "objects") as a,
        running(tmp_path / "b", tmp_path / "objects") as b,
    ):
        heard = await begin(a)
        seq = await a.hand_over("L1", 1)
        wish(a, "chat.say", "late", text="搬家的时候说的")
        assert heard.types[-1] != "done", "nothing is promised any more"
        live = await b.open(make_spec(epoch=2))
        assert live.log.state.phase == "live" and [line.text for line in live.log.state.chat] == ["你们好"]
        assert abs(live.clock.room_ms(time.monotonic()) - host_of(a).live.clock.room_ms(time.monotonic())) < 1000
        assert a.moves.gone("L1", 2)
        assert heard.types[-1] == "moved" and not heard.closed
        # The page joins there, and repeats what was not answered, under the same id.
        enter(b)
        wish(b, "chat.say", "late", text="搬家的时候说的")
        await until(lambda: len(live.log.state.chat) == 2)
        kinds = [op.kind for op in live.log.tail]
        assert kinds.index("handover") < kinds.index("epoch")
        assert live.log.tail[kinds.index("handover")].seq == seq
        # It let the old connection fall: the old room is over without waiting.
        host = host_of(a)
        host.do(host.live.lost("c", time.monotonic()))
        await until(lambda: "L1" not in a.lives, 5)


async def test_who_stays_is_put_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "LINGER_SECONDS", 0.2)
    async with running(tmp_path / "a", tmp_path / "objects") as a:
        heard = await begin(a)
        await a.hand_over("L1", 1)
        a.moves.gone("L1", 2)
        await until(lambda: "L1" not in a.lives, 5)
        assert heard.types[-1] == "closed" and heard.closed


async def test_without_a_taker_it_goes_on_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moves, "HOLD_SECONDS", 0.2)
    async with running(tmp_path / "a", tmp_path / "objects") as a:
        await begin(a)
        await a.hand_over("L1", 1)
        live = host_of(a).live
        await until(lambda: not live.held, 5)
        wish(a, "chat.say", "again", text="还在这里")
        await until(lambda: len(live.log.state.chat) == 2)
        assert not a.moves.gone("L1", 2)


async def test_a_web_that_died_in_between_is_made_up_for_by_the_heartbeat(tmp_path: Path) -> None:
    async with running(tmp_path / "a", tmp_path / "objects") as a:
        heard = await begin(a)
        await a.hand_over("L1", 1)
        await a.moved({"L1": 2})
        assert heard.types[-1] == "moved" and "L1" in a.lives


async def test_a_store_that_is_away_keeps_the_room_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(tmp_path / "a", tmp_path / "objects") as a:
        await begin(a)

        async def refuse() -> None:
            raise ObjectStoreError

        monkeypatch.setattr(a.ops, "ship", refuse)
        with pytest.raises(HandoverError):
            await a.hand_over("L1", 1)
        assert not host_of(a).live.held
        with pytest.raises(StaleEpochError):
            await a.hand_over("L1", 7)
        assert await a.hand_over("L9", 1) is None
        monkeypatch.undo()
