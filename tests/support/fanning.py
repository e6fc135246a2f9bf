"""One teacher, N rooms, and whoever forwards between them: the load of the benches ``fanout`` and ``added-latency``.

This process plays teacher and rooms over sockets that joined by real ICE and DTLS; the forwarder is a child. Rule: the
same packets, sockets and rates for every forwarder, so that only what forwards differs. The rooms' sockets are read on
a timer and never slept on: a forwarder is not billed for waking its receiver.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from aiortc import RTCCertificate

from media.parameters import Fingerprint
from media.transport.srtp import Arena
from media.wire import rtcp, rtp
from media.wire.extensions import build
from tests.support.joining import Client, Identity
from tests.support.media_hall import client_context

PAYLOAD = 1100
BURST = 8  # packets of a frame
SSRC = 0x1234
KEY_EVERY = 50  # frames
_TICK = 0.0005
_LATE = 0.003
_SETTLE = 0.1
_CHECK_EVERY, _REPORT_EVERY = 2.5, 1.0  # browsers' consent checks and receiver reports
_BUFFER = 8 << 20
_SO_TIMESTAMPNS = 35  # asm-generic/socket.h: when the kernel gave a packet to its socket
_TIMESPEC = struct.Struct("@qq")
IDS = {"mid": 4, "abs_send_time": 2, "transport_cc": 3}


def identity() -> Identity:
    """A certificate that offers AES-GCM alone: nobody is measured with another cipher."""
    made = RTCCertificate.generateCertificate()
    own = next(f for f in made.getFingerprints() if f.algorithm == "sha-256")
    context = client_context(made, b"SRTP_AEAD_AES_128_GCM")
    return Identity(made, context, Fingerprint(own.algorithm, own.value))


class Forwarder(Protocol):
    """A media server in a process of its own, with teacher and rooms joined."""

    name: str
    pid: int
    teacher: Client
    rooms: list[Client]
    sealed: bool  # False: ciphers are left out, packets carry an empty tag

    def close(self) -> None: ...


@dataclass(slots=True)
class Run:
    """What one run came to. ``cpu``: seconds of the forwarder; ``delays``: seconds, where asked for."""

    cpu: float
    passed: float
    sent: int
    arrived: int
    verified: int
    delays: list[float] = field(default_factory=list)

    @property
    def us(self) -> float:
        return self.cpu / max(1, self.arrived) * 1e6


def cpu_of(pid: int) -> float:
    """Seconds on a processor, user and system, of all threads, in nanoseconds' precision."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with contextlib.suppress(OSError):
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


