"""A city's lessons at once: a node's media plane with recorders in a child process, and everybody who takes part.

The child runs what a node runs per packet and per second: ``Sfu`` behind real sockets, upkeep, statistics, and a
recorder with its spool (fsync, upload to a folder, read back) a lesson. The parent plays teachers and rooms: each a
socket that joined by real ICE and DTLS; it sends what browsers send and reads what they would show.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import heapq
import multiprocessing
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from media.config import MediaConfig
from media.net.server import open_media
from media.parameters import Codec, Fingerprint, IceCredentials, TransportAnswer, TransportParameters
from media.record.recorder import Recorder
from media.sfu import Sfu
from media.transport.certificate import Certificate
from media.transport.srtp import Arena
from media.wire import rtcp, rtp
from media.wire.extensions import build
from signaling.net.mediaspool import MediaSpool
from signaling.net.objectstore import FolderStore
from tests.support.fanning import cpu_of, identity
from tests.support.joining import Client, Identity, Node, NodeProcess, make_engine, settle
from tests.support.media_hall import PUB_IDS, SUB_IDS, audio_slot, camera, mic, video_slot

FPS, KEY_EVERY = 20, 40  # frames: a key frame every two seconds, as the recorder and newcomers ask for
LAYERS = (("q", 1, 920), ("h", 3, 1030), ("f", 14, 1110))  # rid, packets a frame, bytes: 0.15 + 0.5 + 2.5 Mbit/s
ROOM_FRAME = (3, 1030)  # 0.5 Mbit/s
VOICE, MUTED = 120, 40  # bytes of 20 ms Opus; a closed microphone sends silence
ROOMS = 3
NO_CC = replace(SUB_IDS, transport_cc=None)  # viewers answer with REMB: this process has no time for arrival times
_SAMPLE = 16
SO_RCVBUFFORCE = 33  # asm-generic/socket.h; Python has no name for it
_VP8 = Codec("video/VP8", 96, 90000, rtx=97)


# --- the child -------------------------------------------------------------------------------------------------------


class CityNode(NodeProcess):
    """Obeys the pipe."""

    def __init__(self, sfu: Sfu, port: int, folder: Path) -> None:
        super().__init__(sfu, port)
        store = FolderStore(folder / "objects")
        self._spool = MediaSpool(folder / "media", store)
        self._spool.on_saved = self._saved
        self._recorders: dict[str, Recorder] = {}
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
        """(resident kB, tasks, open files)"""
        gc.collect()
        self._tasks = [task for task in self._tasks if not task.done()]
        return self.rss_kb(), len(asyncio.all_tasks()), sum(1 for _ in Path("/proc/self/fd").iterdir())

    def _saved(self, key: str) -> None:
        if recorder := self._recorders.get(key.split("/")[1]):
            recorder.saved(key)

    async def _keep(self, items: list[Any]) -> None:
        for item in items:
            await self._spool.put(item.key, item.data, content_type=item.content_type, entry=item.entry)

    async def _pump(self) -> None:
        while True:
            await asyncio.sleep(0.1)
            now = time.monotonic()
            for lesson, recorder in list(self._recorders.items()):
                await self._keep(recorder.take(now))
                for source in recorder.wants_key_frame(now):
                    self._sfu.request_key_frame(f"{lesson}-t/{source}", now)

    async def _count(self) -> None:
        """As the node's loops do: statistics every second, events at once."""
        while True:
            await asyncio.sleep(1.0)
            for lesson in list(self._recorders):
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


# --- what a peer sends -----------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Source:
    """One RTP stream: templates with a hole for what changes."""

    ssrc: int
    payload_type: int
    mid: bytes
    rid: bytes | None
    sequence: int = 0

    def block(self, wide: int) -> bytes:
        items = [(PUB_IDS.abs_send_time or 0, bytes(3)), (PUB_IDS.transport_cc or 0, struct.pack("!H", wide & 0xFFFF))]
        items.append((PUB_IDS.mid or 0, self.mid))
        if self.rid is not None:
            items.append((PUB_IDS.rid or 0, self.rid))
        if self.mid == b"0":
            items.append((PUB_IDS.audio_level or 0, bytes([0x80 | 30])))
        return build(items)


_KEY = bytes([0x10, 0, 0, 0x9D, 0x01, 0x2A]) + struct.pack("<HH", 640, 360)  # RFC 6386 section 9.1
_DELTA = bytes([0x11, 0, 0])


