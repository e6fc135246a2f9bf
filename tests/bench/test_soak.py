"""Three minutes in which lessons come and go, five at a time: memory flat, no task left, no file left open.

``tests/run.sh all`` lets it run beside the others from the beginning: it shows fewer pictures a second and takes a
quarter of a core. The long one, thirty lessons as they are: ``sh tests/run.sh bench city --minutes 120``.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.support.processes import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.soak]

MINUTES, LESSONS = 3, 5


def test_three_minutes_leave_nothing_behind() -> None:
    words = [sys.executable, "-m", "tests.bench.city", "--gentle", "--minutes", str(MINUTES), "--lessons", str(LESSONS)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=MINUTES * 60 + 240, check=False)
    figures = json.loads(done.stdout.strip().splitlines()[-1])
    assert done.returncode == 0 and figures["flat"], done.stdout + done.stderr[-2000:]
    assert figures["ended"] > LESSONS * 3, figures
