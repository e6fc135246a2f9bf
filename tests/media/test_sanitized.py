"""The C engine under AddressSanitizer and UndefinedBehaviorSanitizer: no wrong access, whatever comes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import native
from tests.support.processes import ROOT

SECONDS = float(os.environ.get("TONGTANG_TEST_FUZZ_SECONDS", "15"))
FLAGS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer", "-O1")


def sanitizer() -> str | None:
    """The runtime that must be there before Python is."""
    compiler = native.compiler()
    if compiler is None:
        return None
    found = subprocess.run([compiler, "-print-file-name=libasan.so"], capture_output=True, text=True, check=True)
    path = Path(found.stdout.strip())
    return str(path) if path.is_absolute() and path.exists() else None


@pytest.mark.slow
@pytest.mark.skipif(sanitizer() is None, reason="no C compiler with sanitizers, or no Python headers, here")
def test_nothing_is_read_or_written_that_should_not_be(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = native.build(tmp_path, *FLAGS)
    command = [sys.executable, "-m", "tests.support.hostile", str(made), "1", str(SECONDS)]
    settings = {"LD_PRELOAD": str(sanitizer()), "ASAN_OPTIONS": "detect_leaks=0:abort_on_error=0"}
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **settings}, capture_output=True, text=True, check=False, timeout=600
    )
    with capsys.disabled():
        print(f" [{done.stdout.strip()}]", end="")
    assert done.returncode == 0, done.stderr[-4000:]
    assert "hostile cases" in done.stdout
