"""The node of ``tests/bench/city.py`` as a child process: what a node runs per packet and per second, told by pipe.

``Sfu`` behind real sockets, upkeep, statistics, and a recorder with its spool (fsync, upload to a folder, read back) a
lesson. No signalling: who enters and what is shown are orders on the pipe.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import multiprocessing
import shutil
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from media.config import MediaConfig
from media.net.server import open_media
from media.parameters import Codec, Fingerprint, IceCredentials, TransportAnswer, TransportParameters
from media.record.manifest import lesson_prefix
from media.record.recorder import Recorder
from media.sfu import Sfu
from media.transport.certificate import Certificate
from signaling.net.mediaspool import MediaSpool
from signaling.net.node import PUMP_SECONDS, SAVED_SECONDS
from signaling.net.objectstore import FolderStore
from tests.support.joining import Node, NodeProcess, make_engine
from tests.support.media_hall import SUB_IDS, audio_slot, camera, mic, video_slot

LAYERS = (("q", 1, 920), ("h", 3, 1030), ("f", 14, 1110))  # rid, packets a frame, bytes: 0.15 + 0.5 + 2.5 Mbit/s
NO_CC = replace(SUB_IDS, transport_cc=None)  # viewers answer with REMB: their player has no time for arrival times
_VP8 = Codec("video/VP8", 96, 90000, rtx=97)


class CityNode(NodeProcess):
    """Obeys the pipe."""

    def __init__(self, sfu: Sfu, port: int, folder: Path) -> None:
        super().__init__(sfu, port)
        store = FolderStore(folder / "objects")
        self._spool = MediaSpool(folder / "media", store)
        self._spool.on_saved = self._saved
        self._recorders: dict[str, Recorder] = {}
        self._objects, self._over = folder / "objects", ""
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self._spool.start()
        self._tasks = [asyncio.create_task(self._pump()), asyncio.create_task(self._count())]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self._spool.stop()

    def enter(self, lesson: str, offers: list[tuple[str, IceCredentials, Fingerprint]]) -> list[TransportAnswer]:
        now = asyncio.get_running_loop().time()
        self._sfu.add_router(lesson)
        return [
            self._sfu.add_transport(lesson, name, TransportParameters(ice, (print_,)), now)
            for name, ice, print_ in offers
        ]

    def begin(self, lesson: str, teacher: str, rooms: list[str]) -> None:
        """Publishes, routes and records as ``stage.py`` and ``recording.py`` would."""
        now, sfu = asyncio.get_running_loop().time(), self._sfu
        sfu.publish(teacher, f"{teacher}/mic", mic(ssrcs=()), now)
        rids = tuple(rid for rid, _, _ in LAYERS)
        sfu.publish(teacher, f"{teacher}/camera", camera(ssrcs=(), rtx_ssrcs=(), rids=rids, codec=_VP8), now)
        for n, room in enumerate(rooms):
            sfu.publish(room, f"{room}/mic", mic(ssrcs=()), now)
            sfu.publish(room, f"{room}/camera", camera(ssrcs=(), rtx_ssrcs=(), codec=_VP8), now)
            sfu.add_slot(room, audio_slot("a", ssrc=1, extensions=NO_CC))
            sfu.add_slot(room, video_slot("v", ssrc=2, rtx_ssrc=3, extensions=NO_CC))
            sfu.route(room, "a", f"{teacher}/mic", now)
            sfu.route(room, "v", f"{teacher}/camera", now)
            sfu.add_slot(teacher, video_slot(f"v{n}", ssrc=10 + 2 * n, rtx_ssrc=11 + 2 * n, extensions=NO_CC))
            sfu.route(teacher, f"v{n}", f"{room}/camera", now)
        recorder = self._recorders[lesson] = Recorder(lesson, 1, time.time_ns() // 1_000_000)
        recorder.set_origin(time.monotonic())
        for source, codec in (("mic", mic().codec), ("camera", _VP8)):
            sfu.record(f"{teacher}/{source}", recorder.add_track(source, source, codec))

    def end(self, lesson: str) -> None:
        now = asyncio.get_running_loop().time()
        self._sfu.remove_router(lesson, now)
        if recorder := self._recorders.pop(lesson, None):
            self._tasks.append(asyncio.create_task(self._keep(recorder.close(now))))
            self._forget(lesson)

    def _forget(self, lesson: str) -> None:
        """What the lesson before this one recorded: a soak of hours would fill the disk."""
        if self._over:
            shutil.rmtree(self._objects / lesson_prefix(self._over, 1), ignore_errors=True)
        self._over = lesson

    def recorded(self) -> int:
        """Room ms of the least recorded lesson that are in the store."""
        return min((one.saved_ms for one in self._recorders.values()), default=0)

    def qualities(self) -> dict[str, int]:
        """How many slots of pictures get which layer."""
        found: dict[str, int] = {}
        for lesson in self._recorders:
            for one in self._sfu.stats(lesson):
                for slot in one.slots:
                    if slot.kind == "video":
                        found[slot.quality] = found.get(slot.quality, 0) + 1
        return found

    def held(self) -> tuple[int, int, int]:
        """(resident kB, tasks, open files). What malloc keeps free for later is nobody's: it comes and goes."""
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL(None).malloc_trim(0)
        self._tasks = [task for task in self._tasks if not task.done()]
        return self.rss_kb(), len(asyncio.all_tasks()), sum(1 for _ in Path("/proc/self/fd").iterdir())

    def _saved(self, key: str) -> None:
        if recorder := self._recorders.get(key.split("/")[1]):
            recorder.saved(key)

    async def _keep(self, items: list[Any]) -> None:
        for item in items:
            await self._spool.put(item.key, item.data, content_type=item.content_type, entry=item.entry)

    async def _turns(self, seconds: float) -> AsyncIterator[str]:
        """As the node does: each lesson once in so many seconds, one after another."""
        while True:
            lessons = list(self._recorders)
            for lesson in lessons:
                if lesson in self._recorders:
                    yield lesson
                await asyncio.sleep(seconds / len(lessons))
            if not lessons:
                await asyncio.sleep(seconds)

    async def _pump(self) -> None:
        async for lesson in self._turns(PUMP_SECONDS):
            now, recorder = time.monotonic(), self._recorders[lesson]
            await self._keep(recorder.take(now))
            for source in recorder.wants_key_frame(now):
                self._sfu.request_key_frame(f"{lesson}-t/{source}", now)

    async def _count(self) -> None:
        async for lesson in self._turns(SAVED_SECONDS):
            self._sfu.stats(lesson)
            self._sfu.events()


