"""All rooms of one node: opened, kept, ended, brought back; with a null media plane and real spools."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from signaling.messages import Intent, RoomSpec
from signaling.net.factspool import FactSpool
from signaling.net.host import RoomHost
from signaling.net.mediaspool import MediaSpool
from signaling.net.node import Node, StaleEpochError
from signaling.net.objectstore import FolderStore
from tests.support.nullplane import NullPlane
from tests.support.signaling import make_seat, make_spec, until


@asynccontextmanager
async def running(folder: Path) -> AsyncIterator[Node]:
    store, facts = FolderStore(folder / "objects"), FactSpool(folder / "spool" / "facts")
    node = Node(NullPlane(), store, MediaSpool(folder / "spool" / "media", store), facts, folder / "spool")
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


def say(node: Node, kind: str, **body: Any) -> None:
    """The teacher, who enters if she is not there, wants something."""
    host, now = host_of(node), time.monotonic()
    if host.live.lobby.of("c") is None:
        seat = make_seat("teacher", epoch=host.live.epoch)
        host.do(host.live.join("c", seat, "d", None, "resume", now))
    host.do(host.live.intent("c", Intent(type="do", id=secrets.token_hex(8), kind=kind, body=body), now))


async def open_and_begin(node: Node, spec: RoomSpec) -> None:
    live = await node.open(spec)
    say(node, "lesson.open")
    await until(lambda: live.log.state.phase == "live" and live.log.state.recording.on)


async def test_opening_is_idempotent_and_an_older_epoch_is_refused(tmp_path: Path) -> None:
    async with running(tmp_path) as node:
        first = await node.open(make_spec(epoch=2))
        assert await node.open(make_spec(epoch=2)) is first and node.lives["L1"] is first
        with pytest.raises(StaleEpochError):
            await node.open(make_spec(epoch=1))
        with pytest.raises(StaleEpochError):
            await node.close("L1", "moved", 1)
        assert await node.close("L9", "moved") is False
        (report,) = node.reports()
        assert (report.lesson, report.epoch, report.phase, report.people) == ("L1", 2, "waiting", 0)


async def test_many_askers_at_once_open_one_room(tmp_path: Path) -> None:
    async with running(tmp_path) as node:
        rooms = await asyncio.gather(*(node.open(make_spec()) for _ in range(8)))
        assert len({id(room) for room in rooms}) == 1


async def test_a_higher_epoch_here_goes_on_with_the_same_state(tmp_path: Path) -> None:
    async with running(tmp_path) as node:
        await open_and_begin(node, make_spec())
        old = host_of(node)
        live = await node.open(make_spec(epoch=2))
        assert old.live.over and live.epoch == 2 and live.log.state.phase == "live"
        await until(lambda: live.log.state.epoch == 2)
        say(node, "lesson.close")
        await until(lambda: live.log.state.phase == "closed")


async def test_a_room_that_ended_leaves_its_journal_only_until_it_is_shipped(tmp_path: Path) -> None:
    async with running(tmp_path) as node:
        await open_and_begin(node, make_spec())
        journal = tmp_path / "spool" / "rooms" / "L1.jsonl"
        assert journal.exists()
        await node.close("L1", "cancelled")
        await until(lambda: not journal.exists())
        assert node.lives == {} and list((tmp_path / "objects" / "lessons" / "L1" / "ops").glob("*.jsonl"))
        # Asked for once more it is the same room, not a fresh one.
        again = await node.open(make_spec())
        assert again.log.state.phase == "live" and again.epoch == 1


async def test_closed_and_opened_in_the_same_moment(tmp_path: Path) -> None:
    """Putting away and opening must not meet in one journal."""
    async with running(tmp_path) as node:
        await open_and_begin(node, make_spec())
        for _ in range(5):
            await node.close("L1", "moved")
            live = await node.open(make_spec())
            assert live.log.state.phase == "live" and not live.over


async def test_a_stopped_node_finds_its_rooms_again(tmp_path: Path) -> None:
    async with running(tmp_path) as node:
        await open_and_begin(node, make_spec())
        zero = host_of(node).live.clock.zero_at_ms
    async with running(tmp_path) as node:
        live = node.lives["L1"]
        assert live.log.state.phase == "live" and live.clock.zero_at_ms == zero
        # Facts of ops go out once more; the ledger knows their ids.
        await until(lambda: any(fact["kind"] == "LessonOpened" for fact in node.facts.batch(500).facts))


async def test_rooms_that_moved_are_let_go(tmp_path: Path) -> None:
    async with running(tmp_path) as node:
        await node.open(make_spec())
        await node.moved({"L1": 1, "L2": 5})
        assert "L1" in node.lives
        await node.moved({"L1": 2})
        await until(lambda: "L1" not in node.lives)


async def test_an_unreadable_journal_stops_nobody_else(tmp_path: Path) -> None:
    rooms = tmp_path / "spool" / "rooms"
    rooms.mkdir(parents=True)
    (rooms / "bad.jsonl").write_bytes(b'{"seq":1,"epoch":1,"t":0,"kind":"room","by":"node","body":{},"v":1}\n')
    (rooms / "noise.jsonl").write_bytes(b"\x00\xff" * 40)
    async with running(tmp_path) as node:
        assert node.lives == {}
        await node.open(make_spec())
