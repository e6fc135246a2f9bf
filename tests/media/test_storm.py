"""Twenty thousand hostile datagrams a second must not take the sound away. The full 50 s: ``bench join --storm``."""

from __future__ import annotations

import pytest

from media.cengine import find_native
from tests.support.storm import weather

ENGINES = ["python"] + (["native"] if find_native() else [])


@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_sound_survives_a_storm(engine: str) -> None:
    seen = weather(engine, rooms=3, rate=20_000, seconds=5.0)
    assert seen.hostile > 20_000, "there was a storm"
    assert seen.rejected > 0
    assert seen.lost <= max(1, 0.001 * seen.expected), seen
