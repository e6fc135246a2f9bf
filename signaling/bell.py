"""When a lesson ends without anybody's click. Pure.

A closed lesson waits five minutes, because 下课 can be undone; a forgotten one is closed half an hour after its
planned end.
"""

from __future__ import annotations

from typing import Literal

from signaling.messages import RoomSpec
from signaling.room import REOPEN_WITHIN_MS, RoomState

AUTO_CLOSE_MS = 30 * 60 * 1000
"""After the planned end, if the teacher is gone: a forgotten lesson must not count or record for ever."""
TEACHER_GONE_MS = 5 * 60 * 1000
"""So long without the teacher is gone, not a cut line; also what a late rehearsal (试讲) has to be entered."""
DISPOSE_AFTER_MS = REOPEN_WITHIN_MS + 10_000
"""After 下课; a little later than the last moment at which the close can be undone."""


def due(
    spec: RoomSpec, state: RoomState, room_ms: int, at_ms: int, teacher_seen_ms: int
) -> Literal["close", "end"] | None:
    """``teacher_seen_ms``: room time at which the teacher was last here, or at which this node took the room up.

    "close": write the lesson's close; "end": the room itself is over.
    """
    if state.phase == "closed":
        return "end" if state.closed_ms is not None and room_ms - state.closed_ms > DISPOSE_AFTER_MS else None
    if at_ms <= spec.ends_at_ms + AUTO_CLOSE_MS or room_ms - teacher_seen_ms <= TEACHER_GONE_MS:
        return None
    return "close" if state.phase == "live" else "end"