class Sender:
    """One peer: encrypts and sends; payloads end with the moment of sending and whether that moment counts."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._arena = Arena(2048, None)
        self._wide = 0
        self.sent = 0

    def send(self, source: Source, timestamp: int, body: bytes, marker: bool, counts: bool) -> None:
        self._wide += 1
        source.sequence = source.sequence + 1 & 0xFFFF
        payload = body + struct.pack("!d?", time.perf_counter(), counts)
        plain = rtp.build(
            source.payload_type,
            source.sequence,
            timestamp & 0xFFFFFFFF,
            source.ssrc,
            payload,
            marker,
            source.block(self._wide),
        )
        size = len(plain)
        self._arena.data[:size] = plain
        assert self.client.srtp is not None
        size = self.client.srtp.protect(self._arena, 0, size)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self.client.socket.send(memoryview(self._arena.data)[:size])
            self.sent += 1

    def frame(self, source: Source, number: int, packets: int, size: int) -> None:
        """VP8 with 15-bit picture ids (RFC 7741 section 4.2)."""
        key = number % KEY_EVERY == 0
        picture = struct.pack("!H", number & 0x7FFF | 0x8000)
        for at in range(packets):
            head = bytes([0x90 if at == 0 else 0x80, 0x80]) + picture
            start = (_KEY if key else _DELTA) if at == 0 else b""
            body = head + start + bytes(size - len(head) - len(start) - 9)
            self.send(source, number * (90000 // FPS), body, at == packets - 1, not key)

    def report(self, compound: bytes) -> None:
        assert self.client.srtp is not None
        self._arena.data[: len(compound)] = compound
        size = self.client.srtp.protect_rtcp(self._arena, 0, len(compound))
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self.client.socket.send(memoryview(self._arena.data)[:size])


def remb(bits: int) -> bytes:
    """draft-alvestrand-rmcat-remb-03 section 2.2, for every stream."""
    exponent = max(0, bits.bit_length() - 18)
    return struct.pack("!BBHII4sII", 0x8F, 206, 5, 9, 0, b"REMB", 1 << 24 | exponent << 18 | bits >> exponent, 0)


_BLOCK = rtcp.ReportBlock(2, 0, 0, 1000, 20, 0, 0)
VIEWER_REPORT = (
    rtcp.build_receiver_report(rtcp.ReceiverReport(9, (_BLOCK,))) + rtcp.build_cname(9, "c") + remb(20_000_000)
)


# --- who receives ----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Received:
    """One outgoing stream as its viewer sees it, by the numbers that the node gave."""

    count: int = 0
    first: int = -1
    highest: int = -1

    def note(self, sequence: int) -> None:
        self.count += 1
        if self.first < 0:
            self.first = self.highest = sequence
            return
        step = (sequence - self.highest) & 0xFFFF
        if step < 0x8000:
            self.highest += step

    @property
    def lost(self) -> int:
        return self.highest - self.first + 1 - self.count if self.first >= 0 else 0


@dataclass(slots=True)
class Tally:
    """What one stretch came to."""

    seconds: float = 0.0
    cpu: float = 0.0
    own_cpu: float = 0.0
    sent: int = 0
    arrived: int = 0
    lost: int = 0
    delays: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)
    """How late this process was with its own sending: the generator's honesty."""

    def p(self, share: float, of: list[float]) -> float:
        return sorted(of)[min(len(of) - 1, int(share * len(of)))] * 1000 if of else 0.0


class Peer:
    def __init__(self, name: str, own: Identity, teacher: bool, base: int) -> None:
        self.client = Client(name, own)
        for option in (socket.SO_RCVBUF, SO_RCVBUFFORCE):  # the latter where root may go beyond the system's default
            with contextlib.suppress(OSError):
                self.client.socket.setsockopt(socket.SOL_SOCKET, option, 4 << 20)
        self.sender = Sender(self.client)
        self.teacher = teacher
        self.mic = Source(base, 111, b"0", None)
        rids = LAYERS if teacher else ((None, *ROOM_FRAME),)
        self.pictures = [
            (Source(base + 1 + n, 96, b"1", rid.encode() if rid else None), packets, size)
            for n, (rid, packets, size) in enumerate(rids)
        ]
        self.streams: dict[int, Received] = {}
        self.frames = self.sounds = 0
        self._arena = Arena(2048, None)
        self._seen = 0

    def picture(self) -> None:
        for source, packets, size in self.pictures:
            self.sender.frame(source, self.frames, packets, size)
        self.frames += 1

    def sound(self) -> None:
        body = bytes((VOICE if self.teacher else MUTED) - 9)
        self.sender.send(self.mic, self.sounds * 960, body, False, self.teacher)
        self.sounds += 1

    def live(self) -> None:
        self.sender.report(VIEWER_REPORT)
        self.client.check()

    def drain(self, buffer: bytearray, tally: Tally) -> None:
        receive, streams = self.client.socket.recv_into, self.streams
        while True:
            try:
                size = receive(buffer)
            except (BlockingIOError, ConnectionError):
                return
            if buffer[0] >> 6 != 2 or 192 <= buffer[1] <= 223:
                continue
            tally.arrived += 1
            ssrc = int.from_bytes(buffer[8:12], "big")
            stream = streams.get(ssrc)
            if stream is None:
                stream = streams[ssrc] = Received()
            stream.note(buffer[2] << 8 | buffer[3])
            self._seen += 1
            if self._seen % _SAMPLE == 0:
                self._sample(buffer, size, tally)

    def _sample(self, buffer: bytearray, size: int, tally: Tally) -> None:
        now = time.perf_counter()
        assert self.client.srtp is not None
        self._arena.data[:size] = buffer[:size]
        size = self.client.srtp.unprotect(self._arena, size)
        if size < 21:
            return
        moment, counts = struct.unpack("!d?", bytes(self._arena.data[size - 9 : size]))
        if counts and 0 <= now - moment < 60:
            tally.delays.append(now - moment)


