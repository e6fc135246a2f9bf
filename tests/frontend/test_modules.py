"""Runs the browser modules' own tests (``node --test``); skipped, with a line, without Node. tests/run.sh has tsc read
their types."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="node is not installed: the browser modules are not tested")


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)


@needs_node
def test_modules() -> None:
    files = sorted(str(path) for path in Path(__file__).parent.glob("*.test.mjs"))
    assert files
    done = _run(str(NODE), "--test", *files)
    assert done.returncode == 0, done.stdout + done.stderr
