"""Imports run one way, and only the edges know sockets, tasks and clocks."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

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


def test_the_web_takes_only_contract_files() -> None:
    wrong = [
        f"{path} imports {name}"
        for path in python_files("server")
        for name in imports(path)
        if not _allowed(path, name)
    ]
    assert wrong == [], f"the web never touches packets, and of signaling takes only {CONTRACT_FILES}"


def _allowed(path: Path, name: str) -> bool:
    top, _, rest = name.partition(".")
    if top == "signaling":
        opens_the_store = path == OPENS_THE_STORE and name.startswith(STORE_MODULE)
        return opens_the_store or rest.split(".")[0] in CONTRACT_FILES
    return top != "media"


def test_the_core_knows_no_world() -> None:
    """Everything but net/, __main__.py and the named exceptions takes ``now`` and returns values."""
    worldly = [f"{path} imports {name}" for path in CORE for name in imports(path) if name.split(".")[0] in WORLD]
    assert worldly == [], "take `now` instead, or move it to net/"


def test_only_the_edges_have_coroutines() -> None:
    found = [
        f"{path}:{node.lineno} {node.name}"
        for path in CORE
        if path not in DECLARES_ASYNC
        for node in ast.walk(tree(path))
        if isinstance(node, ast.AsyncFunctionDef)
    ]
    assert found == [], "only net/ and __main__.py may"


def test_the_core_reads_no_clock_by_another_name() -> None:
    found = [
        f"{path}:{node.lineno}"
        for path in CORE
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in {"now", "utcnow", "today"} and _is_datetime(node.value)
    ]
    assert found == []


def _is_datetime(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in {"datetime", "date"}


def test_the_core_is_not_empty() -> None:
    assert len(CORE) > 40
