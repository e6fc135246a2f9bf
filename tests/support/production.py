"""The topology of docker-compose.yml as plain processes: PostgreSQL, Redis, S3, web, worker, and nodes with ids 1, 2 …

Each process gets its settings as the compose file gives them, only the addresses are loopback's.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.support.processes import PYTHON, ROOT, Process, accepts, answers, clean_environment, free_ports, running
from tests.support.site import City


class Production(City):
    """Web, worker and nodes on the given servers."""

    def __init__(self, folder: Path, database: str, redis: str, objects: str, nodes: int = 2) -> None:
        self.folder = folder
        self.port = free_ports(1 + 2 * nodes)
        self.url = f"http://127.0.0.1:{self.port}"
        self.node_ports = {str(k): self.port + 2 * k - 1 for k in range(1, nodes + 1)}
        self.nodes: dict[str, Process] = {}
        public = [f"{scheme}://{{host}}:{port}" for port in self.node_ports.values() for scheme in ("ws", "http")]
        shared = {"TONGTANG_NODE_SECRET": secrets.token_urlsafe(24), "TONGTANG_OBJECTS": objects}
        self.web_settings = shared | {
            "TONGTANG_DATA": str(folder / "web"),
            "TONGTANG_DATABASE_URL": database,
            "TONGTANG_REDIS_URL": redis,
            "TONGTANG_SEAT_KEY": str(folder / "keys" / "seat.pem"),
            "TONGTANG_NODE_ORIGINS": ",".join(public),
            "TONGTANG_PORT": str(self.port),
        }
        self._node_settings = shared | {
            "TONGTANG_WEB_URL": self.url,
            "TONGTANG_SEAT_PUBLIC_KEY": str(folder / "keys" / "seat.pub.pem"),
            "TONGTANG_MEDIA_ADDRESSES": "127.0.0.1",
        }

    def once(self, command: str) -> str:
        """`tongtang COMMAND` with the web's settings; its output."""
        argv = [PYTHON, "-m", "server.cli", command]
        environment = clean_environment(self.web_settings)
        done = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=300)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, command: str, settings: dict[str, str], log: str) -> Process:
        return Process([PYTHON, "-m", "server.cli", command], log=self.folder / f"{log}.log", env=settings)

    def spool(self, node: str) -> Path:
        return self.folder / f"spool-{node}"

    def start_node(self, node: str) -> Process:
        port = self.node_ports[node]
        settings = self._node_settings | {
            "TONGTANG_NODE_ID": node,
            "TONGTANG_NODE_PORT": str(port),
            "TONGTANG_NODE_PUBLIC_URL": f"ws://{{host}}:{port}",
            "TONGTANG_NODE_CONTROL_URL": f"http://127.0.0.1:{port}/control",
            "TONGTANG_MEDIA_PORT": str(port + 1),
            "TONGTANG_SPOOL": str(self.spool(node)),
        }
        self.nodes[node] = self.start("node", settings, f"node-{node}")
        self.nodes[node].wait_for(lambda: accepts(port), 60, f"node {node}")
        return self.nodes[node]

    def lose_node(self, node: str) -> None:
        """The machine is gone, with its disk."""
        self.nodes[node].kill()
        shutil.rmtree(self.spool(node))

    def node_of(self, lesson: str) -> str:
        """Where the lesson's room is, as its teacher is told."""
        with self.visitor("teacher") as teacher:
            seat = teacher.tell(f"/api/v1/lessons/{lesson}/seat", {"role": "teacher"})
        return next(node for node, port in self.node_ports.items() if f":{port}/" in seat["ws"])


@contextmanager
def start_production(folder: Path, database: str, redis: str, objects: str) -> Iterator[Production]:
    """Migrated, with the demo city, everything running."""
    folder.mkdir(parents=True, exist_ok=True)
    production = Production(folder, database, redis, objects)
    production.once("migrate")
    production.once("demo")
    with ExitStack() as stack:
        web = stack.enter_context(running(production.start("web", production.web_settings, "web")))
        stack.enter_context(running(production.start("worker", production.web_settings, "worker")))
        web.wait_for(lambda: answers(production.url + "/"), 60, "the web")
        for node in production.node_ports:
            stack.enter_context(running(production.start_node(node)))
        yield production
