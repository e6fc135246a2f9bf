"""When a lesson ends without anybody's click. Pure.

A closed lesson waits five minutes, because 下课 can be undone; a forgotten one is closed half an hour after its planned end.
"""

from __future__ import annotations

from typing import Literal

from signaling.messages import RoomSpec
from signaling.room import REOPEN_WITHIN_MS, RoomState

AUTO_CLOSE_MS = 30 * 60 * 1000
"""After the planned end, if the teacher is gone: a forgotten lesson must not count or record for ever."""
DISPOSE_AFTER_MS = REOPEN_WITHIN_MS + 10_000
"""After 下课; a little later than the last moment at which the close can be undone."""


def due(
    spec: RoomSpec, state: RoomState, room_ms: int, at_ms: int, teacher_here: bool
) -> Literal["close", "end"] | None:
    """ "close": write the lesson's close; "end": the room itself is over."""
    if state.phase == "closed":
        return "end" if state.closed_ms is not None and room_ms - state.closed_ms > DISPOSE_AFTER_MS else None
    if teacher_here or at_ms <= spec.ends_at_ms + AUTO_CLOSE_MS:
        return None
    return "close" if state.phase == "live" else "end"
