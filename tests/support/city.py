"""A city's lessons at once: teachers and rooms as ``tests/bench/city.py`` plays them against ``city_node.py``.

Each is a socket that joined by real ICE and DTLS; it sends what browsers send and reads what they would show.
"""

from __future__ import annotations

import contextlib
import heapq
import select
import socket
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from media.transport.srtp import Arena, SrtpSession, find_binding, open_session
from media.wire import rtcp, rtp
from media.wire.extensions import build, elements
from tests.support.city_node import LAYERS
from tests.support.fanning import cpu_of, identity
from tests.support.joining import Client, Identity, Node, settle
from tests.support.media_hall import PUB_IDS

FPS, KEY_SECONDS = 20, 2  # as often as the recorder and newcomers ask for key frames
STEP = 0.0005  # seconds that the generator sleeps at most, and by which it tells moments apart
ROOM_FRAME = (3, 1030)  # 0.5 Mbit/s
VOICE, MUTED = 120, 40  # bytes of 20 ms Opus; a closed microphone sends silence
ROOMS = 3
_SAMPLE = 16
SO_RCVBUFFORCE = 33  # asm-generic/socket.h; Python has no name for it


# --- what a peer sends -----------------------------------------------------------------------------------------------


_NUMBERS, _WIDE, _MOMENT = struct.Struct("!HI"), struct.Struct("!H"), struct.Struct("!d?")
_UDP_SEGMENT = 103  # linux/udp.h
_BINDING = find_binding()  # this process must play a city on one core: packets are encrypted where they lie


@dataclass(frozen=True, slots=True)
class Shape:
    """A plain packet with holes; where its transport-wide number and its payload are."""

    plain: bytes
    wide_at: int
    payload_at: int


@dataclass(slots=True)
class Source:
    """One RTP stream."""

    ssrc: int
    payload_type: int
    mid: bytes
    rid: bytes | None
    sequence: int = 0
    _shapes: dict[tuple[int, bool], Shape] = field(default_factory=dict)

    def shape(self, size: int, marker: bool) -> Shape:
        """``size``: of the payload."""
        found = self._shapes.get((size, marker))
        if found is None:
            wide = PUB_IDS.transport_cc or 0
            items = [(PUB_IDS.abs_send_time or 0, bytes(3)), (wide, bytes(2)), (PUB_IDS.mid or 0, self.mid)]
            if self.rid is not None:
                items.append((PUB_IDS.rid or 0, self.rid))
            if self.mid == b"0":
                items.append((PUB_IDS.audio_level or 0, bytes([0x80 | 30])))
            plain = rtp.build(self.payload_type, 0, 0, self.ssrc, bytes(size), marker, build(items))
            head = rtp.parse(plain)
            places = {i: at for i, at, _ in elements(plain, head.profile, head.extension_at, head.extension_end)}
            found = self._shapes[size, marker] = Shape(plain, places[wide], head.payload_at)
        return found


_KEY = bytes([0x10, 0, 0, 0x9D, 0x01, 0x2A]) + struct.pack("<HH", 640, 360)  # RFC 6386 section 9.1
_DELTA = bytes([0x11, 0, 0])