# --- lessons ---------------------------------------------------------------------------------------------------------


class Lesson:
    def __init__(self, node: Node, name: str, own: Identity) -> None:
        self.name = name
        self.peers = [
            Peer(f"{name}-t", own, True, 1000),
            *(Peer(f"{name}-r{n}", own, False, 2000) for n in range(ROOMS)),
        ]
        clients = [peer.client for peer in self.peers]
        answers = node.ask("enter", name, [client.offer for client in clients])
        port = node.ask("port")
        for client, answer in zip(clients, answers, strict=True):
            client.begin(answer, port)
        settle(clients)
        node.ask("begin", name, clients[0].name, [client.name for client in clients[1:]])

    def end(self, node: Node) -> None:
        node.ask("end", self.name)
        for peer in self.peers:
            peer.client.socket.close()


class City:
    """``run`` plays all lessons for some seconds, one loop, no thread."""

    def __init__(self, node: Node, pid: int) -> None:
        self.node, self.pid = node, pid
        self._own = identity()
        self.lessons: list[Lesson] = []
        self._buffer = bytearray(2048)
        self._names = 0

    def grow(self, lessons: int) -> None:
        while len(self.lessons) < lessons:
            self._names += 1
            self.lessons.append(Lesson(self.node, f"L{self._names}", self._own))

    def replace_one(self) -> None:
        """The oldest lesson is over, the next class comes."""
        self.lessons.pop(0).end(self.node)
        self.grow(len(self.lessons) + 1)

    def run(self, seconds: float) -> Tally:
        tally, peers = Tally(), [peer for lesson in self.lessons for peer in lesson.peers]
        for peer in peers:
            peer.streams.clear()
        before = sum(peer.sender.sent for peer in peers)
        cpu, own, started = cpu_of(self.pid), time.process_time(), time.perf_counter()
        self._play(peers, seconds, tally)
        tally.seconds = time.perf_counter() - started
        tally.own_cpu, tally.cpu = time.process_time() - own, cpu_of(self.pid) - cpu
        end = time.perf_counter() + 0.3
        while time.perf_counter() < end:
            self._drain(peers, tally)
            time.sleep(0.002)
        tally.sent = sum(peer.sender.sent for peer in peers) - before
        tally.lost = sum(stream.lost for peer in peers for stream in peer.streams.values())
        return tally

    def _play(self, peers: list[Peer], seconds: float, tally: Tally) -> None:
        clock = time.perf_counter
        start = clock()
        due = list(_schedule(peers, start))
        heapq.heapify(due)
        drained = start
        while due[0][0] < start + seconds:
            at, number, every, act = due[0]
            now = clock()
            if now - drained > 0.001:
                self._drain(peers, tally)
                drained = clock()
            if now < at:
                time.sleep(min(0.0005, at - now))
                continue
            tally.late.append(now - at)
            act()
            heapq.heapreplace(due, (at + every, number, every, act))

    def _drain(self, peers: list[Peer], tally: Tally) -> None:
        buffer = self._buffer
        for peer in peers:
            peer.drain(buffer, tally)


def _schedule(peers: list[Peer], start: float) -> Iterator[tuple[float, int, float, Any]]:
    """Everybody in a phase of their own."""
    for n, peer in enumerate(peers):
        phase = (n * 0.618) % 1
        yield start + phase / FPS, 3 * n, 1 / FPS, peer.picture
        yield start + phase * 0.02, 3 * n + 1, 0.02, peer.sound
        yield start + phase, 3 * n + 2, 1.0, peer.live
