"""``tongtang up``: web, worker and nodes on this machine, with nothing beside Python; who dies is started again.

First run: makes keys and secrets (0600) and the database in the data folder, then the demo city. Every setting can
still be given as TONGTANG_…; ``up`` only fills in what is missing.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server import tls
from server.child import Child, Say
from server.config import SettingsError
from server.security import load_keys, private_pem, public_pem

CHILDREN = ("web", "worker", "node")
STOP_SECONDS = 10.0
MOST_NODES = 64


# --- keys and settings ------------------------------------------------------------------------------------------------


def write_secret(path: Path, content: bytes) -> None:
    """Readable by the owner only, from its first byte on."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def ensure_seat_keys(private: Path) -> Path:
    """The key that signs seats, and beside it the public half that nodes need; made when missing."""
    public = private.with_suffix(".pub.pem")
    if not private.exists():
        write_secret(private, private_pem(Ed25519PrivateKey.generate()))
    if not public.exists():
        public.write_bytes(public_pem(load_keys(private).seat.public_key()))
    return public


def ensure_node_secret(path: Path) -> str:
    if not path.exists():
        write_secret(path, secrets.token_urlsafe(32).encode())
    return path.read_text().strip()


def usable_cores() -> int:
    """Those this process may run on: a container may have fewer than its machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def how_many(nodes: str, cores: int) -> int:
    """``--nodes``: a number, or "auto": one core stays with web, worker and database."""
    count = max(1, cores - 1) if nodes == "auto" else int(nodes) if nodes.isdecimal() else 0
    if not 1 <= count <= MOST_NODES:
        raise SettingsError(f"--nodes: auto, or a number from 1 to {MOST_NODES}")
    return count


def environment(given: Mapping[str, str], port: int, data: Path, nodes: int = 1) -> dict[str, str]:
    """What the children are told: what the caller set, and for the rest this machine alone. A node takes one core and
    two ports, of which the first is signalling (``node_environment``)."""
    keys = data / "keys"
    seat_key = Path(given.get("TONGTANG_SEAT_KEY") or keys / "seat.pem")
    public = ensure_seat_keys(seat_key)
    node, media = port + 1, port + 2
    defaults = {
        "DATA": str(data),
        "PORT": str(port),
        "LISTEN": "127.0.0.1",
        "OBJECTS": str(data / "objects"),
        "SEAT_KEY": str(seat_key),
        "SEAT_PUBLIC_KEY": str(public),
        "NODE_ID": "n1",
        "NODE_PORT": str(node),
        "NODE_LISTEN": given.get("TONGTANG_LISTEN") or "127.0.0.1",
        "NODE_PUBLIC_URL": f"ws://{{host}}:{node}",
        "NODE_CONTROL_URL": f"http://127.0.0.1:{node}/control",
        "NODE_ORIGINS": ",".join(
            f"{scheme}://{{host}}:{node + 2 * number}" for number in range(nodes) for scheme in ("ws", "http")
        ),
        "MEDIA_PORT": str(media),
        "WEB_URL": f"http://127.0.0.1:{port}",
        "SPOOL": str(data / "spool"),
    }
    if not given.get("TONGTANG_NODE_SECRET"):
        defaults["NODE_SECRET"] = ensure_node_secret(keys / "node.secret")
    told = dict(given)
    told.update({f"TONGTANG_{key}": value for key, value in defaults.items() if not given.get(f"TONGTANG_{key}")})
    told["TONGTANG_DATA"], told["TONGTANG_PORT"] = str(data), str(port)
    return told


INTERNAL = 1000  # plain loopback ports of a site on TLS, so far above their public ones


def secure(told: Mapping[str, str], given: Mapping[str, str], paths: tls.Paths) -> dict[str, str]:
    """The same site on TLS, for the whole network: its pages and its nodes; web and node meet on plain loopback."""
    port, node = int(told["TONGTANG_PORT"]), int(told["TONGTANG_NODE_PORT"])
    everywhere = given.get("TONGTANG_LISTEN") or "0.0.0.0"
    ours = {
        "LISTEN": everywhere,
        "NODE_LISTEN": given.get("TONGTANG_NODE_LISTEN") or everywhere,
        "TLS_CERTIFICATE": str(paths.certificate),
        "TLS_KEY": str(paths.key),
        "INTERNAL_PORT": str(port + INTERNAL),
        "NODE_INTERNAL_PORT": str(node + INTERNAL),
        "NODE_PUBLIC_URL": told["TONGTANG_NODE_PUBLIC_URL"].replace("ws://", "wss://"),
        "NODE_ORIGINS": told["TONGTANG_NODE_ORIGINS"].replace("ws://", "wss://").replace("http://", "https://"),
        "NODE_CONTROL_URL": f"http://127.0.0.1:{node + INTERNAL}/control",
        "WEB_URL": f"http://127.0.0.1:{port + INTERNAL}",
    }
    return dict(told) | {f"TONGTANG_{key}": value for key, value in ours.items()}


def node_environment(environ: Mapping[str, str], number: int) -> dict[str, str]:
    """Of the number-th node of this machine, from 1: what must be its own. The first one is the one that was there
    before there were many."""
    told = dict(environ)
    if number == 1:
        return told
    signalling = int(environ["TONGTANG_NODE_PORT"]) + 2 * (number - 1)
    own = {
        "NODE_ID": f"{environ['TONGTANG_NODE_ID']}-{number}",
        "NODE_PORT": str(signalling),
        "MEDIA_PORT": str(int(environ["TONGTANG_MEDIA_PORT"]) + 2 * (number - 1)),
        "NODE_PUBLIC_URL": _moved(environ["TONGTANG_NODE_PUBLIC_URL"], environ["TONGTANG_NODE_PORT"], signalling),
        "NODE_CONTROL_URL": f"http://127.0.0.1:{signalling}/control",
        "SPOOL": f"{environ['TONGTANG_SPOOL']}-{number}",
    }
    if environ.get("TONGTANG_TLS_CERTIFICATE"):
        inside = signalling + INTERNAL
        own |= {"NODE_INTERNAL_PORT": str(inside), "NODE_CONTROL_URL": f"http://127.0.0.1:{inside}/control"}
    return told | {f"TONGTANG_{key}": value for key, value in own.items()}


def _moved(url: str, port: str, to: int) -> str:
    """The same address with another port."""
    head, _, tail = url.rpartition(f":{port}")
    return f"{head}:{to}{tail}" if head else url


# --- supervising ------------------------------------------------------------------------------------------------------


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def _any(*awaited: asyncio.Future[Any]) -> None:
    """Until one of them is done; its failure is not ours."""
    await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)


async def supervise(
    environ: dict[str, str], say: Say, first: Coroutine[Any, Any, None] | None = None, nodes: int = 1
) -> None:
    """Run the children until SIGTERM or SIGINT, then end them: politely, then not. With ``first`` the demo city is
    being made beside them; they start when ``first`` is done (the city stands, its past is still being told)."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    children = [Child(name, environ, say) for name in CHILDREN]
    children += [
        Child("node", node_environment(environ, number), say, label=f"node{number}") for number in range(2, nodes + 1)
    ]
    keeping: list[asyncio.Task[Any]] = []
    if first is not None:
        builder = Child("demo", environ, say)
        building = asyncio.create_task(builder.run())
        await _any(asyncio.create_task(first), building, asyncio.create_task(_wait(stopping)))
        children, keeping = [*children, builder], [building]
    if not stopping.is_set():
        keeping += [asyncio.create_task(child.keep(stopping)) for child in children if child.name in CHILDREN]
    await stopping.wait()
    for child in children:
        child.end()
    _, late = await asyncio.wait(keeping, timeout=STOP_SECONDS)
    if late:
        for child in children:
            child.signal(signal.SIGKILL)
        await asyncio.wait(late, timeout=STOP_SECONDS)