class Sender:
    """One peer: encrypts and sends; payloads end with the moment of sending and whether that moment counts."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._arena = Arena(32 * 1024, _BINDING)
        self._data = memoryview(self._arena.data)
        self._srtp: SrtpSession | None = None
        self._wide = 0
        self.sent = 0

    @property
    def srtp(self) -> SrtpSession:
        """One session for all that it sends: RTCP is numbered."""
        if self._srtp is None:
            assert self.client.keys is not None
            self._srtp = open_session(self.client.keys, _BINDING)
        return self._srtp

    def send(
        self, source: Source, timestamp: int, starts: Sequence[bytes], size: int, marker: bool, counts: bool
    ) -> None:
        """A packet for each of ``starts``, which its payload of ``size`` bytes begins with; the last has the marker."""
        data, arena, protect, at, last = self._data, self._arena, self.srtp.protect, 0, len(starts) - 1
        moment = _MOMENT.pack(time.perf_counter(), counts)
        sealed = 0
        for place, start in enumerate(starts):
            self._wide += 1
            source.sequence = source.sequence + 1 & 0xFFFF
            shape = source.shape(size, marker and place == last)
            plain = shape.plain
            end = at + len(plain)
            data[at:end] = plain
            _NUMBERS.pack_into(data, at + 2, source.sequence, timestamp & 0xFFFFFFFF)
            _WIDE.pack_into(data, at + shape.wide_at, self._wide & 0xFFFF)
            begin = at + shape.payload_at
            data[begin : begin + len(start)] = start
            data[end - len(moment) : end] = moment
            sealed = protect(arena, at, len(plain))
            at += sealed
        segments = [(socket.IPPROTO_UDP, _UDP_SEGMENT, struct.pack("@H", sealed))] if last else []
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self.client.socket.sendmsg([data[:at]], segments)
            self.sent += len(starts)

    def frame(self, source: Source, number: int, packets: int, size: int, fps: int) -> None:
        """VP8 with 15-bit picture ids (RFC 7741 section 4.2)."""
        key = number % (KEY_SECONDS * fps) == 0
        picture = struct.pack("!H", number & 0x7FFF | 0x8000)
        first = b"\x90\x80" + picture + (_KEY if key else _DELTA)
        starts = [first] + [b"\x80\x80" + picture] * (packets - 1)
        self.send(source, number * (90000 // fps), starts, size, True, not key)

    def report(self, compound: bytes) -> None:
        self._data[: len(compound)] = compound
        size = self.srtp.protect_rtcp(self._arena, 0, len(compound))
        with contextlib.suppress(BlockingIOError, ConnectionError):
            self.client.socket.send(self._data[:size])


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
    def __init__(self, name: str, own: Identity, teacher: bool, base: int, fps: int) -> None:
        self.client = Client(name, own)
        self.fps = fps
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
            self.sender.frame(source, self.frames, packets, size, self.fps)
        self.frames += 1

    def sound(self) -> None:
        size = VOICE if self.teacher else MUTED
        self.sender.send(self.mic, self.sounds * 960, (b"",), size, False, self.teacher)
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
    def __init__(self, node: Node, name: str, own: Identity, fps: int) -> None:
        self.name = name
        self.peers = [
            Peer(f"{name}-t", own, True, 1000, fps),
            *(Peer(f"{name}-r{n}", own, False, 2000, fps) for n in range(ROOMS)),
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
    """``run`` plays all lessons for some seconds, one loop, no thread. With few ``fps`` and long ``step``s it is gentle
    to what runs beside it."""

    def __init__(self, node: Node, pid: int, fps: int = FPS, step: float = STEP) -> None:
        self.node, self.pid = node, pid
        self._fps, self._step = fps, step
        self._own = identity()
        self.lessons: list[Lesson] = []
        self._buffer = bytearray(2048)
        self._names = 0
        self._ready = select.epoll()
        self._by_number: dict[int, Peer] = {}

    def grow(self, lessons: int) -> None:
        while len(self.lessons) < lessons:
            self._names += 1
            self.lessons.append(Lesson(self.node, f"L{self._names}", self._own, self._fps))
            for peer in self.lessons[-1].peers:
                number = peer.client.socket.fileno()
                self._by_number[number] = peer
                self._ready.register(number, select.EPOLLIN)

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
            self._drain(tally)
            time.sleep(0.002)
        tally.sent = sum(peer.sender.sent for peer in peers) - before
        tally.lost = sum(stream.lost for peer in peers for stream in peer.streams.values())
        return tally

    def _play(self, peers: list[Peer], seconds: float, tally: Tally) -> None:
        clock = time.perf_counter
        start = clock()
        due = list(_schedule(peers, start, self._step))
        heapq.heapify(due)
        drained = start
        while due[0][0] < start + seconds:
            at, number, every, act = due[0]
            now = clock()
            if now - drained > 0.001:
                self._drain(tally)
                drained = clock()
            if now < at:
                time.sleep(min(self._step, at - now))
                continue
            tally.late.append(now - at)
            act()
            heapq.heapreplace(due, (at + every, number, every, act))

    def _drain(self, tally: Tally) -> None:
        """A closed socket leaves the poll by itself."""
        buffer = self._buffer
        for number, _ in self._ready.poll(0):
            self._by_number[number].drain(buffer, tally)


def _schedule(peers: list[Peer], start: float, step: float) -> Iterator[tuple[float, int, float, Any]]:
    """Everybody in a phase of their own, as far as ``step`` tells them apart."""
    for n, peer in enumerate(peers):
        phase = (n * 0.618) % 1
        due = (
            (phase / peer.fps, 1 / peer.fps, peer.picture),
            (phase * 0.02, 0.02, peer.sound),
            (phase, 1.0, peer.live),
        )
        for place, (after, every, act) in enumerate(due):
            yield start + round(after / step) * step, 3 * n + place, every, act
