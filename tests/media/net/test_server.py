from __future__ import annotations

import asyncio
import os
import socket
from random import Random

import pytest

from media.config import MediaConfig
from media.net.server import open_media
from media.net.udp import UdpPort
from media.pyengine import PythonEngine
from media.sfu import Sfu
from media.transport.certificate import Certificate
from tests.support.media import running

HEADS = [bytes.fromhex(h) for h in ("", "0001", "16fefd", "8060", "80c8", "000100002112a442")]


async def test_udp_and_tcp_share_a_port_on_every_address() -> None:
    config = MediaConfig(("127.0.0.1", "127.0.0.2"), 0)
    sfu = Sfu(config, PythonEngine(), Certificate.generate())
    server = await open_media(config, sfu)
    assert sfu.port == server.port != 0
    assert {p.socket.getsockname() for _, p in server.udp} == {(a, server.port) for a in config.addresses}
    assert {s.sockets[0].getsockname() for s in server.servers} == {(a, server.port) for a in config.addresses}
    server.close()


async def test_a_taken_port_leaves_nothing_open() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.2", 0))
        config = MediaConfig(("127.0.0.1", "127.0.0.2"), other.getsockname()[1])
        sfu = Sfu(config, PythonEngine(), Certificate.generate())
        with pytest.raises(OSError):
            await open_media(config, sfu)
    again = await open_media(config, sfu)
    again.close()


async def test_a_port_of_the_kernel_that_is_taken_on_tcp_is_chosen_anew() -> None:
    """The kernel knows nothing of pairs: the port it gives for UDP may be somebody's on TCP."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        given = [taken, taken, 0]

        def port(address: str, number: int) -> UdpPort:
            return UdpPort(address, given.pop(0))

        config = MediaConfig(("127.0.0.1",), 0)
        server = await open_media(config, Sfu(config, PythonEngine(), Certificate.generate()), port)
    assert given == []
    assert server.port != taken
    server.close()


async def test_garbage_on_the_udp_port_is_dropped_and_counted() -> None:
    """Noise, and noise behind heads that look like STUN, DTLS, RTP and RTCP: from strangers."""
    chance = Random(2)
    async with running() as (sfu, server):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            stranger.bind(("127.0.0.1", 0))
            stranger.connect(("127.0.0.1", server.port))
            stranger.setblocking(False)
            sent = 0
            for head in (
                b"",
                b"\x00\x01",
                b"\x16\xfe\xfd",
                b"\x80\x60",
                b"\x80\xc8",
                b"\x00\x01\x00\x00\x21\x12\xa4\x42",
            ):
                for _ in range(50):
                    stranger.send(head + os.urandom(chance.randrange(0, 1500)))
                    sent += 1
                await asyncio.sleep(0.02)
            stranger.send(bytes(60_000))
            await asyncio.sleep(0.05)
            assert sfu.engine.garbage == sent + 1
            with pytest.raises(BlockingIOError):
                stranger.recv(100)  # nothing is answered: no amplifier for forged senders
