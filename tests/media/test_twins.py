"""Both packet engines, step by step through made-up lessons: identical bytes, events and answers."""

from __future__ import annotations

import os

import pytest

from media.cengine import CEngine, find_native
from media.pyengine import PythonEngine
from tests.support.twins import Play

NATIVE = find_native()
STEPS = 300
FEW, MANY = 2, int(os.environ.get("TONGTANG_TEST_LESSONS", "40"))

pytestmark = pytest.mark.skipif(NATIVE is None, reason="the C twin is not built here")


@pytest.mark.parametrize("lessons", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
def test_random_lessons_leave_both_twins_alike(lessons: int, capsys: pytest.CaptureFixture[str]) -> None:
    compared = calls = 0
    for seed in range(lessons):
        play = Play((lambda r: PythonEngine(True, r), lambda r: CEngine(NATIVE, r)), seed)
        try:
            play.run(STEPS)
        except AssertionError as error:
            error.add_note(f"lesson {seed}")
            raise
        compared, calls = compared + play.compared, calls + play.twins.calls
    with capsys.disabled():
        print(f" [{lessons} lessons, {calls} calls, {compared} packets alike]", end="")
    assert compared > 100 * lessons
