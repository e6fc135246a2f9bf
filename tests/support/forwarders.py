"""Our node as a forwarder that ``tests/bench/fanout.py`` measures: Python twin, C twin, C twin without ciphers.

Rule: the whole media plane runs (upkeep, reports, history, statistics, pacing); only the estimator is kept from
thinning what the bench counts: no village line carries 40 Mbit/s to a viewer.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from media.cengine import CEngine, find_native
from media.config import MediaConfig
from media.engine import Detail, Engine
from media.net.server import open_media
from media.pyengine import PythonEngine
from media.sfu import Sfu
from media.transport.certificate import Certificate
from media.transport.srtp import SrtpKeys
from tests.support import native
from tests.support.fanning import SSRC
from tests.support.joining import ROUTER, Client, Identity, Node, NodeProcess, join
from tests.support.media_hall import camera, video_slot

NULL_WITH_TAG = 9  # native/srtp.h, where TONGTANG_FLOOR is defined
_PACE = 1e9  # bits a second: the pacer works, and holds nothing back
_STATISTICS_EVERY = 2.0  # as heartbeats ask


class FloorEngine(CEngine):
    """Everything but ciphers."""

    def set_keys(self, peer: int, keys: SrtpKeys) -> None:
        self._core.set_keys(peer, NULL_WITH_TAG, keys.receive, keys.send)


def make_engine(name: str, floor: str) -> Engine:
    """``floor``: where the extension without ciphers was built."""
    if name == "python":
        return PythonEngine()
    if name == "native":
        return CEngine(find_native())
    module = native.load(Path(floor))
    assert module.load_crypto("libcrypto.so.3")
    return FloorEngine(module)


def let_all_pass(engine: Any) -> None:
    """What steering asks for is done at full rate and full detail."""
    pace, limit = engine.pace, engine.set_detail
    engine.pace = lambda peer, bits: pace(peer, _PACE)
    engine.set_detail = lambda link, detail: limit(link, Detail.ALL)
    engine.probe = lambda link, size, now: 0


class _Child(NodeProcess):
    def show(self, teacher: str, rooms: list[str], paced: bool) -> int:
        now = asyncio.get_running_loop().time()
        track = camera(mid="0", ssrcs=(SSRC,), rtx_ssrcs=())
        self._sfu.publish(teacher, "camera", track, now)
        for i, room in enumerate(rooms):
            self._sfu.add_slot(room, video_slot("v", ssrc=1000 + 2 * i, rtx_ssrc=1001 + 2 * i))
            self._sfu.route(room, "v", "camera", now)
            if paced:  # these rooms send no feedback that would begin it
                self._sfu.engine.pace(self._sfu._registry.transports[room].peer, _PACE)
        return os.getpid()


async def _serve(pipe: Connection, name: str, floor: str) -> None:
    config = MediaConfig(("127.0.0.1",), 0, tcp=False, silence_s=3600)
    engine = make_engine(name, floor)
    let_all_pass(engine)
    sfu = Sfu(config, engine, Certificate.generate())
    server = await open_media(config, sfu)
    sfu.add_router(ROUTER)
    loop, node, done = asyncio.get_running_loop(), _Child(sfu, server.port), asyncio.Event()

    def obey() -> None:
        order = pipe.recv()
        if order is None:
            done.set()
        else:
            pipe.send(node.do(*order))

    def count() -> None:
        sfu.stats(ROUTER)
        sfu.events()
        loop.call_later(_STATISTICS_EVERY, count)

    loop.add_reader(pipe.fileno(), obey)
    count()
    await done.wait()
    server.close()


def _main(pipe: Connection, name: str, floor: str) -> None:
    asyncio.run(_serve(pipe, name, floor))


class Ours:
    """``name``: "python", "native", "floor"."""

    def __init__(self, name: str, rooms: int, identity: Identity, floor: str = "", paced: bool = True) -> None:
        self.name, self.sealed = name, name != "floor"
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_main, args=(theirs, name, floor), daemon=True)
        self._process.start()
        theirs.close()
        self.teacher = Client("teacher", identity)
        self.rooms = [Client(f"room{i}", identity) for i in range(rooms)]
        node = Node(self._pipe)
        join(node, [self.teacher, *self.rooms], slots=0)
        self.pid: int = node.ask("show", "teacher", [c.name for c in self.rooms], paced)

    def close(self) -> None:
        self._process.kill()
        self._process.join(10)
        for client in (self.teacher, *self.rooms):
            client.socket.close()
