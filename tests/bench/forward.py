"""What a forwarded packet costs: the Python engine against the obvious design (asyncio datagrams, copying pylibsrtp).

One teacher, N rooms on loopback; a child process plays them all: it sends encrypted frames in bursts of eight and
drains the rooms' sockets, decrypting one packet in 16. Cost = CPU of the forwarding process / packets that arrived. The
designs take turns, so that a noisy machine hurts all. Prints a table; the last line is JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import resource
import socket
import statistics
import struct
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import pylibsrtp
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket

from media.engine import LinkConfig, StreamConfig
from media.net.udp import UdpPort
from media.parameters import Codec, Extensions
from media.pyengine import PythonEngine
from media.transport.srtp import PROFILES, SrtpKeys, SrtpProfile
from media.wire import rtp
from media.wire.extensions import build

PAYLOAD = 1100
BURST = 8
SSRC = 0x1234
GCM = PROFILES[b"SRTP_AEAD_AES_128_GCM"]
IDS = Extensions(mid=4, abs_send_time=2, transport_cc=3)
VP8 = Codec("video/VP8", 96, 90000, rtx=97)
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
Address = tuple[str, int]


def keys(profile: SrtpProfile, number: int) -> SrtpKeys:
    """The server's view of peer ``number``'s keys."""
    one = bytes((number * 7 + i) & 0xFF for i in range(profile.key_length + profile.salt_length))
    other = bytes(b ^ 0xFF for b in one)
    return SrtpKeys(profile, receive=one, send=other)


def session(profile: SrtpProfile, key: bytes, inbound: bool) -> pylibsrtp.Session:
    kind = pylibsrtp.Policy.SSRC_ANY_INBOUND if inbound else pylibsrtp.Policy.SSRC_ANY_OUTBOUND
    policy = pylibsrtp.Policy(key=key, ssrc_type=kind, srtp_profile=profile.policy)
    policy.window_size = 1024
    return pylibsrtp.Session(policy)


# --- the child: teacher and rooms -----------------------------------------------------------------------------------


def play(pipe: Connection, rooms: int) -> None:
    """Says its addresses, then on each (target, rate, seconds) sends, drains and tells what arrived."""
    teacher = bound()
    sinks = [bound() for _ in range(rooms)]
    pipe.send((teacher.getsockname(), [s.getsockname() for s in sinks]))
    number = 0
    while (order := pipe.recv()) is not None:
        target, rate, seconds, turn = order
        sender = session(GCM, keys(GCM, 100 * turn).receive, inbound=False)
        readers = [session(GCM, keys(GCM, 100 * turn + 1 + i).send, inbound=True) for i in range(rooms)]
        drain(sinks, None)  # what came too late for the run before
        arrived = verified = 0
        end, due = time.perf_counter() + seconds, time.perf_counter()
        while (now := time.perf_counter()) < end:
            if now >= due:
                due += BURST / rate
                for _ in range(BURST):
                    number += 1
                    teacher.sendto(sender.protect(packet(number)), target)
            a, v = drain(sinks, readers)
            arrived, verified = arrived + a, verified + v
            time.sleep(0.0005)
        time.sleep(0.2)
        a, v = drain(sinks, readers)
        pipe.send((arrived + a, verified + v))


def bound() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def packet(number: int) -> bytes:
    """Looks like a browser's: abs-send-time, transport-cc and mid in front of a VP8 key frame."""
    block = build([(2, bytes(3)), (3, (number & 0xFFFF).to_bytes(2, "big")), (4, b"1")])
    payload = b"\x10\x00" + number.to_bytes(4, "big") + bytes(PAYLOAD - 6)
    return rtp.build(96, number, number * 90, SSRC, payload, number % BURST == 0, block)


