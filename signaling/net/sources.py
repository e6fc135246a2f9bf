"""Keeps one child process (``fetcher.py``) for each camera of each live room, for as long as the room lives here."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
import time
from collections import Counter
from dataclasses import dataclass, field, replace

from signaling.messages import RoomSpec, SourceOrder
from signaling.net.child import end
from signaling.net.node import Node
from signaling.outside import seat_of
from signaling.seats import issue
from signaling.session import Keys
from signaling.sources import Patience

log = logging.getLogger("tongtang.sources")

Place = tuple[str, str]
"""(lesson, room)"""
LOOK_SECONDS = 1.0


@dataclass(slots=True)
class Kept:
    order: SourceOrder
    epoch: int
    task: asyncio.Task[None] | None = None
    state: str = "starting"
    """As the child last said: "sending", or why it waits."""
    patience: Patience = field(default_factory=Patience)


class SourceKeeper:
    """``whip`` is this node's own WHIP address, known once it listens; ``local``: also addresses of this machine."""

    def __init__(self, node: Node, keys: Keys, local: bool) -> None:
        self._node, self._keys, self._local = node, keys, local
        self._kept: dict[Place, Kept] = {}
        self._looking: asyncio.Task[None] | None = None
        self.whip = ""
        self.restarts = 0
        """Of children that ended by themselves, since this process began."""

    def set(self, lesson: str, epoch: int, orders: list[SourceOrder]) -> None:
        """Exactly these from now on."""
        wanted = {(lesson, one.room): one for one in orders}
        for place, kept in list(self._kept.items()):
            if place[0] == lesson and (kept.order, kept.epoch) != (wanted.get(place), epoch):
                self._stop(place)
        for place, order in wanted.items():
            if place not in self._kept:
                kept = self._kept[place] = Kept(order, epoch)
                kept.task = asyncio.create_task(self._keep(place, kept))
        if self._kept and self._looking is None:
            self._looking = asyncio.create_task(self._look())

    def states(self, lesson: str) -> dict[str, str]:
        """By classroom: "starting", "sending", "ended", "restarting", or what is wrong (``sources.why``)."""
        return {place[1]: kept.state for place, kept in self._kept.items() if place[0] == lesson}

    def counts(self) -> Counter[str]:
        """Cameras of all rooms by state."""
        return Counter(kept.state for kept in self._kept.values())

    async def close(self) -> None:
        tasks = [kept.task for kept in self._kept.values() if kept.task] + ([self._looking] if self._looking else [])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._kept.clear()

    def _stop(self, place: Place) -> None:
        kept = self._kept.pop(place)
        if kept.task is not None:
            kept.task.cancel()

    async def _look(self) -> None:
        """Rooms that are over, or went elsewhere, need nothing fetched."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for place, kept in list(self._kept.items()):
                room = self._node.lives.get(place[0])
                over = room is None or room.epoch != kept.epoch or room.log.state.phase == "closed"
                if over or self._node.moves.left(place[0]):  # some cameras serve one at a time
                    self._stop(place)

    async def _keep(self, place: Place, kept: Kept) -> None:
        """One child after another: a demuxer that dies of a broken stream takes only itself along."""
        while True:
            began = time.monotonic()
            await self._child(place, kept)
            kept.state = "restarting"
            await asyncio.sleep(kept.patience.after(time.monotonic() - began))
            self.restarts += 1

    async def _child(self, place: Place, kept: Kept) -> None:
        room = self._node.lives.get(place[0])
        token = self._token(room.spec, kept) if room else None
        if token is None:
            return
        order = {
            "whip": f"{self.whip}/{place[0]}",
            "token": token,
            "address": kept.order.address,
            "secret": kept.order.secret,
            "local": self._local,
        }
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "signaling.net.fetcher",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(json.dumps(order).encode() + b"\n")
            async for line in child.stdout:
                self._heard(place, kept, line)
        finally:
            await end(child)

    def _heard(self, place: Place, kept: Kept, line: bytes) -> None:
        with contextlib.suppress(ValueError, AttributeError):
            said = json.loads(line)
            state = said.get("why", said["state"])
            if state != kept.state:
                log.info("%s: camera of %s: %s", *place, state)
            kept.state = state

    def _token(self, spec: RoomSpec, kept: Kept) -> str | None:
        """A seat beside that of an encoder with a key, so that neither puts the other out."""
        place = next((one for one in spec.rooms if one.id == kept.order.room), None)
        if place is None:
            return None
        seat = seat_of(spec, kept.epoch, place, self._keys.node, int(time.time()))
        return issue(replace(seat, id=f"s-{place.id}"), self._keys.own)
