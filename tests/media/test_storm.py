"""Twenty thousand hostile datagrams a second must not take the sound away.

``TONGTANG_TEST_STORM_SECONDS=50`` is the full storm, for a machine that does nothing else meanwhile.
"""

from __future__ import annotations

import os

import pytest

from media.cengine import find_native
from tests.support.storm import weather

SECONDS = float(os.environ.get("TONGTANG_TEST_STORM_SECONDS", "5"))
ENGINES = ["python"] + (["native"] if find_native() else [])


@pytest.mark.slow
@pytest.mark.alone  # a node that gets no processor for 100 ms loses what its socket cannot hold, storm or not
@pytest.mark.parametrize("engine", ENGINES)
def test_sound_survives_a_storm(engine: str) -> None:
    seen = weather(engine, rooms=3, rate=20_000, seconds=SECONDS)
    print(seen)
    assert seen.hostile > 4_000 * SECONDS, "there was a storm"
    assert seen.rejected > 0
    assert seen.lost <= max(1, 0.001 * seen.expected), seen