def drain(sinks: list[socket.socket], readers: list[pylibsrtp.Session] | None) -> tuple[int, int]:
    arrived = verified = 0
    for place, sink in enumerate(sinks):
        while True:
            try:
                data = sink.recv(2048)
            except BlockingIOError:
                break
            arrived += 1
            if readers is not None and arrived % 16 == 0:
                plain = readers[place].unprotect(data)
                assert plain[-(PAYLOAD - 6) :] == bytes(PAYLOAD - 6)
                verified += 1
    return arrived, verified


# --- the designs -----------------------------------------------------------------------------------------------------


class Ours:
    """``PythonEngine`` behind a drained socket."""

    def __init__(self, teacher: Address, rooms: list[Address], turn: int) -> None:
        self.engine = engine = PythonEngine()
        self.port = UdpPort("127.0.0.1", 0)
        self.handle = handle = engine.attach(self.port)
        engine.add_peer(0)
        engine.set_keys(0, keys(GCM, 100 * turn))
        engine.add_path(0, (handle, teacher))
        engine.add_stream(1000, 0, StreamConfig("video", "1", VP8, IDS, (SSRC,)))
        for i, room in enumerate(rooms, 1):
            engine.add_peer(i)
            engine.set_keys(i, keys(GCM, 100 * turn + i))
            engine.select_path(i, (handle, room))
            engine.add_link(2000 + i, i, LinkConfig("video", "0", (VP8,), IDS, SSRC, 5))
            engine.switch(2000 + i, 1000)

    async def open(self) -> Address:
        loop = asyncio.get_running_loop()
        loop.add_reader(self.port.socket.fileno(), self._serve, loop)
        return "127.0.0.1", self.port.port

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        self.engine.service(self.handle, loop.time())
        self.engine.flush()
        self.engine.arrivals(0)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self.port.socket.fileno())
        self.port.close()


class Naive(asyncio.DatagramProtocol):
    """The obvious design: a protocol, bytes in, bytes out. Rewrites number and SSRC only: no browser would take it."""

    def __init__(self, teacher: Address, rooms: list[Address], turn: int) -> None:
        self.teacher = teacher
        self.rx = session(GCM, keys(GCM, 100 * turn).receive, inbound=True)
        self.rooms = [
            (room, session(GCM, keys(GCM, 100 * turn + i).send, inbound=False)) for i, room in enumerate(rooms, 1)
        ]
        self.transport: asyncio.DatagramTransport | None = None

    async def open(self) -> Address:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, ("127.0.0.1", 0))
        handle: socket.socket = self.transport.get_extra_info("socket")
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        address: Address = handle.getsockname()
        return address

    def datagram_received(self, data: bytes, address: Address) -> None:
        if address != self.teacher or self.transport is None:
            return
        plain = self.rx.unprotect(data)
        first, second, sequence, timestamp, _ = struct.unpack_from("!BBHII", plain)
        for room, tx in self.rooms:
            head = struct.pack("!BBHII", first, second, (sequence + 7) & 0xFFFF, timestamp, SSRC)
            self.transport.sendto(tx.protect(head + plain[12:]), room)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


class SameJob(Naive):
    """The obvious design doing what a browser needs: extensions read and written anew, by aiortc's packet class."""

    def __init__(self, teacher: Address, rooms: list[Address], turn: int) -> None:
        super().__init__(teacher, rooms, turn)
        self.theirs, self.ours = HeaderExtensionsMap(), HeaderExtensionsMap()
        for extensions in (self.theirs, self.ours):
            parameters = RTCRtpParameters(
                headerExtensions=[
                    RTCRtpHeaderExtensionParameters(2, "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"),
                    RTCRtpHeaderExtensionParameters(3, TRANSPORT_CC),
                    RTCRtpHeaderExtensionParameters(4, "urn:ietf:params:rtp-hdrext:sdes:mid"),
                ]
            )
            extensions.configure(parameters)
        self.wide = [0] * len(rooms)

    def datagram_received(self, data: bytes, address: Address) -> None:
        if address != self.teacher or self.transport is None:
            return
        packet = RtpPacket.parse(self.rx.unprotect(data), self.theirs)
        packet.sequence_number = (packet.sequence_number + 7) & 0xFFFF
        packet.extensions.mid = "0"
        packet.extensions.abs_send_time = int(time.monotonic() * 262144) & 0xFFFFFF
        for i, (room, tx) in enumerate(self.rooms):
            self.wide[i] = packet.extensions.transport_sequence_number = (self.wide[i] + 1) & 0xFFFF
            self.transport.sendto(tx.protect(packet.serialize(self.ours)), room)


