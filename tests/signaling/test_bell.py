"""When a lesson ends by itself."""

from __future__ import annotations

import pytest

from signaling.bell import AUTO_CLOSE_MS, DISPOSE_AFTER_MS, TEACHER_GONE_MS, due
from signaling.room import RoomState
from tests.support.signaling import make_spec

SPEC = make_spec(starts_at_ms=0)
LATE = SPEC.ends_at_ms + AUTO_CLOSE_MS + 1


@pytest.mark.parametrize(
    ("state", "room_ms", "at_ms", "seen_ms", "expected"),
    [
        (RoomState(phase="live"), LATE, LATE, 0, "close"),
        (RoomState(phase="waiting"), LATE, LATE, 0, "end"),
        (RoomState(phase="live"), LATE, LATE - 1, 0, None),
        (RoomState(phase="live"), LATE, LATE, LATE - TEACHER_GONE_MS, None),
        (RoomState(phase="waiting"), 1_000, LATE, 0, None),  # a rehearsal long after the planned end was just opened
        (RoomState(phase="closed", closed_ms=0), DISPOSE_AFTER_MS, 0, 0, None),
        (RoomState(phase="closed", closed_ms=0), DISPOSE_AFTER_MS + 1, 0, 0, "end"),
    ],
)
def test_due(state: RoomState, room_ms: int, at_ms: int, seen_ms: int, expected: str | None) -> None:
    assert due(SPEC, state, room_ms, at_ms, seen_ms) == expected
