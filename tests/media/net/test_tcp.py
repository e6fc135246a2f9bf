"""ICE-TCP doors: strangers, garbage and slow readers."""

from __future__ import annotations

import asyncio
import os

import pytest

from media.net import tcp
from media.net.tcp import TcpPort
from media.wire.framing import frame
from tests.support.media import running
from tests.support.media_hall import Clock, Peer, Wire


class Framed(Wire):
    """The client's end: collects frames, sends frames."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        super().__init__()
        self.reader, self.writer = reader, writer

    async def ask(self, datagram: bytes) -> bytes:
        self.writer.write(frame(datagram))
        size = int.from_bytes(await asyncio.wait_for(self.reader.readexactly(2), 5), "big")
        return await self.reader.readexactly(size)


async def test_garbage_closes_its_connection_only() -> None:
    async with running() as (sfu, server):
        for garbage in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\0\0", os.urandom(2000)[:1].ljust(3000, b"\xff")):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(garbage)
            with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
                await asyncio.wait_for(reader.readexactly(1), 5)
            writer.close()
        assert sfu.engine.garbage == 3
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(frame(os.urandom(100)) + frame(b"\x80" + bytes(40)))  # frames, but nothing that means anything
        await asyncio.sleep(0.05)
        assert sfu.engine.garbage == 5
        writer.close()
        await asyncio.sleep(0.05)
        assert not server.connections


async def test_a_check_is_answered_and_a_stranger_thrown_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tcp, "_STRANGER", 0.2)
    async with running() as (sfu, server):
        stranger_reader, stranger = await asyncio.open_connection("127.0.0.1", server.port)
        line = Framed(*await asyncio.open_connection("127.0.0.1", server.port))
        asked: list[bytes] = []

        class Client(Peer):
            def exchange(self, data: bytes) -> list[bytes]:
                asked.append(data)
                return []

        client = Client(sfu, line, 0, "room", ("", 0), Clock(asyncio.get_running_loop().time()))
        client.join()
        client.check()
        reply = await line.ask(asked[0])
        assert reply[:2] == b"\x01\x01"
        assert await asyncio.wait_for(_ended(stranger_reader), 5)
        assert len(server.connections) == 1, "the checked one stays"
        line.writer.close()
        await asyncio.sleep(0.05)
        assert not server.connections
        stranger.close()


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


async def test_a_slow_reader_loses_packets_and_costs_no_memory() -> None:
    """Above 256 KB of backlog media is late anyway."""
    async with running() as (_, server):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=1024)
        await asyncio.sleep(0.05)
        (port,) = server.connections
        packet = bytes(1200)
        for _ in range(20_000):  # 24 MB: more than the kernel takes
            port.send(("", 0), memoryview(packet * 2), (1200, 1200))
        assert isinstance(port, TcpPort)
        assert port.dropped > 0
        assert port._transport is not None
        assert port._transport.get_write_buffer_size() < 256 * 1024 + 2 * 1300
        writer.close()
        del reader


async def test_connections_are_bounded() -> None:
    async with running() as (sfu, server):
        object.__setattr__(sfu.config, "tcp_connections", 2)
        lines = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(4)]
        await asyncio.sleep(0.1)
        assert len(server.connections) == 2
        for _, writer in lines:
            writer.close()
