"""Three minutes in which lessons come and go: memory flat, no task left, no file left open (the long one: by flag)."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.processes import ROOT

pytestmark = pytest.mark.slow

MINUTES, LESSONS = 3, 3


def test_three_minutes_leave_nothing_behind() -> None:
    words = [sys.executable, "-m", "tests.bench.city", "--minutes", str(MINUTES), "--lessons", str(LESSONS)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=MINUTES * 60 + 240, check=False)
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0 and figures["flat"], done.stdout + done.stderr[-2000:]
