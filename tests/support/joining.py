"""Very many peers that cost little: a node in a child process, told by pipe, and clients that are a socket each.

The child runs what a node runs of the media plane (``Sfu`` behind real sockets) and nothing else; the clients do ICE
and DTLS as a browser does. No SDP: offers and answers are values on the pipe.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import multiprocessing
import os
import random
import select
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aiortc import RTCCertificate

from media.config import MediaConfig
from media.engine import Engine
from media.net.server import open_media
from media.parameters import (
    Fingerprint,
    IceCredentials,
    TransportAnswer,
    TransportConnected,
    TransportLost,
    TransportParameters,
)
from media.sfu import Sfu
from media.transport.certificate import Certificate
from media.transport.srtp import Arena, SrtpKeys, SrtpSession, open_session
from media.wire import stun
from tests.support.media_hall import DtlsClient, audio_slot, client_context, mic, video_slot

ROUTER = "lesson"
_PATIENCE = 20.0


def make_engine(name: str) -> Engine:
    """ "python", or "native" where the C twin was built."""
    if name == "python":
        from media.pyengine import PythonEngine

        return PythonEngine()
    from media.cengine import CEngine, find_native

    return CEngine(find_native())


# --- the child: a node's media plane ---------------------------------------------------------------------------------


class NodeProcess:
    """Obeys the pipe: (verb, arguments...) in, a value out."""

    def __init__(self, sfu: Sfu, port: int) -> None:
        self._sfu, self._port = sfu, port
        self._connected, self._lost = 0, list[str]()

    def do(self, verb: str, *arguments: Any) -> Any:
        return getattr(self, verb)(*arguments)

    def port(self) -> int:
        return self._port

    def join(self, offers: list[tuple[str, IceCredentials, Fingerprint]], slots: int) -> list[TransportAnswer]:
        now = asyncio.get_running_loop().time()
        return [self._join(name, ice, fingerprint, slots, now) for name, ice, fingerprint in offers]

    def _join(
        self, name: str, ice: IceCredentials, fingerprint: Fingerprint, slots: int, now: float
    ) -> TransportAnswer:
        answer = self._sfu.add_transport(ROUTER, name, TransportParameters(ice, (fingerprint,)), now)
        for i in range(slots):  # a third of them for sound
            made = audio_slot(f"{i}", ssrc=2 * i + 1) if i % 3 == 0 else video_slot(f"{i}", ssrc=2 * i + 1)
            self._sfu.add_slot(name, made)
        return answer

    def publish_sound(self, name: str) -> None:
        self._sfu.publish(name, "mic", mic(), asyncio.get_running_loop().time())

    def show_sound(self, name: str) -> None:
        self._sfu.route(name, "0", "mic", asyncio.get_running_loop().time())

    def restart(self, name: str, ice: IceCredentials) -> TransportAnswer:
        return self._sfu.restart_ice(name, ice, asyncio.get_running_loop().time())

    def leave(self, names: list[str]) -> None:
        for name in names:
            self._sfu.remove_transport(name, asyncio.get_running_loop().time())

    def stats(self, name: str) -> Any:
        return next(s for s in self._sfu.stats(ROUTER) if s.transport == name)

    def garbage(self) -> int:
        return self._sfu.engine.garbage

    def connected(self) -> tuple[int, list[str]]:
        """(ever connected, who was ever lost and why)"""
        for event in self._sfu.events():
            self._connected += isinstance(event, TransportConnected)
            if isinstance(event, TransportLost):
                self._lost.append(f"{event.transport}: {event.reason}")
        return self._connected, self._lost

    def cpu(self) -> float:
        return time.process_time()

    def rss_kb(self) -> int:
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


async def _serve(pipe: Connection, engine: str, settings: dict[str, Any]) -> None:
    config = MediaConfig(("127.0.0.1",), 0, max_transports=5000, **settings)
    sfu = Sfu(config, make_engine(engine), Certificate.generate())
    server = await open_media(config, sfu)
    sfu.add_router(ROUTER)
    node, done = NodeProcess(sfu, server.port), asyncio.Event()

    def obey() -> None:
        order = pipe.recv()
        if order is None:
            done.set()
            return
        pipe.send(node.do(*order))

    asyncio.get_running_loop().add_reader(pipe.fileno(), obey)
    await done.wait()
    server.close()


def _main(pipe: Connection, engine: str, settings: dict[str, Any]) -> None:
    asyncio.run(_serve(pipe, engine, settings))


class Node:
    """The child as the parent sees it: ``node.ask("cpu")``."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def ask(self, verb: str, *arguments: Any) -> Any:
        self._pipe.send((verb, *arguments))
        if not self._pipe.poll(_PATIENCE):
            raise TimeoutError(f"the node did not answer {verb}")
        return self._pipe.recv()


@contextlib.contextmanager
def running_node(engine: str = "python", **settings: Any) -> Iterator[Node]:
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    child = context.Process(target=_main, args=(theirs, engine, settings), daemon=True)
    child.start()
    theirs.close()
    try:
        yield Node(ours)
    finally:
        with contextlib.suppress(OSError):
            ours.send(None)
        child.join(10)
        child.kill()


# --- the clients -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identity:
    """One certificate and context for all clients: making one costs more than the join that is measured."""

    certificate: RTCCertificate
    context: Any
    fingerprint: Fingerprint

    @classmethod
    def generate(cls) -> Identity:
        made = RTCCertificate.generateCertificate()
        own = next(f for f in made.getFingerprints() if f.algorithm == "sha-256")
        return cls(made, client_context(made), Fingerprint(own.algorithm, own.value))


