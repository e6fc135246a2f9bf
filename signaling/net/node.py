"""All rooms of one node: opened by the web, recovered from the spool or from what another node shipped, ended.

A room that was here before comes back in its epoch with everything that was durable; one that comes from elsewhere
comes with what was shipped, and its log says from which op on (kind "epoch").
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from media.parameters import MediaEvent
from signaling.clock import RoomClock
from signaling.counting import facts_of
from signaling.facts import Fact, FactKind
from signaling.live import LiveRoom
from signaling.log import RoomLog
from signaling.messages import RoomReport, RoomSpec
from signaling.net.erasing import blank_erased, erased_later
from signaling.net.factspool import FactSpool
from signaling.net.host import RoomHost, World
from signaling.net.journal import JournalFile
from signaling.net.mediaspool import MediaSpool
from signaling.net.moves import Moves
from signaling.net.outlets import Outlets
from signaling.net.plane import Plane
from signaling.net.recording import RoomRecording, spooled_until
from signaling.net.roomlog import load_log
from signaling.net.shipper import OpShipper
from signaling.ops import HANDOVER, Entry, encode, last_spec, read_log
from signaling.ports import ObjectMissingError, ObjectStore, ObjectStoreError

log = logging.getLogger("tongtang.node")

LESSON_ID = re.compile(r"^[A-Za-z0-9_-]{1,64}$")
"""Also a file's name and part of an object's key."""
TICK_SECONDS = 0.25
PUMP_SECONDS = 0.1
SAVED_SECONDS = 1.0
EVENTS_SECONDS = 0.02
"""A connected transport gets its tracks so late at most."""
DRAIN_SECONDS = 20.0
ERASE = b'"chat.erase"'
"""A journal without it has nothing to take out of the store; most rooms'."""


class StaleEpochError(Exception):
    """Somebody speaks of an older epoch than ours."""


