"""The node's composition root: settings in, one process that carries live rooms. ``python -m signaling``, ``tongtang
node``.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from media.config import MediaConfig
from media.engines import name_of, open_engine
from media.errors import ResourceError
from media.net.server import MediaServer, open_media
from media.sfu import Sfu
from media.transport.certificate import Certificate
from signaling.config import NodeSettings, SettingsError, load
from signaling.net.addresses import local_addresses
from signaling.net.control import ControlDoor
from signaling.net.factspool import FactSpool
from signaling.net.heartbeat import HeartbeatSender
from signaling.net.http import HttpServer, application, server
from signaling.net.mediaspool import MediaSpool
from signaling.net.metrics import MetricsDoor, NodeCollector
from signaling.net.mixkeeper import MixKeeper
from signaling.net.node import Node
from signaling.net.objectstore import open_store
from signaling.net.robotkeeper import RobotKeeper
from signaling.net.shipper import FactShipper
from signaling.net.sources import SourceKeeper
from signaling.net.waydoor import WayDoor
from signaling.net.websocket import OriginRule, WebSocketDoor
from signaling.net.whep import WhepDoor
from signaling.net.whip import WhipDoor
from signaling.outside import IceServer
from signaling.seats import relay_login
from signaling.session import Keys

log = logging.getLogger("tongtang.node")

BAD_SETTINGS = 2
FACTS_DRAIN_SECONDS = 2.0


def web_key(path: Path) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingsError(f"TONGTANG_SEAT_PUBLIC_KEY: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError("TONGTANG_SEAT_PUBLIC_KEY: no Ed25519 key")
    return key


def own_key(path: Path) -> Ed25519PrivateKey:
    """The node's own pair lives in its spool: resume tokens hold over a restart, and nowhere else."""
    if path.exists():
        key = load_pem_private_key(path.read_bytes(), None)
        if isinstance(key, Ed25519PrivateKey):
            return key
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.touch(0o600)
    part.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    part.replace(path)
    return key


def listen(settings: NodeSettings) -> socket.socket:
    """Bound here and not by the HTTP server, so that port 0 is known before anybody is told."""
    family = socket.AF_INET6 if ":" in settings.node_listen else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((settings.node_listen, settings.node_port))
    bound.listen(2048)  # who comes before the server runs waits in the queue
    return bound


def listen_inside(settings: NodeSettings) -> socket.socket | None:
    """Where this node's own door speaks TLS, the web and the children of this machine have a plain one on loopback."""
    if settings.tls is None:
        return None
    bound = socket.create_server(("127.0.0.1", settings.node_internal_port))
    bound.setblocking(False)
    return bound


def reached(host: str, port: int) -> str:
    """Our own door, for children of this process."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"[{own}]:{port}" if ":" in own else f"{own}:{port}"


def _relays(settings: NodeSettings) -> list[IceServer]:
    """For encoders and players that come from outside; those named after a page's host mean nothing to them."""
    username, credential = relay_login(settings.turn_secret.get_secret_value(), "outside", time.time())
    return [IceServer(url, username, credential) for url in settings.turn_urls if "{" not in url]


async def run(settings: NodeSettings) -> None:
    spool = settings.spool
    keys = Keys(web_key(settings.seat_public_key), own_key(spool / "node.pem"), settings.node_id)
    bound, inside = listen(settings), listen_inside(settings)
    inner_host, inner_port = (inside or bound).getsockname()[:2]
    store = open_store(settings.objects)
    addresses = settings.media_addresses or local_addresses()
    config = MediaConfig(addresses=addresses, port=settings.media_port, engine=settings.media_engine)
    sfu = Sfu(config, open_engine(config.engine), Certificate.generate())
    media_server = await open_media(config, sfu)
    facts = FactSpool(spool / "facts")
    node = Node(sfu, store, MediaSpool(spool / "media", store), facts, spool)
    secret = settings.node_secret.get_secret_value()
    shipper = FactShipper(facts, settings.web_url, secret)
    origins = OriginRule(settings.origins)
    sources = SourceKeeper(node, keys, settings.sources_local)
    mixers, robots = MixKeeper(node, keys), RobotKeeper(node, keys, settings.node_robots)
    relays = functools.partial(_relays, settings)
    collector = NodeCollector(node, settings.node_id, spool, sfu.engine, sources, (mixers, robots))
    token = settings.metrics_token
    http = server(
        application(
            node,
            WebSocketDoor(node, keys, origins),
            WhipDoor(node, keys, origins, relays, settings.node_public_url),
            WhepDoor(node, keys, origins, relays, settings.node_public_url),
            ControlDoor(node, settings.node_id, keys.web, sources),
            MetricsDoor(collector, token.get_secret_value() if token else None),
            WayDoor(sfu, keys.web, origins),
        ),
        settings.tls,
        inside,
    )
    heartbeat = HeartbeatSender(
        node, settings.node_id, settings.node_public_url, settings.node_control_url, settings.web_url, secret, spool
    )
    heartbeat.engine = name_of(sfu.engine)
    sources.whip = f"http://{reached(inner_host, inner_port)}/whip"
    mixers.door = f"http://{reached(inner_host, inner_port)}"
    robots.door = f"ws://{reached(inner_host, inner_port)}"
    await node.start()
    await mixers.start()
    await robots.start()
    await shipper.start()
    beating = asyncio.create_task(heartbeat.run())
    try:
        await serve(http, node, bound, media_server, settings, heartbeat)
    finally:
        await sources.close()
        await mixers.close()
        await robots.close()
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
        await shipper.drain(FACTS_DRAIN_SECONDS)
        await shipper.stop()
        await facts.close()
        media_server.close()
        await store.close()


async def serve(
    http: HttpServer,
    node: Node,
    bound: socket.socket,
    media: MediaServer,
    settings: NodeSettings,
    heartbeat: HeartbeatSender,
) -> None:
    """Until SIGTERM or SIGINT; then rooms say good-bye before their sockets close. SIGTERM means that this node alone
    stops: its rooms go to others first, if there are any."""
    loop = asyncio.get_running_loop()
    stopping, alone = asyncio.Event(), asyncio.Event()

    def terminate() -> None:
        alone.set()
        stopping.set()

    loop.add_signal_handler(signal.SIGINT, stopping.set)
    loop.add_signal_handler(signal.SIGTERM, terminate)
    serving = asyncio.create_task(http.serve(sockets=[bound]))
    waiting = asyncio.create_task(stopping.wait())
    host, port = bound.getsockname()[:2]
    print(f"node {settings.node_id}: signalling {host}:{port}, media port {media.port}", flush=True)
    await asyncio.wait({serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if alone.is_set() and node.lives:
        await heartbeat.drain()
    await node.stop()
    http.should_exit = True
    await serving


def main(environ: Mapping[str, str]) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        settings = load(environ)
        asyncio.run(run(settings))
    except SettingsError as error:
        print(error, file=sys.stderr)
        return BAD_SETTINGS
    except (OSError, ResourceError) as error:
        print(f"The node cannot start: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(os.environ))