async def _serve(pipe: Connection, engine: str, folder: str) -> None:
    config = MediaConfig(("127.0.0.1",), 0, tcp=False, silence_s=30)
    sfu = Sfu(config, make_engine(engine), Certificate.generate())
    server = await open_media(config, sfu)
    node, done = CityNode(sfu, server.port, Path(folder)), asyncio.Event()
    await node.start()

    def obey() -> None:
        order = pipe.recv()
        if order is None:
            done.set()
        else:
            pipe.send(node.do(*order))

    asyncio.get_running_loop().add_reader(pipe.fileno(), obey)
    await done.wait()
    await node.stop()
    server.close()


def _main(pipe: Connection, engine: str, folder: str) -> None:
    asyncio.run(_serve(pipe, engine, folder))


@contextlib.contextmanager
def city_node(engine: str, folder: Path) -> Iterator[tuple[Node, int]]:
    """The child and its process id."""
    ours, theirs = multiprocessing.Pipe()
    child = multiprocessing.get_context("spawn").Process(target=_main, args=(theirs, engine, str(folder)), daemon=True)
    child.start()
    theirs.close()
    try:
        yield Node(ours), child.pid or 0
    finally:
        with contextlib.suppress(OSError):
            ours.send(None)
        child.join(10)
        child.kill()
