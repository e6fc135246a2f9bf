"""Children that die come back, and from a spare that has imported everything when there is one."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from server import child


async def test_a_child_that_dies_is_started_again_and_stops_when_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake = tmp_path / "server"
    fake.mkdir()
    (fake / "__init__.py").touch()
    (fake / "cli.py").write_text(
        "import pathlib, sys, time\n"
        f"runs = pathlib.Path({str(tmp_path / 'runs')!r})\n"
        "runs.write_text(runs.read_text() + 'x' if runs.exists() else 'x')\n"
        "print(sys.argv[1], 'run', len(runs.read_text()), flush=True)\n"
        "if len(runs.read_text()) < 3: sys.exit(7)\n"
        "time.sleep(60)\n"
    )
    monkeypatch.setattr(child, "FIRST_PAUSE", 0.01)
    monkeypatch.chdir(tmp_path)  # python -m finds the stand-in first
    said: list[str] = []
    third = asyncio.Event()

    def say(line: str) -> None:
        said.append(line)
        if "run 3" in line:
            third.set()

    kept, stopping = child.Child("web", {"PYTHONPATH": str(tmp_path), "PATH": sys.prefix}, say), asyncio.Event()
    keeping = asyncio.create_task(kept.keep(stopping))
    await asyncio.wait_for(third.wait(), 30)
    stopping.set()
    kept.signal(signal.SIGTERM)
    await asyncio.wait_for(keeping, 30)
    assert [line for line in said if "run" in line] == [f"web    | web run {n}" for n in (1, 2, 3)]
    assert sum("ended (7)" in line for line in said) == 2


async def test_the_second_life_begins_in_a_spare_that_was_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for the node: it says its name and process, and dies when told."""
    fake = tmp_path / "standin"
    fake.mkdir()
    (fake / "sitecustomize.py").write_text(
        "import sys, types\n"
        "cli = types.ModuleType('server.cli')\n"
        "def node():\n"
        "    import os, time\n"
        "    print('lives in', os.getpid(), flush=True)\n"
        "    time.sleep(60)\n"
        "cli.node = node\n"
        "import server\n"
        "server.cli = sys.modules['server.cli'] = cli\n"
        "sys.modules['signaling.__main__'] = types.ModuleType('signaling.__main__')\n"
    )
    monkeypatch.setattr(child, "SPARE_AFTER", 0.05)
    monkeypatch.setattr(child, "FIRST_PAUSE", 0.01)
    said: list[str] = []
    lives: asyncio.Queue[int] = asyncio.Queue()

    def say(line: str) -> None:
        said.append(line)
        if found := re.search(r"lives in (\d+)$", line):  # and not that line of a traceback
            lives.put_nowait(int(found[1]))

    environ = {"PYTHONPATH": os.pathsep.join((str(fake), str(Path.cwd()))), "PATH": sys.prefix}
    kept, stopping = child.Child("node", environ, say), asyncio.Event()
    kept.spare = await kept._start("server.child")
    keeping = asyncio.create_task(kept.keep(stopping))
    first = await asyncio.wait_for(lives.get(), 30)
    while kept.spare is None:  # noqa: ASYNC110 - looked at from outside, as an operator would
        await asyncio.sleep(0.01)
    ready = kept.spare.pid
    os.kill(first, signal.SIGKILL)
    assert await asyncio.wait_for(lives.get(), 30) == ready
    stopping.set()
    kept.end()
    await asyncio.wait_for(keeping, 30)
    assert kept.spare is None or kept.spare.returncode is not None


async def test_a_stop_while_the_spare_is_made_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "SPARE_AFTER", 0.0)
    kept, stopping, made = child.Child("node", dict(os.environ), lambda line: None), asyncio.Event(), []
    start = kept._start

    async def slowly(module: str) -> asyncio.subprocess.Process:
        process = await start(module)
        made.append(process)
        if module == "server.child":
            stopping.set()
            kept.signal(signal.SIGKILL)
            await asyncio.sleep(0.2)
        return process

    monkeypatch.setattr(kept, "_start", slowly)
    await asyncio.wait_for(kept.keep(stopping), 30)
    assert len(made) == 2 and all(process.returncode is not None for process in made)