class Node:
    def __init__(self, plane: Plane, store: ObjectStore, media: MediaSpool, facts: FactSpool, folder: Path) -> None:
        self.outlets = Outlets()
        self.lives: dict[str, LiveRoom] = {}
        """What sessions look rooms up in."""
        self.plane, self.store, self.media, self.facts = plane, store, media, facts
        self.ops = OpShipper(store)
        self.moves = Moves(self)
        self.draining = False
        """About to stop: the heartbeat says so, and the web puts no room here."""
        self._folder = folder
        self._hosts: dict[str, RoomHost] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._facts: asyncio.Queue[tuple[Fact, ...]] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []
        self._last_alive_ms = self._read_alive()
        self._spooled: dict[tuple[str, int], int] = {}
        media.on_saved = self._saved

    # --- life -----------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self._spooled = spooled_until(self._folder / "media")
        await self.media.start()
        await self.ops.start()
        loops = (self._count_loop(), self._event_loop(), self._tick_loop(), self._pump_loop(), self._alive_loop())
        self._tasks = [asyncio.create_task(one) for one in loops]
        await self.recover()

    async def stop(self) -> None:
        """SIGTERM: everybody is told, everything in hand is made durable."""
        for host in list(self._hosts.values()):
            host.do(host.live.close("shutdown", time.monotonic()))
        for host in list(self._hosts.values()):
            async with self._lock(host.live.lesson):
                await self._put_away(host)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while not self._facts.empty():
            await self.facts.put(self._facts.get_nowait())
        with suppress(ObjectStoreError):
            await self.ops.ship()
        await self.ops.stop()
        await self.media.drain(3.0)
        await self.media.stop()

    def _read_alive(self) -> int | None:
        try:
            return int((self._folder / "alive").read_text())
        except (OSError, ValueError):
            return None

    # --- rooms ----------------------------------------------------------------------------------------------------

    def _path(self, lesson: str) -> Path:
        return self._folder / "rooms" / f"{lesson}.jsonl"

    async def recover(self) -> None:
        """Every room this node had when it died, without asking anybody."""
        for path in sorted((self._folder / "rooms").glob("*.jsonl")):
            try:
                found = last_spec(read_log(path.read_bytes().split(b"\n")))
            except (OSError, ValidationError, KeyError) as error:
                log.warning("%s cannot be read: %s", path.name, error)
                continue
            if found is not None:
                await self.open(found[0])

    async def open(self, spec: RoomSpec) -> LiveRoom:
        """Idempotent; raises StaleEpochError for an older epoch than the one held here."""
        async with self._lock(spec.lesson):
            host = self._hosts.get(spec.lesson)
            if host is not None and spec.epoch < host.live.epoch:
                raise StaleEpochError
            if host is not None and spec.epoch == host.live.epoch and not host.live.over:
                host.do(host.live.specify(spec, time.monotonic()))
                return host.live
            if host is not None:
                host.do(host.live.close("epoch", time.monotonic()))
                await self._put_away(host)
            return await self._open(spec)

    async def _open(self, spec: RoomSpec) -> LiveRoom:
        journal, entries = await load_log(self._path(spec.lesson), self.store, spec.lesson, spec.epoch)
        held = max((entry.op.epoch for entry in entries), default=0)
        if spec.epoch < held:
            await journal.close()
            raise StaleEpochError
        now = time.monotonic()
        known = last_spec(entries)
        held_spec = known[0] if known and held == spec.epoch else spec
        live = LiveRoom(held_spec, _clock(entries, now), RoomLog.replay(spec.epoch, entries))
        host = self._host(live, journal)
        self._recovered(live, entries)
        self.plane.add_router(spec.lesson)
        self._hosts[spec.lesson], self.lives[spec.lesson] = host, live
        host.do([*live.opened(held, now), *live.specify(spec, now)])
        if held:
            await self._mark_gap(host, held, entries[-1].op.kind == HANDOVER)
        return live

    def _host(self, live: LiveRoom, journal: JournalFile) -> RoomHost:
        def note(kind: FactKind, data: dict[str, Any]) -> None:
            host.do([live.counter.fact(kind, data, time.monotonic())])

        world = World(self.outlets, self.plane, self.ops, self._count)
        host = RoomHost(live, journal, world, RoomRecording(live, self.plane, self.media, note), self._dispose)
        return host

    def _recovered(self, live: LiveRoom, entries: list[Entry]) -> None:
        """Ops and facts of this epoch go out once more: whoever has them already counts them once."""
        for entry in entries:
            if entry.op.epoch == live.epoch:
                self.ops.add(live.lesson, entry.op.epoch, entry.op.seq, encode(entry))
        facts = facts_of([entry.op for entry in entries], live.lesson, live.clock.zero_at_ms)
        self._count([fact for fact in facts if fact.epoch == live.epoch])

    async def _mark_gap(self, host: RoomHost, held: int, handed_over: bool) -> None:
        """What was not recorded while nobody had the room: from the last fragment that is safe; if none, the last
        sign of life. A node that handed the room over records until its last publisher has left.
        """
        live = host.live
        if not live.log.head.recording.on:
            return
        if handed_over:
            host.recording.missing_since(live.clock.base_ms, "moved")
            return
        since = max(self._spooled.get((live.lesson, held), -1), await self._stored_until(live.lesson, held))
        if since < 0 and self._last_alive_ms is not None:
            since = self._last_alive_ms - live.clock.zero_at_ms
        if 0 <= since < live.clock.base_ms:
            host.recording.missing_since(since, "node")

    async def _stored_until(self, lesson: str, epoch: int) -> int:
        with suppress(ObjectMissingError, ObjectStoreError, ValueError, KeyError):
            return int(json.loads(await self.store.get(f"lessons/{lesson}/e{epoch}/manifest.json"))["saved_ms"])
        return -1

    async def close(self, lesson: str, reason: str, epoch: int | None = None) -> bool:
        """False when there is no such room. A room of another epoch than the one meant is left alone."""
        host = self._hosts.get(lesson)
        if host is None:
            return False
        if epoch is not None and epoch < host.live.epoch:
            raise StaleEpochError
        host.do(host.live.close(reason, time.monotonic()))
        return True

    async def hand_over(self, lesson: str, epoch: int) -> int | None:
        """None when there is no such room; StaleEpochError when another epoch is meant, HandoverError when not now."""
        async with self._lock(lesson):
            host = self._hosts.get(lesson)
            if host is None or host.live.over:
                return None
            if host.live.epoch != epoch:
                raise StaleEpochError
            return await self.moves.hand_over(host)

    async def moved(self, epochs: Mapping[str, int]) -> None:
        """What the web said in answer to a heartbeat."""
        for lesson, host in list(self._hosts.items()):
            if epochs.get(lesson, 0) > host.live.epoch and not host.live.over:
                if host.live.held and self.moves.gone(lesson, epochs[lesson]):
                    continue
                log.warning("%s moved to epoch %d", lesson, epochs[lesson])
                host.do(host.live.close("epoch", time.monotonic()))

    def revoke(self, lesson: str, seat: str) -> bool:
        host = self._hosts.get(lesson)
        if host is not None:
            host.do(host.live.revoke(seat, time.monotonic()))
        return host is not None

    async def _dispose(self, host: RoomHost) -> None:
        """The room is over. Its journal goes once all of it is in the store; till then a restart finds it again."""
        lesson, epoch = host.live.lesson, host.live.epoch
        async with self._lock(lesson):
            await self._put_away(host)
        shipped = await self.ops.drain(DRAIN_SECONDS)
        async with self._lock(lesson):  # somebody may open the room anew at this moment
            if shipped and lesson not in self._hosts and await self._without_erased(lesson, epoch):
                self.ops.forget(lesson, epoch)
                self._path(lesson).unlink(missing_ok=True)

    async def _without_erased(self, lesson: str, epoch: int) -> bool:
        """False when the store cannot be asked: then the journal stays, as if nothing had been shipped."""
        try:
            if ERASE in self._path(lesson).read_bytes() or await erased_later(self.store, lesson):
                await blank_erased(self.store, lesson, epoch)
        except (OSError, ObjectMissingError, ObjectStoreError) as error:  # also a chunk that goes while it is read
            log.warning("%s: erased words are still in the store: %s", lesson, error)
            return False
        return True

    def _lock(self, lesson: str) -> asyncio.Lock:
        """One change of a room's place in this node at a time."""
        return self._locks.setdefault(lesson, asyncio.Lock())

    async def _put_away(self, host: RoomHost) -> None:
        lesson = host.live.lesson
        if self._hosts.get(lesson) is not host:
            return
        del self._hosts[lesson], self.lives[lesson]
        await host.stop()
        await host.recording.close()
        self.plane.remove_router(lesson, time.monotonic())
        await host.journal.close()

    def now(self) -> float:
        return time.monotonic()

    def host(self, lesson: str) -> RoomHost | None:
        return self._hosts.get(lesson)

    def reports(self) -> list[RoomReport]:
        return [
            RoomReport(
                lesson=lesson,
                epoch=host.live.epoch,
                phase=host.live.log.state.phase,
                people=len(host.live.lobby.people),
                saved_ms=host.recording.saved_ms,
                stalled=self._stalled(host),
            )
            for lesson, host in self._hosts.items()
        ]

    # --- loops ----------------------------------------------------------------------------------------------------

    def _count(self, facts: Sequence[Fact]) -> None:
        if facts:
            self._facts.put_nowait(tuple(facts))

    async def _count_loop(self) -> None:
        while True:
            facts = list(await self._facts.get())
            while not self._facts.empty():
                facts += self._facts.get_nowait()
            await self.facts.put(facts)

    async def _event_loop(self) -> None:
        while True:
            await asyncio.sleep(EVENTS_SECONDS)
            for event in self.plane.events():
                if host := self._hosts.get(event.router):
                    _guard(host, partial(self._media, host, event))

    def _media(self, host: RoomHost, event: MediaEvent, now: float) -> None:
        host.do(host.live.media(event, now))

    async def _turns(self, seconds: float) -> AsyncIterator[RoomHost]:
        """Each room once in so many seconds, one after another: all at once would make every packet wait."""
        while True:
            hosts = list(self._hosts.items())
            for lesson, host in hosts:
                if self._hosts.get(lesson) is host:
                    yield host
                await asyncio.sleep(seconds / len(hosts))
            if not hosts:
                await asyncio.sleep(seconds)

    async def _tick_loop(self) -> None:
        async for host in self._turns(TICK_SECONDS):
            _guard(host, partial(self._tick, host))

    def _tick(self, host: RoomHost, now: float) -> None:
        live = host.live
        if live.over:
            return
        say = now - host.said_at >= SAVED_SECONDS
        stats = tuple(self.plane.stats(live.lesson)) if say else ()
        host.do(live.tick(now, stats))
        if say:
            host.said_at = now
            host.seen.look(live.lobby.people, stats, live.clock.at_ms(now), now)
        if say and live.log.state.recording.t:  # also after the close, until everything is in the store
            host.do(live.saved(host.recording.saved_ms, self._stalled(host)))

    async def _alive_loop(self) -> None:
        while True:
            await asyncio.sleep(TICK_SECONDS)
            self.moves.tick(time.monotonic())
            self._write_alive()

    def _stalled(self, host: RoomHost) -> bool:
        """Something of this room is in memory only, or the object store is away."""
        return host.recording.stalled or host.journal.stalled or self.facts.stalled

    async def _pump_loop(self) -> None:
        async for host in self._turns(PUMP_SECONDS):
            try:
                await host.recording.pump()
            except Exception:
                log.exception("%s: recording", host.live.lesson)

    def _write_alive(self) -> None:
        """No fsync: it tells a restarted process since when nothing was recorded."""
        with suppress(OSError):
            (self._folder / "alive").write_text(str(time.time_ns() // 1_000_000))

    def _saved(self, key: str) -> None:
        parts = key.split("/")
        host = self._hosts.get(parts[1]) if len(parts) > 2 else None
        if host is not None and parts[2] == f"e{host.live.epoch}":
            host.recording.saved(key)


def _guard(host: RoomHost, turn: Callable[[float], None]) -> None:
    """A bug of ours in one room must not stop the others."""
    try:
        turn(time.monotonic())
    except Exception:
        log.exception("%s: in a turn of the node's loop", host.live.lesson)


def _clock(entries: list[Entry], now: float) -> RoomClock:
    at_ms = time.time_ns() // 1_000_000
    found = last_spec(entries)
    if found is None:
        return RoomClock.fresh(at_ms, now)
    return RoomClock.continued(found[1], max(entry.op.t for entry in entries), at_ms, now)
