"""What a change of a lesson is made of: the plan before and after as plain words, and putting the one back.

Pure but for the rows it is handed. Only what differs is kept, so that undoing one change leaves a later one standing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from server.lessons.models import Lesson, LessonChange, Receipt

MOMENTS = ("starts_at", "ends_at", "cancelled_at", "moved_from")
PLAIN = (
    "state",
    "cancel_reason",
    "cancelled_by",
    "teacher_id",
    "lead_room_id",
    "lead_class_id",
    "title",
    "kind",
    "form",
    "edition",
    "volume",
    "unit",
    "part",
)
OF_RECEIPT = ("room_id", "assistant_id", "class_id", "expected")


def snapshot(lesson: Lesson, receipts: Sequence[Receipt] | None = None) -> dict[str, Any]:
    """The whole plan, flat: "receipt.<id>.room_id" for what belongs to a receiving room. ``receipts``: of a lesson that
    was just made, where loading them would ask for each lesson anew."""
    held: dict[str, Any] = {name: getattr(lesson, name) for name in PLAIN}
    held |= {name: _word(getattr(lesson, name)) for name in MOMENTS}
    for receipt in lesson.receipts if receipts is None else receipts:
        held |= {f"receipt.{receipt.id}.{name}": getattr(receipt, name) for name in OF_RECEIPT}
    return held


def _word(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None


def difference(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(before, after) of what changed only."""
    changed = [key for key in after if before.get(key) != after[key]]
    return {key: before.get(key) for key in changed}, {key: after[key] for key in changed}


def stands(lesson: Lesson, after: dict[str, Any]) -> bool:
    """Whether the lesson still says what the change made it say: a later change of the same thing comes first."""
    now = snapshot(lesson)
    return all(key in now and now[key] == value for key, value in after.items() if key != "state") and (
        "state" not in after or _same_side(now["state"], after["state"])
    )


def _same_side(now: str, then: str) -> bool:
    return (now == "cancelled") == (then == "cancelled")


def put_back(lesson: Lesson, before: dict[str, Any]) -> None:
    """Everything but the state, which only the lifecycle's table changes."""
    receipts: dict[str, Receipt] = {receipt.id: receipt for receipt in lesson.receipts}
    for key, value in before.items():
        if key == "state":
            continue
        if key in MOMENTS:
            setattr(lesson, key, datetime.fromisoformat(value) if value else None)
        elif key in PLAIN:
            setattr(lesson, key, value)
        else:
            _, receipt, name = key.split(".")
            setattr(receipts[receipt], name, value)


def lost_seat(row: LessonChange, lesson: Lesson) -> str:
    """Whose seat in the live room is theirs no more once the change is undone; "" where nobody changes places."""
    rooms = {receipt.id: receipt.room_id for receipt in lesson.receipts}
    for key, value in row.after.items():
        _, receipt, name = key.split(".") if key.startswith("receipt.") else ("", "", key)
        if name == "teacher_id":
            return f"t-{value}"
        if name == "lead_room_id":
            return f"t-{lesson.teacher_id}"
        if name == "room_id":
            return f"r-{value}"
        if name == "assistant_id":
            return f"a-{rooms[receipt]}"
    return ""