Design = Callable[[Address, list[Address], int], Any]


async def measure(
    design: Design, pipe: Connection, teacher: Address, rooms: list[Address], load: Any
) -> dict[str, float]:
    """One run; waits for the child without costing CPU."""
    rate, seconds, turn = load
    served = design(teacher, rooms, turn)
    target = await served.open()
    before, started = cpu(), time.perf_counter()
    pipe.send((target, rate, seconds, turn))
    if not await asyncio.get_running_loop().run_in_executor(None, pipe.poll, seconds + 20):
        raise SystemExit("the child that plays teacher and rooms is gone")
    arrived, verified = pipe.recv()
    used, passed = cpu() - before, time.perf_counter() - started
    served.close()
    await asyncio.sleep(0.05)
    assert arrived and verified, "nothing was forwarded"
    expected = rate * seconds * len(rooms)
    return {"us": used / arrived * 1e6, "arrived": arrived, "share": arrived / expected, "core": used / passed}


def cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


DESIGNS: dict[str, tuple[str, Design]] = {
    "engine": ("Python engine", Ours),
    "naive": ("asyncio, number and SSRC", Naive),
    "same_job": ("asyncio, RtpPacket", SameJob),
}


async def compare(rooms: int, rate: int, turns: int, seconds: float) -> dict[str, float]:
    """One load, the designs in turns; prints its rows and gives the medians."""
    ours, child = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=play, args=(child, rooms), daemon=True)
    process.start()
    teacher, sinks = ours.recv()
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in DESIGNS}
    for turn in range(turns):
        for place, (name, (_, design)) in enumerate(DESIGNS.items()):
            load = (rate, seconds, turn * len(DESIGNS) + place)
            taken[name].append(await measure(design, ours, teacher, sinks, load))
    ours.send(None)
    process.join()
    for name, runs in taken.items():
        costs = sorted(r["us"] for r in runs)
        core, share = statistics.median(r["core"] for r in runs), min(r["share"] for r in runs)
        print(
            f"{rooms:>5} {rate:>6}  {DESIGNS[name][0]:<26}{statistics.median(costs):>9.1f} {costs[0]:>6.1f}"
            f" {costs[-1]:>6.1f} {core:>9.0%} {share:>8.1%}"
        )
    return {name: round(statistics.median(r["us"] for r in runs), 2) for name, runs in taken.items()}


async def run(quick: bool) -> None:
    loads = [(10, 1000), (30, 400)] if quick else [(3, 2000), (10, 1000), (10, 2000), (30, 600), (100, 200)]
    turns, seconds = (2, 1.0) if quick else (5, 2.0)
    head = f"{'rooms':>5} {'in/s':>6}  {'design':<26}{'us/packet':>9}"
    print(f"{head} {'min':>6} {'max':>6} {'of a core':>9} {'arrived':>8}")
    results = {}
    for rooms, rate in loads:
        results[f"1x{rooms}@{rate}"] = await compare(rooms, rate, turns, seconds)
    last = results[f"1x{loads[-1][0]}@{loads[-1][1]}"]
    figures = {
        "bench": "forward",
        "value": last["engine"],
        "unit": "us",
        "naive": last["naive"],
        "same_job": last["same_job"],
        "times_cheaper": round(last["same_job"] / last["engine"], 2),
        "loads": results,
    }
    print(json.dumps(figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two loads, a second each")
    asyncio.run(run(parser.parse_args().quick))


if __name__ == "__main__":
    main()
