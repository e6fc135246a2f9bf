"""Imports run one way, and only the edges know sockets, tasks and clocks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tests.support.tree import imports, python_files, tree

# What the web may take of a live room: values both sides agree on, no behaviour of a room.
CONTRACT_FILES = ("seats", "facts", "messages", "ports")
# One file opens the object store that web and node share.
OPENS_THE_STORE = Path("server/objectstore.py")
STORE_MODULE = "signaling.net.objectstore"

WORLD = {"asyncio", "socket", "select", "selectors", "threading", "time", "sched", "multiprocessing", "subprocess"}
# OpenSSL keeps its own retransmission clock; the one file that drives it may read ours.
EXCEPTIONS = {Path("media/transport/dtls.py")}
# Declares what net/ implements; it runs nothing itself.
DECLARES_ASYNC = {Path("signaling/ports.py")}

CORE = [
    path
    for path in python_files("media", "signaling")
    if "net" not in path.parts and path.name != "__main__.py" and path not in EXCEPTIONS
]


def test_import_linter_contracts_hold() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-3000:]


@pytest.mark.parametrize("path", python_files("server"), ids=str)
def test_the_web_takes_only_contract_files(path: Path) -> None:
    for name in imports(path):
        top, _, rest = name.partition(".")
        assert top != "media", f"{path} imports {name}: the web never touches packets"
        if top != "signaling":
            continue
        if path == OPENS_THE_STORE and name.startswith(STORE_MODULE):
            continue
        assert rest.split(".")[0] in CONTRACT_FILES, f"{path} imports {name}: only {CONTRACT_FILES} are for the web"


@pytest.mark.parametrize("path", CORE, ids=str)
def test_the_core_knows_no_world(path: Path) -> None:
    """Everything but net/, __main__.py and the named exceptions takes ``now`` and returns values."""
    worldly = {name for name in imports(path) if name.split(".")[0] in WORLD}
    assert not worldly, f"{path} imports {sorted(worldly)}: take `now` instead, or move it to net/"
    if path in DECLARES_ASYNC:
        return
    coroutines = [node.name for node in ast.walk(tree(path)) if isinstance(node, ast.AsyncFunctionDef)]
    assert not coroutines, f"{path} has coroutines {coroutines}: only net/ and __main__.py may"


@pytest.mark.parametrize("path", CORE, ids=str)
def test_the_core_reads_no_clock_by_another_name(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute):
            assert node.attr not in {"now", "utcnow", "today"} or not _is_datetime(node.value), (
                f"{path}:{node.lineno} reads a clock"
            )


def _is_datetime(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"datetime", "date"}
