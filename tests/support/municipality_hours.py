"""The ordinary hours (本校课表) of a municipality's lead teachers and rooms: where neither has anything else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.support.bulk import Row
from tests.support.municipality_names import PERIODS

DAYS = 5


def ordinary_hours(
    classrooms: Sequence[Row],
    slots: Sequence[Row],
    rooms: Sequence[Row],
    wanted: int,
    new_id: Callable[[], str],
) -> list[Row]:
    """Of each lead teacher in turn, every third in the lead room, by the bell; fewer where weeks are full."""
    school_of = {one["id"]: one["school_id"] for one in rooms}
    by_id = {one["id"]: one for one in classrooms}
    taken: set[tuple[str, int, int]] = set()
    for slot in slots:
        led = by_id[slot["classroom_id"]]
        taken.update((held, slot["weekday"], slot["period"]) for held in (led["lead_teacher_id"], led["lead_room_id"]))
    rows: list[Row] = []
    for turn in range(DAYS * len(PERIODS)):
        for number, one in enumerate(classrooms):
            weekday, period = 1 + (number + turn) % DAYS, 1 + (number + turn) % len(PERIODS)
            room = one["lead_room_id"] if number % 3 == 0 else None
            cells = {(held, weekday, period) for held in (one["lead_teacher_id"], room) if held}
            if len(rows) < wanted and taken.isdisjoint(cells):
                taken |= cells
                rows.append(_hour(one, new_id(), school_of[one["lead_room_id"]], room, weekday, period))
    return rows


def _hour(classroom: Row, id_: str, school: str, room: str | None, weekday: int, period: int) -> Row:
    return {
        "id": id_, "school_id": school, "term": classroom["term"], "weekday": weekday, "period": period,
        "starts": PERIODS[period - 1], "minutes": 40, "weeks": "all", "follows_bell": True,
        "subject": classroom["subject"], "teacher_id": classroom["lead_teacher_id"], "room_id": room,
    }  # fmt: skip
