"""Carries out the effects of one live room, in order: journal, sockets, media plane, recorder, facts.

The room itself is pure (``signaling/live.py``); this is its body. Ops go to the journal in batches as long as one
fsync takes, and only then back to the room, which broadcasts them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from media.errors import MediaError, ResourceError
from media.parameters import IceCredentials, TransportAnswer
from signaling.effects import (
    Append,
    Close,
    Count,
    Dispose,
    Effect,
    Negotiate,
    Record,
    RemoveTransport,
    Route,
    Seal,
    Send,
)
from signaling.facts import Fact
from signaling.live import LiveRoom
from signaling.messages import Answer
from signaling.net.outlets import Outlets
from signaling.net.plane import Plane
from signaling.net.recording import RoomRecording
from signaling.ops import Entry, encode
from signaling.ports import Journal
from signaling.sdp.answer import describe
from signaling.sdp.write import write
from signaling.seen import Seen

log = logging.getLogger("tongtang.node")

SETTLE_SECONDS = 0.01
"""A look at the log while it is being written: an fsync takes about so long."""


class OpSink(Protocol):
    """``signaling.net.shipper.OpShipper``."""

    def add(self, lesson: str, epoch: int, seq: int, record: bytes) -> None: ...


class OpenJournal(Journal, Protocol):
    @property
    def stalled(self) -> bool: ...
    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class World:
    """What all rooms of a node share."""

    outlets: Outlets
    plane: Plane
    ops: OpSink
    count: Callable[[Sequence[Fact]], None]


class RoomHost:
    def __init__(
        self,
        live: LiveRoom,
        journal: OpenJournal,
        world: World,
        recording: RoomRecording,
        over: Callable[[RoomHost], Coroutine[Any, Any, None]],
    ) -> None:
        self.live = live
        self.journal = journal
        self.recording = recording
        self._world = world
        self._over = over
        self._pending: list[Entry] = []
        self._news = asyncio.Event()
        self._answers: dict[str, TransportAnswer] = {}
        self.seen = Seen()
        self.said_at = 0.0
        """When the room last heard of its statistics and of what is saved."""
        self._writer = asyncio.create_task(self._write())
        self._ending: asyncio.Task[None] | None = None

    # --- effects --------------------------------------------------------------------------------------------------

    def do(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            self._one(effect)

    def _one(self, effect: Effect) -> None:
        now = time.monotonic()
        plane = self._world.plane
        match effect:
            case Send():
                self._world.outlets.send(effect.connections, effect.message)
            case Close():
                self._world.outlets.close(effect.connection, effect.code)
            case Append():
                self._pending += effect.entries
                self._news.set()
            case Count():
                self._world.count(effect.facts)
            case Negotiate():
                self._negotiate(effect, now)
            case RemoveTransport():
                self._answers.pop(effect.transport, None)
                plane.remove_transport(effect.transport, now)
            case Route():
                self._route(effect, now)
            case Record():
                self.recording.record(effect)
            case Seal():
                self.recording.seal()
            case Dispose():
                if effect.reason != "shutdown":  # then the node itself puts all rooms away, and finds them again
                    self._ending = self._ending or asyncio.create_task(self._over(self))

    def _negotiate(self, effect: Negotiate, now: float) -> None:
        try:
            answer = self._media(effect, now)
        except MediaError as error:
            code = "media_full" if isinstance(error, ResourceError) else "media"
            log.warning("%s: %s refused: %s", self.live.lesson, effect.transport, error)
            self.do(self.live.refused(effect.transport, effect.connection, effect.request, code, now))
            return
        self._answers[effect.transport] = answer
        sdp = write(describe(effect.offer, effect.accepted, answer, _session_id(now)))
        self._world.outlets.send((effect.connection,), Answer(id=effect.request, pc=effect.pc, sdp=sdp))

    def _media(self, effect: Negotiate, now: float) -> TransportAnswer:
        plane, transport = self._world.plane, effect.transport
        if effect.kind == "new":
            answer = plane.add_transport(self.live.lesson, transport, effect.parameters, now)
        elif effect.kind == "ice":
            answer = plane.restart_ice(transport, effect.parameters.ice, now)
        else:
            answer = self._answers[transport]
        for track in effect.unpublish:
            plane.unpublish(track, now)
        for track, parameters in effect.publish:
            plane.publish(transport, track, parameters, now)
        for slot in effect.slots:
            plane.add_slot(transport, slot)
        return answer

    def restart(self, transport: str, ice: IceCredentials, now: float) -> TransportAnswer:
        """For a session over HTTP; raises what the media plane raises."""
        self._answers[transport] = self._world.plane.restart_ice(transport, ice, now)
        return self._answers[transport]

    def _route(self, effect: Route, now: float) -> None:
        try:
            self._world.plane.route(effect.transport, effect.mid, effect.track, now)
        except MediaError as error:
            # A slot without the track's codec stays dark; the others go on.
            log.warning("%s: %s %s: %s", self.live.lesson, effect.transport, effect.mid, error)

    # --- the log --------------------------------------------------------------------------------------------------

    async def _write(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            batch, self._pending = tuple(self._pending), []
            await self._commit(batch)

    async def _commit(self, batch: tuple[Entry, ...]) -> None:
        if not batch:
            return
        records = [encode(entry) for entry in batch]
        await self.journal.append(records)
        for entry, record in zip(batch, records, strict=True):
            self._world.ops.add(self.live.lesson, entry.op.epoch, entry.op.seq, record)
        try:
            self.do(self.live.durable(batch, time.monotonic()))
        except Exception:  # our fault; the room goes on with what it has
            log.exception("%s: after op %d", self.live.lesson, batch[-1].op.seq)

    async def settle(self) -> None:
        """Until everything decided so far is on disk and on its way to the store."""
        while True:
            if self.live.log.state.seq >= self.live.log.head.seq:
                return
            await asyncio.sleep(SETTLE_SECONDS)

    async def stop(self) -> None:
        """Write what is decided, then no more."""
        self._writer.cancel()
        with suppress(asyncio.CancelledError):
            await self._writer
        while self._pending:
            batch, self._pending = tuple(self._pending), []
            await self._commit(batch)


def _session_id(now: float) -> int:
    """RFC 8866 section 5.2: numeric; grows with every answer."""
    return int(now * 1000) + 1
