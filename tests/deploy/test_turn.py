"""coturn as the containers start it, with TLS and a certificate: a client of ours relays through it, to nodes only."""

from __future__ import annotations

import asyncio
import contextlib
import grp
import os
import pwd
import shutil
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aioice import stun
from aioice.turn import create_turn_endpoint

from tests.support.processes import ROOT, Process, free_ports, running
from tests.support.services import Turn, program, self_signed

pytestmark = pytest.mark.real
NODE, STRANGER = "127.0.0.1", "127.0.0.9"


@pytest.fixture(scope="module")
def turn_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Turn]:
    """``deploy/turn.sh`` in a folder like the container's; what it starts gets this machine's places on top."""
    server = program("turnserver")
    if server is None:
        pytest.skip("no TURN server (Debian: coturn)")
    folder = tmp_path_factory.mktemp("turn")
    for name in ("turn.sh", "turnserver.conf"):
        shutil.copy(ROOT / "deploy" / name, folder)
    certificate, key = self_signed(folder)
    key.chmod(0o600)  # root's alone, though what serves it is nobody
    port = free_ports(1)
    places = f"--tls-listening-port={port} --allow-loopback-peers --userdb={folder}/db --pidfile={folder}/pid"
    if os.getuid():
        places += f" --proc-user={pwd.getpwuid(os.getuid()).pw_name} --proc-group={grp.getgrgid(os.getgid()).gr_name}"
    (folder / "turnserver").write_text(f'#!/bin/sh\nexec {server} "$@" {places}\n')
    (folder / "turnserver").chmod(0o755)
    told = {"SECRET": "s$HOME'x", "REALM": "tongtang.test", "NODES": f"{NODE},", "TLS": "yes", "TLS_ADDRESS": NODE}
    path = f"{folder}:{os.environ['PATH']}"
    argv = ["/bin/sh", folder / "turn.sh"]
    with running(Process(argv, log=folder / "log", env=told | {"PATH": path}, cwd=folder)) as process:
        turn = Turn(0, port, told["SECRET"], certificate)
        process.wait_for(lambda: asyncio.run(admits(turn)), 30, "coturn")
        yield turn


async def admits(turn: Turn) -> bool:
    """It listens some time before it knows its secret."""
    with contextlib.suppress(OSError, stun.TransactionFailed):
        async with relayed(turn, turn.credentials(), turn.certificate):
            return True
    return False


class Heard(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.data: asyncio.Queue[tuple[bytes, tuple[str, int]]] = asyncio.Queue()
        self.gone = asyncio.Event()
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.data.put_nowait((data, addr))

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone.set()

    async def close(self) -> None:
        self.transport.close()
        await self.gone.wait()

    async def next(self, seconds: float = 10.0) -> tuple[bytes, tuple[str, int]]:
        return await asyncio.wait_for(self.data.get(), seconds)


@contextlib.asynccontextmanager
async def relayed(turn: Turn, credentials: tuple[str, str], trusted: Path | None) -> AsyncIterator[Heard]:
    """A datagram endpoint at the relay; the way there checks its certificate."""
    context = ssl.create_default_context(cafile=trusted)
    try:
        way, heard = await create_turn_endpoint(
            Heard, (NODE, turn.tls_port), *credentials, ssl=context, transport="tcp"
        )
    except (OSError, stun.TransactionFailed):
        await asyncio.sleep(0.2)  # until its socket is closed
        raise
    heard.transport = way  # type: ignore[assignment]
    try:
        yield heard
    finally:
        await heard.close()


async def test_media_comes_and_goes_through_the_relay(turn_tls: Turn) -> None:
    node = Heard()
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: node, (NODE, 0))
    async with relayed(turn_tls, turn_tls.credentials(), turn_tls.certificate) as room:
        room.transport.sendto(b"\x80 from the room", node.transport.get_extra_info("sockname"))
        data, source = await node.next()
        assert data == b"\x80 from the room"
        assert source == room.transport.get_extra_info("sockname"), "the relay's address, not the room's"
        node.transport.sendto(b"\x80 from the node", source)
        assert (await room.next())[0] == b"\x80 from the node"
    await node.close()


async def test_nobody_but_a_node_is_reached(turn_tls: Turn) -> None:
    stranger = Heard()
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: stranger, (STRANGER, 0))
    async with relayed(turn_tls, turn_tls.credentials(), turn_tls.certificate) as room:
        room.transport.sendto(b"\x80 spam", stranger.transport.get_extra_info("sockname"))
        with pytest.raises(TimeoutError):
            await stranger.next(1.0)
    await stranger.close()


async def test_who_has_no_login_of_today_is_refused(turn_tls: Turn) -> None:
    with pytest.raises(stun.TransactionFailed):
        async with relayed(turn_tls, turn_tls.credentials(seconds=-10), turn_tls.certificate):
            pass


async def test_its_certificate_is_the_one_it_was_given(turn_tls: Turn) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        async with relayed(turn_tls, turn_tls.credentials(), None):
            pass
