"""What a publisher's packets suffer on their way to us, by both engines."""

from __future__ import annotations

from typing import Any

import pytest

from media.cengine import CEngine, find_native
from media.pyengine import PythonEngine
from tests.support.media_hall import KEY, Hall, Lesson

native = pytest.mark.skipif(find_native() is None, reason="the native engine was not built")


@pytest.mark.parametrize("engine", [PythonEngine, pytest.param(lambda: CEngine(find_native()), marks=native)])
def test_a_publishers_loss_and_jitter_are_counted_and_forgotten(engine: Any) -> None:
    hall = Hall(engine=engine(), silence_s=3600)
    lesson = Lesson(hall)

    def up() -> tuple[float | None, float | None]:
        stats = {one.transport: one for one in hall.sfu.stats("lesson")}
        assert stats["room"].up_loss is None and stats["room"].up_jitter_ms is None, "it sends nothing"
        return stats["teacher"].up_loss, stats["teacher"].up_jitter_ms

    def send(seconds: int, lose: int) -> None:
        for number in range(seconds * 50):
            if lose and number % lose == 0:
                lesson.video.packet(KEY)  # never arrives
            else:
                lesson.video.send(KEY)
            hall.run(0.02)

    assert up() == (None, None)
    send(3, 0)
    loss, jitter = up()
    assert loss == 0.0 and jitter is not None and jitter >= 0
    send(8, 10)
    loss, _ = up()
    assert loss is not None and 0.07 < loss < 0.13
    send(20, 0)
    assert (up()[0] or 0.0) < 0.01
