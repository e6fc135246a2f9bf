"""Runs the browser modules' own tests (``node --test``) and their type check; skipped, with a line, without Node."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODE = shutil.which("node")
TSC = ROOT / "node_modules" / "typescript" / "bin" / "tsc"

needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed: the browser modules are not tested")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@needs_node
def test_modules() -> None:
    files = sorted(str(path) for path in Path(__file__).parent.glob("*.test.mjs"))
    assert files
    done = _run(str(NODE), "--test", *files)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_node
@pytest.mark.slow
def test_types() -> None:
    if not TSC.is_file():
        pytest.skip("typescript is not installed (npm ci --ignore-scripts): the browser modules' types are not checked")
    done = _run(str(NODE), str(TSC), "-p", ".")
    assert done.returncode == 0, done.stdout + done.stderr
