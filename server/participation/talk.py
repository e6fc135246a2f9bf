"""Who talked in a lesson, and for how long, from Spoke facts. Pure.

Rule: a moment counts once for a seat however many facts cover it, and only while the lesson was open: who has the
class to herself is not teaching it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.participation.intervals import Intervals, intersection, length, union
from signaling.facts import Fact

LONGEST_TALK_MS = 5 * 60_000
"""Nodes cut every minute; a longer one means that a clock was set meanwhile."""


@dataclass(frozen=True, slots=True)
class Talk:
    """``room`` is None for the lead teacher."""

    seat: str
    room: str | None
    spoke: Intervals

    @property
    def ms(self) -> int:
        return length(self.spoke)


def talks(facts: Iterable[Fact], opened: Intervals) -> list[Talk]:
    """By seat: the lead teacher first, then the rooms by id."""
    spans: dict[tuple[bool, str, str | None], list[tuple[int, int]]] = {}
    for fact in facts:
        if fact.kind != "Spoke":
            continue
        start, end = int(fact.data["from_at"]), int(fact.data["to_at"])
        if 0 < end - start <= LONGEST_TALK_MS:
            leads = fact.data["role"] == "teacher"
            spans.setdefault((not leads, str(fact.data["seat"]), None if leads else fact.room), []).append((start, end))
    return [
        Talk(seat, room, intersection(union(found), opened))
        for (_, seat, room), found in sorted(spans.items(), key=lambda item: item[0][:2])
    ]
