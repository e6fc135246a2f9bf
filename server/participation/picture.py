"""How long a room had stills or sound alone of a lesson's picture, from Quality facts. Pure.

Rule: only while the lesson was open, and each moment once. What is shorter than a tenth of a minute is a step on the
way to another quality.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server.participation.intervals import Intervals, intersection, length, union
from signaling.facts import Fact

LONGEST_STRETCH_MS = 5 * 60_000
"""Nodes cut every minute; a longer one means that a clock was set meanwhile."""
LEAST_MS = 6_000


@dataclass(frozen=True, slots=True)
class Picture:
    stills: Intervals
    sound: Intervals

    @property
    def stills_ms(self) -> int:
        return _told(self.stills)

    @property
    def sound_ms(self) -> int:
        return _told(self.sound)


def pictures(facts: Iterable[Fact], opened: Intervals) -> dict[str, Picture]:
    """By receiving room; none for a room of which no node said anything."""
    spans: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for fact in facts:
        if fact.kind != "Quality" or fact.room is None or fact.data["role"] != "class":
            continue
        start, end = int(fact.data["from_at"]), int(fact.data["to_at"])
        if 0 < end - start <= LONGEST_STRETCH_MS:
            spans.setdefault(fact.room, {}).setdefault(str(fact.data["gets"]), []).append((start, end))
    return {
        room: Picture(*(intersection(union(found.get(gets, ())), opened) for gets in ("stills", "sound")))
        for room, found in spans.items()
    }


def _told(intervals: Intervals) -> int:
    ms = length(intervals)
    return ms if ms >= LEAST_MS else 0
