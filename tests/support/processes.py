"""Starts real processes for tests: free ports, an own environment, a log file each, and a sure end.

Rule: every process is started in its own group and stopped by its own id; nothing is found by name.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable


def free_ports(count: int) -> int:
    """The first of ``count`` neighbouring ports, free on TCP and UDP just now (`tongtang up --port N` takes N to N+2).

    Below the range the kernel gives to outgoing connections, so that nobody takes them in between by chance.
    """
    start = 20000 + (os.getpid() * 37) % 10000
    for base in range(start, 32000, count + 1):
        with contextlib.ExitStack() as stack:
            try:
                for port in range(base, base + count):
                    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
                        stack.enter_context(socket.socket(socket.AF_INET, kind)).bind(("127.0.0.1", port))
            except OSError:
                continue
            return base
    raise RuntimeError("no free ports")


def wait_until(condition: Callable[[], object], seconds: float, what: str) -> None:
    """Polls; the limit is there so that a test ends, it is no measure of speed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError(f"waited {seconds:.0f} s for {what}")


def answers(url: str) -> bool:
    """Whether anything speaks HTTP there, whatever it says and whoever vouches for it."""
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=2, context=anybody):
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code < 500
    except (OSError, ValueError):
        return False


def accepts(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without settings of the developer's own Tongtang, and loopback never through a proxy."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TONGTANG_", "PYTEST_"))}
    return kept | {"PYTHONUNBUFFERED": "1", "NO_PROXY": "127.0.0.1,localhost"} | dict(extra or {})


class Process:
    """One child in its own process group, its output in ``log``."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        user: str | None = None,
    ) -> None:
        self.argv = [str(word) for word in argv]
        self.log = log
        with log.open("ab") as out:
            self.child = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=clean_environment(env),
                cwd=cwd,
                user=user,
                group=user and _group_of(user),
                extra_groups=[] if user else None,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self.child.pid

    def running(self) -> bool:
        return self.child.poll() is None

    def output(self) -> str:
        return self.log.read_text("utf-8", errors="replace")

    def wait_for(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Like ``wait_until``, but fails at once, with the log's end, when the process has ended."""

        def met() -> object:
            if condition():
                return True
            if not self.running():
                raise RuntimeError(f"{self.argv[0]} ended with {self.child.returncode}:\n{self.output()[-4000:]}")
            return False

        try:
            wait_until(met, seconds, what)
        except TimeoutError as error:
            raise TimeoutError(f"{error}; its log ends:\n{self.output()[-4000:]}") from None

    def kill(self) -> None:
        """kill -9 of this process alone."""
        self.child.kill()
        self.child.wait()

    def stop(self, seconds: float = 15) -> int:
        """SIGTERM to it, and after ``seconds`` SIGKILL to its whole group. Returns the exit code."""
        if self.running():
            self.child.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.child.wait(seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.child.pid, signal.SIGKILL)
        return self.child.wait()


def _group_of(user: str) -> int:
    import pwd

    return pwd.getpwnam(user).pw_gid


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    try:
        yield process
    finally:
        process.stop()


def children_of(pid: int) -> dict[int, str]:
    """Living descendants of a process, with their command lines: who is the node, who is the web."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError, ValueError, IndexError):
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
            if int(stat[1]) == pid and stat[0] != "Z":
                found[int(entry.name)] = command
                found |= children_of(int(entry.name))
    return found


class Tongtang:
    """`tongtang up` on its own data folder and ports: the embedded default, web and worker and nodes (one)."""

    def __init__(
        self,
        data: Path,
        *,
        demo: bool = True,
        env: Mapping[str, str] | None = None,
        nodes: int = 1,
        tls: bool = False,
    ) -> None:
        self.data = data
        self.nodes = nodes
        self.port = free_ports(1 + 2 * nodes)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        data.mkdir(parents=True, exist_ok=True)
        self.demo = demo
        argv = [PYTHON, "-m", "server.cli", "up", "--port", str(self.port), "--data", str(data), "--nodes", str(nodes)]
        argv += ["--tls"] if tls else []
        self.process = Process(argv + ([] if demo else ["--no-demo"]), log=data / "up.log", env=env)

    def ready(self, seconds: float = 120) -> Tongtang:
        self.process.wait_for(lambda: answers(self.url + "/"), seconds, "the first page")
        doors = [self.port + 1 + 2 * number for number in range(self.nodes)]
        self.process.wait_for(lambda: all(accepts(door) for door in doors), seconds, "the nodes")
        if self.demo:  # goes on behind the first pages
            self.process.wait_for(
                lambda: "the demo city is complete" in self.process.output(), seconds, "the demo city"
            )
        return self

    def child(self, word: str) -> int:
        """Process id of the supervised child whose command line has ``word`` ("web", "node", "worker")."""
        for pid, command in children_of(self.process.pid).items():
            if command.split()[-1:] == [word]:
                return pid
        raise LookupError(f"no {word} among {children_of(self.process.pid)}")

    def stop(self) -> int:
        return self.process.stop()