class Load:
    """Teacher and rooms of one forwarder; numbers go on from run to run. ``watched``: so many rooms are read, and the
    sockets of the others hold nothing: load for the forwarder that this process does not feel."""

    def __init__(self, forwarder: Forwarder, watched: int | None = None) -> None:
        self.forwarder = forwarder
        self._watched = forwarder.rooms[:watched]
        self._number = 0
        self._arena = Arena(4096, None)
        for client in (forwarder.teacher, *forwarder.rooms):
            seen = client is forwarder.teacher or client in self._watched
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER if seen else 1)
        self._buffer = bytearray(2048)
        self._seen = [0] * len(self._watched)
        self._sent_at: dict[int, float] = {}
        for room in self._watched:
            room.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)

    # --- packets -----------------------------------------------------------------------------------------------------

    def _packets(self, count: int, per_second: float) -> list[bytes]:
        """Encrypted beforehand: the generator's own cost stays out of the run."""
        made = []
        for _ in range(count):
            self._number += 1
            made.append(self._seal(packet(self._number, per_second)))
        return made

    def _seal(self, plain: bytes) -> bytes:
        srtp = self.forwarder.teacher.srtp
        if not self.forwarder.sealed or srtp is None:
            return plain + bytes(16)
        self._arena.data[: len(plain)] = plain
        return bytes(self._arena.data[: srtp.protect(self._arena, 0, len(plain))])

    # --- a run -------------------------------------------------------------------------------------------------------

    def run(self, rate: int, seconds: float, delays: bool = False) -> Run:
        """``rate``: packets a second in. The forwarder alone is awake meanwhile. ``delays``: of one packet in 16, from
        our system call to the kernel's stamp at the room's socket, which the forwarder's own sending sets."""
        self._sent_at.clear()
        warm, packets = self._packets(BURST * 4, rate), self._packets(round(rate * seconds / BURST) * BURST, rate)
        os.kill(self.forwarder.pid, signal.SIGCONT)
        self._play(warm, rate, None)
        time.sleep(_SETTLE)
        self._drain(None)
        began, started = cpu_of(self.forwarder.pid), time.perf_counter()
        done = Run(0.0, 0.0, len(packets), 0, 0)
        self._play(packets, rate, done, delays)
        done.passed = time.perf_counter() - started
        time.sleep(_SETTLE)
        self._drain(done, delays)
        done.cpu = cpu_of(self.forwarder.pid) - began
        os.kill(self.forwarder.pid, signal.SIGSTOP)
        return done

    def _play(self, packets: list[bytes], rate: int, done: Run | None, delays: bool = False) -> None:
        send, clock = self.forwarder.teacher.socket.send, time.perf_counter
        started = clock()
        upkeep = self._upkeep(len(packets) / rate)
        next_at, act = next(upkeep)
        drained = started
        for at in range(0, len(packets), BURST):
            due = started + at / rate
            if clock() - drained > _LATE:  # this process is behind: the rooms must be read all the same
                self._drain(done, delays)
                drained = clock()
            while (now := clock()) < due:
                while now - started >= next_at:
                    act()
                    next_at, act = next(upkeep)
                self._drain(done, delays)
                drained = clock()
                time.sleep(min(_TICK, max(0.0, due - clock())))
            for place, packet in enumerate(packets[at : at + BURST]):
                if delays:
                    self._sent_at[self._number - len(packets) + at + place + 1] = time.time()
                with contextlib.suppress(BlockingIOError, ConnectionError):
                    send(packet)
        self._drain(done, delays)

    def _drain(self, done: Run | None, delays: bool = False) -> None:
        buffer = self._buffer
        for place, room in enumerate(self._watched):
            receive, arrival = room.socket.recv_into, 0.0
            while True:
                try:
                    if delays:
                        size, arrival = _stamped(room.socket, buffer)
                    else:
                        size = receive(buffer)
                except (BlockingIOError, ConnectionError):
                    break
                if done is None or buffer[0] >> 6 != 2 or 192 <= buffer[1] <= 223:
                    continue
                done.arrived += 1
                self._seen[place] += 1
                if self._seen[place] % 16 == 0:
                    done.verified += 1
                    number = self._verify(room, size)
                    if delays and number in self._sent_at:
                        done.delays.append(arrival - self._sent_at[number])

    def _verify(self, room: Client, size: int) -> int:
        """The number that ``packet`` wrote into it."""
        if self.forwarder.sealed:
            assert room.srtp is not None
            self._arena.data[:size] = self._buffer[:size]
            size = room.srtp.unprotect(self._arena, size)
            assert size, "a forwarded packet is not authentic"
            plain = bytes(self._arena.data[:size])
        else:
            plain = bytes(self._buffer[: size - 16])
        head = rtp.parse(plain)
        body = plain[head.payload_at : head.payload_end]
        assert len(body) == PAYLOAD and body[-900:] == bytes(900), "a forwarded packet is not what was sent"
        return int.from_bytes(body[5:9], "big")

    # --- what browsers do beside --------------------------------------------------------------------------------------

    def _upkeep(self, seconds: float) -> Iterator[tuple[float, Callable[[], None]]]:
        """Checks and reports of all peers, evenly spread."""
        due: list[tuple[float, int, bool]] = []
        peers = [self.forwarder.teacher, *self.forwarder.rooms]
        for i in range(len(peers)):
            for every, report in ((_CHECK_EVERY, False), (_REPORT_EVERY, True)):
                phase = every * (i + 0.5) / len(peers)
                due += [(phase + k * every, i, report) for k in range(int(seconds / every) + 1)]
        for at, i, report in sorted(due):
            yield at, lambda i=i, report=report: self._live(peers[i], i == 0, report)  # type: ignore[misc]
        yield float("inf"), lambda: None

    def _live(self, peer: Client, teacher: bool, report: bool) -> None:
        with contextlib.suppress(BlockingIOError, ConnectionError):
            if not report:
                peer.socket.send(peer.request())
            elif self.forwarder.sealed and peer.srtp is not None:
                compound = _sender_report(self._number) if teacher else _RECEIVER_REPORT
                self._arena.data[: len(compound)] = compound
                size = peer.srtp.protect_rtcp(self._arena, 0, len(compound))
                peer.socket.send(bytes(self._arena.data[:size]))


def _stamped(sock: socket.socket, buffer: bytearray) -> tuple[int, float]:
    size, ancillary, _, _ = sock.recvmsg_into((buffer,), 64)
    seconds, nanoseconds = _TIMESPEC.unpack_from(ancillary[0][2])
    return size, seconds + nanoseconds * 1e-9


_RECEIVER_REPORT = rtcp.build_receiver_report(
    rtcp.ReceiverReport(9, (rtcp.ReportBlock(1, 0, 0, 1000, 20, 0, 0),))
) + rtcp.build_cname(9, "bench")


def _sender_report(number: int) -> bytes:
    ntp = int((time.time() + 2208988800.0) * 2**32)
    report = rtcp.SenderReport(SSRC, ntp, number * 90 & 0xFFFFFFFF, number, number * PAYLOAD)
    return rtcp.build_sender_report(report) + rtcp.build_cname(SSRC, "bench")


def packet(number: int, per_second: float) -> bytes:
    """As a browser's: mid, abs-send-time and transport-cc, then VP8 with a picture id."""
    frame, place = divmod(number - 1, BURST)
    block = build([(IDS["mid"], b"0"), (IDS["abs_send_time"], bytes(3)), (IDS["transport_cc"], _two(number))])
    inter = frame % KEY_EVERY != 0
    descriptor = bytes([0x90 if place == 0 else 0x80, 0x80]) + _two(frame & 0x7FFF | 0x8000) + bytes([inter])
    payload = descriptor + number.to_bytes(4, "big") + bytes(PAYLOAD - 9)
    timestamp = round(frame * BURST * 90000 / per_second)
    return rtp.build(96, number, timestamp, SSRC, payload, place == BURST - 1, block)


def _two(number: int) -> bytes:
    return (number & 0xFFFF).to_bytes(2, "big")