class Client:
    """One peer: STUN, then DTLS, then ``srtp``."""

    def __init__(self, name: str, identity: Identity, host: str = "127.0.0.1") -> None:
        self.name, self._host = name, host
        self.ice = IceCredentials(f"u{name}", "p" * 24)
        self.offer = (name, self.ice, identity.fingerprint)
        self.dtls: DtlsClient | None = DtlsClient(shared=(identity.certificate, identity.context))
        self.answer: TransportAnswer | None = None
        self.keys: SrtpKeys | None = None
        self.srtp: SrtpSession | None = None
        self.full = False  # the other side is a full ICE agent
        self._flight: Sequence[bytes] = ()
        self.socket = self._open()
        self.target = ("", 0)

    def _open(self) -> socket.socket:
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((self._host, 0))
        return made

    def begin(self, answer: TransportAnswer, port: int, host: str = "127.0.0.1") -> None:
        self.answer, self.target = answer, (host, port)
        self.socket.connect(self.target)
        self.check()

    def request(self) -> bytes:
        """As Chromium's: priority, role, nomination."""
        assert self.answer is not None
        user = f"{self.answer.ice.ufrag}:{self.ice.ufrag}".encode()
        attributes = [(stun.USERNAME, user), (stun.ICE_CONTROLLING, bytes(8)), (stun.USE_CANDIDATE, b"")]
        attributes.append((stun.PRIORITY, bytes(4)))
        return stun.build(stun.BINDING_REQUEST, os.urandom(12), attributes, self.answer.ice.pwd)

    def check(self) -> None:
        self.socket.send(self.request())

    def roam(self) -> None:
        """Another address, as when a tablet leaves the Wi-Fi."""
        self.socket.close()
        self.socket = self._open()
        self.socket.connect(self.target)

    def read(self) -> list[bytes]:
        """Drains the socket, goes on with the handshake; what is media."""
        media = []
        while True:
            try:
                data = self.socket.recv(2048)
            except (BlockingIOError, ConnectionError):
                return media
            if data[0] <= 3:
                self._on_stun(data)
            elif 20 <= data[0] <= 63:
                self._on_dtls(data)
            else:
                media.append(data)

    def _on_stun(self, data: bytes) -> None:
        if data[:2] == b"\0\1":  # a full agent checks us, too
            self.socket.send(stun.success(stun.parse(data).transaction, *self.target, self.ice.pwd))
        elif self.full:  # and does not hear DTLS before its first keep-alive
            data = b"\1\1" if data[:2] == b"\0\x11" else b""
        if self.dtls is not None and data[:2] == b"\1\1" and self.srtp is None:
            self._send(self.dtls.step())

    def _on_dtls(self, data: bytes) -> None:
        if self.dtls is None:
            return
        self._send(self.dtls.step(data))
        if self.dtls.keys is not None:
            self.keys = self.dtls.keys
            self.srtp = open_session(self.keys, None)
            self.dtls = None

    def _send(self, datagrams: Sequence[bytes]) -> None:
        self._flight = datagrams or self._flight
        for datagram in datagrams:
            self.socket.send(datagram)

    def nudge(self) -> None:
        """Once more what may have come too early; OpenSSL's own timer would wait a second."""
        self._send(self._flight)

    def close(self) -> None:
        self.socket.close()


def join(node: Node, clients: list[Client], slots: int = 2, at_once: int = 32) -> None:
    """Joins all of them, ``at_once`` at a time."""
    port = node.ask("port")
    for begin in range(0, len(clients), at_once):
        batch = clients[begin : begin + at_once]
        answers = node.ask("join", [c.offer for c in batch], slots)
        for client, answer in zip(batch, answers, strict=True):
            client.begin(answer, port)
        settle(batch)


def settle(batch: list[Client]) -> None:
    """Until all of them have keys."""
    poll = select.epoll()
    by_number = {c.socket.fileno(): c for c in batch}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    end = time.monotonic() + _PATIENCE
    while any(c.srtp is None for c in batch):
        if time.monotonic() > end:
            raise TimeoutError("a join did not end")
        ready = poll.poll(0.2)
        for number, _ in ready:
            by_number[number].read()
        for client in batch if not ready else ():
            if client.full and client.srtp is None:
                client.nudge()
    poll.close()


class Idlers:
    """Clients that only live: a check every 2.5 s, a report every second, evenly spread over time."""

    def __init__(self, clients: list[Client], report: bytes) -> None:
        self._clients, self._report = clients, report
        self._arena = Arena(256, None)
        # Nothing forbids a transaction id twice, and the bench should not pay for HMACs.
        self._checks = [c.request() for c in clients]
        chance = random.Random(1)
        self._phases = [chance.random() for _ in clients]

    def live(self, seconds: float, check_every: float = 2.5, report_every: float = 1.0) -> None:
        due: list[tuple[float, int, bool]] = []
        for i, phase in enumerate(self._phases):
            due += [(t, i, False) for t in _times(phase * check_every, check_every, seconds)]
            due += [(t, i, True) for t in _times(phase * report_every, report_every, seconds)]
        started = time.monotonic()
        for at, i, report in sorted(due):
            if (wait := started + at - time.monotonic()) > 0:
                time.sleep(wait)
            client = self._clients[i]
            client.socket.send(self._sealed(client) if report else self._checks[i])
            with contextlib.suppress(BlockingIOError, ConnectionError):
                while client.socket.recv(2048):
                    pass

    def _sealed(self, client: Client) -> bytes:
        assert client.srtp is not None
        self._arena.data[: len(self._report)] = self._report
        return bytes(self._arena.data[: client.srtp.protect_rtcp(self._arena, 0, len(self._report))])


def _times(first: float, every: float, seconds: float) -> list[float]:
    return [first + k * every for k in range(int(seconds / every) + 1) if first + k * every < seconds]
