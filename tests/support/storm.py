"""A storm of hostile datagrams against a real node while a lesson's sound flows: who hears how much of it.

Three processes: the node (``joining.running_node``), the storm, and here the teacher and the rooms.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import socket
import time
from dataclasses import dataclass
from multiprocessing.connection import Connection

from media.transport.srtp import Arena
from media.wire import rtp, stun
from tests.support.joining import Client, Identity, join, running_node
from tests.support.media_hall import AUDIO_SSRC

SOURCES = 200  # sockets the storm comes from
_STEP = 0.005
_SHAPES = 4000  # different datagrams
_PACKET_EVERY = 0.02  # Opus
_PATIENCE = 60.0


def hostile(chance: random.Random, ufrag: str) -> bytes:
    """Noise, or noise behind a head that is taken for STUN, RTP, RTCP or DTLS; some know a room's ufrag."""
    noise = chance.randbytes(chance.randrange(0, 1200))
    user = f"{ufrag if chance.random() < 0.2 else chance.randbytes(4).hex()}:x".encode()
    check = stun.build(stun.BINDING_REQUEST, chance.randbytes(12), [(stun.USERNAME, user)], "wrong password")
    return chance.choice(
        [
            noise,
            b"\x00\x01" + noise,
            b"\x00\x01" + (len(noise) & ~3).to_bytes(2, "big") + b"\x21\x12\xa4\x42" + noise,
            check,
            b"\x16\xfe\xfd" + bytes(8) + len(noise).to_bytes(2, "big") + b"\x01" + noise,
            b"\x17\xfe\xfd" + noise,
            rtp.build(111, chance.getrandbits(16), chance.getrandbits(32), AUDIO_SSRC, noise),
            b"\x80\xc8\x00\x06" + noise,
        ]
    )


def _blow(pipe: Connection, port: int, ufrag: str, rate: float, seconds: float) -> None:
    """The child: ``rate`` datagrams a second; says how many went out."""
    chance = random.Random(1)
    shapes = [hostile(chance, ufrag) or b"x" for _ in range(_SHAPES)]
    sockets = []
    for _ in range(SOURCES):
        made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        made.setblocking(False)
        made.bind((f"127.0.0.{chance.randrange(1, 255)}", 0))
        made.connect(("127.0.0.1", port))
        sockets.append(made)
    pipe.send("ready")
    pipe.recv()
    started, sent = time.monotonic(), 0
    while (passed := time.monotonic() - started) < seconds:
        while sent < passed * rate:
            with contextlib.suppress(OSError):  # an ICMP error, a full buffer: the storm goes on
                sockets[sent % SOURCES].send(shapes[sent % _SHAPES])
            sent += 1
        time.sleep(_STEP)
    pipe.send(sent)


@dataclass(frozen=True, slots=True)
class Weathered:
    """``lost`` of ``expected`` packets of sound, counted over all rooms; ``core``: the node's CPU meanwhile."""

    hostile: int
    rejected: int
    expected: int
    lost: int
    core: float

    @property
    def share(self) -> float:
        return self.lost / self.expected


def weather(engine: str, rooms: int, rate: float, seconds: float) -> Weathered:
    identity = Identity.generate()
    with running_node(engine) as node:
        teacher = Client("teacher", identity)
        listeners = [Client(f"room{i}", identity) for i in range(rooms)]
        join(node, [teacher, *listeners])
        node.ask("publish_sound", teacher.name)
        for listener in listeners:
            node.ask("show_sound", listener.name)
        assert listeners[0].answer is not None
        ours, theirs = multiprocessing.Pipe()
        arguments = (theirs, node.ask("port"), listeners[0].answer.ice.ufrag, rate, seconds)
        storm = multiprocessing.get_context("spawn").Process(target=_blow, args=arguments, daemon=True)
        storm.start()
        try:
            assert ours.poll(_PATIENCE) and ours.recv() == "ready"
            garbage, began = node.ask("garbage"), node.ask("cpu")
            ours.send("go")
            sent, heard = _talk(teacher, listeners, seconds)
            assert ours.poll(_PATIENCE)
            blown = ours.recv()
            core, rejected = (node.ask("cpu") - began) / seconds, node.ask("garbage") - garbage
            lost = node.ask("connected")[1]
            assert not lost, f"thrown out: {lost}"
        finally:
            storm.kill()
            storm.join()
    for client in (teacher, *listeners):
        client.close()
    return Weathered(blown, rejected, sent * rooms, sent * rooms - heard, core)


def _talk(teacher: Client, listeners: list[Client], seconds: float) -> tuple[int, int]:
    """Sound every 20 ms with the checks a browser sends; junk from the teacher's own address now and then."""
    assert teacher.srtp is not None
    arena, heard = Arena(512, None), 0
    started, count = time.monotonic(), 0
    while (now := time.monotonic()) - started < seconds:
        packet = rtp.build(111, count, count * 960, AUDIO_SSRC, os.urandom(80))
        arena.data[: len(packet)] = packet
        teacher.socket.send(arena.data[: teacher.srtp.protect(arena, 0, len(packet))])
        if count % 10 == 0:  # as if somebody forged the address
            teacher.socket.send(rtp.build(111, count + 5000, 0, AUDIO_SSRC, os.urandom(80)))
        if count % 125 == 0:
            for client in (teacher, *listeners):
                client.check()
        count += 1
        heard += _heard(listeners)
        time.sleep(max(0.0, started + count * _PACKET_EVERY - now))
    time.sleep(0.5)
    return count, heard + _heard(listeners)


def _heard(listeners: list[Client]) -> int:
    return sum(not 192 <= data[1] <= 223 for listener in listeners for data in listener.read())
