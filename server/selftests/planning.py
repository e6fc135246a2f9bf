"""Planning two lessons at once on a school's line: a warning with the lessons named, never a refusal."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY
from server.lessons.models import Lesson
from server.scope import Scope
from server.selftests import store
from server.selftests.lines import RECENT, Crowd, Line, Use, carries, crowds, leading, measured, receiving
from server.selftests.schemas import LineWarning

NAMED = 20
"""Warnings that one answer names."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A lesson as lines see it."""

    id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    lead_room: str
    rooms: tuple[str, ...]

    def uses(self, of: dict[str, str]) -> dict[str, Use]:
        """school -> what it takes there; leading and receiving in one house go by one line."""
        found = {}
        for school in {of[one] for one in (self.lead_room, *self.rooms) if one in of}:
            here = sum(1 for one in self.rooms if of.get(one) == school)
            use = receiving(self.id, self.starts_at, self.ends_at, here)
            if of.get(self.lead_room) == school:
                led = leading(self.id, self.starts_at, self.ends_at, len(self.rooms))
                use = Use(self.id, self.starts_at, self.ends_at, use.up + led.up, use.down + led.down)
            found[school] = use
        return found


def planned(lesson: Lesson) -> Planned:
    rooms = tuple(receipt.room_id for receipt in lesson.receipts)
    return Planned(lesson.id, lesson.title, lesson.starts_at, lesson.ends_at, lesson.lead_room_id, rooms)


async def warnings(
    session: AsyncSession, scope: Scope, wanted: Sequence[Planned], now: datetime, without: Collection[str] = ()
) -> list[LineWarning]:
    """Only schools whose line was measured lately are judged: nobody is warned by a guess."""
    if not wanted:
        return []
    of = await store.school_of(session, scope, {room for one in wanted for room in (one.lead_room, *one.rooms)})
    rows = await store.measures(session, scope, set(of.values()), now - RECENT)
    lines = {school: line for school, held in rows.items() if (line := measured(held)) is not None}
    if not lines:
        return []
    first, last = min(one.starts_at for one in wanted), max(one.ends_at for one in wanted)
    there = [Planned(*one[:5], tuple(one[5])) for one in await store.lessons_at(session, scope, lines, first, last)]
    there = [one for one in there if one.id not in without]
    of |= await store.school_of(session, scope, {room for one in there for room in (one.lead_room, *one.rooms)})
    found = [(school, one) for school, line in lines.items() for one in _of_line(school, line, wanted, there, of)]
    names = {school.id: school.short_name for school in await store.schools(session, scope, lines)}
    known = {one.id: one for one in [*there, *wanted]}
    held = {one.id for one in there}
    found.sort(key=lambda pair: (pair[1].wanted.starts_at, pair[0]))
    return [_said(school, names[school], lines[school], crowd, known, held) for school, crowd in found[:NAMED]]


def _of_line(
    school: str, line: Line, wanted: Sequence[Planned], there: Sequence[Planned], of: dict[str, str]
) -> list[Crowd]:
    new = [use for one in wanted if (use := one.uses(of).get(school))]
    held = [use for one in there if (use := one.uses(of).get(school))]
    return crowds(new, held, line)


def _said(
    school: str, name: str, line: Line, crowd: Crowd, known: dict[str, Planned], held: Collection[str]
) -> LineWarning:
    other, wanted = known[crowd.others[0].lesson], known[crowd.wanted.lesson]
    start, end = other.starts_at.astimezone(CITY), other.ends_at.astimezone(CITY)
    return LineWarning(
        school=school,
        name=name,
        up_kbps=line.up,
        down_kbps=line.down,
        carries=carries(line, leads=False),
        lesson=other.id if other.id in held else "",
        title=other.title,
        day=f"{start:%Y-%m-%d}",
        time=f"{start:%H:%M}–{end:%H:%M}",
        wanted=wanted.id,
        wanted_title=wanted.title,
    )
