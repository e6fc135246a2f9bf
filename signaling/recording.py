"""When a lesson is recorded: by the timetable, nobody presses a button. Pure.

From the opening, or from the planned beginning if the teacher is already sending, until the close. Only the lead
teacher's camera, microphone and shared screen with its sound: pupils are not recorded before consent exists
(domain.md section 9).
"""

from __future__ import annotations

from media.parameters import Source
from signaling.messages import RoomSpec
from signaling.room import RoomState

RECORDED: frozenset[Source] = frozenset({"camera", "mic", "screen", "screen-audio"})


def due(spec: RoomSpec, state: RoomState, at_ms: int, teacher_sends: bool) -> str | None:
    """The reason why it should be running now, None if it should not."""
    if not spec.record or state.phase == "closed":
        return None
    if state.phase == "live":
        return "opened"
    if at_ms >= spec.starts_at_ms and (teacher_sends or state.recording.on):
        return "timetable"
    return None
