"""When a lesson is recorded."""

from __future__ import annotations

import pytest

from signaling.recording import due
from signaling.room import Recording, RoomState
from tests.support.signaling import make_spec

SPEC = make_spec(starts_at_ms=1_000)


@pytest.mark.parametrize(
    ("state", "at_ms", "sends", "expected"),
    [
        (RoomState(), 999, True, None),
        (RoomState(), 1_000, False, None),
        (RoomState(), 1_000, True, "timetable"),
        (RoomState(recording=Recording(on=True)), 2_000, False, "timetable"),  # her line was cut: it stays on
        (RoomState(phase="live"), 0, False, "opened"),
        (RoomState(phase="closed"), 5_000, True, None),
    ],
)
def test_due(state: RoomState, at_ms: int, sends: bool, expected: str | None) -> None:
    assert due(SPEC, state, at_ms, sends) == expected


def test_not_when_it_shall_not_be() -> None:
    assert due(SPEC.model_copy(update={"record": False}), RoomState(phase="live"), 5_000, True) is None
