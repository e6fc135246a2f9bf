"""What a figure rests on: a lesson's open times and every visible room's intervals, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY, from_ms, to_ms
from server.errors import NotFoundError
from server.lessons.models import Lesson
from server.participation import store
from server.participation.intervals import Interval, Intervals, gaps, union
from server.participation.models import Attendance
from server.participation.moments import corrected
from server.participation.picture import Picture, pictures
from server.participation.receipts import opened
from server.participation.schemas import sound
from server.participation.talk import Talk, talks
from server.schools.models import Room
from server.scope import SYSTEM, Scope
from signaling.facts import Fact

MARGIN_MS = 4 * 60_000
"""Shown before the bell and after it: joins and sign-ins happen there."""

BLINK_MS = 1000


@dataclass(frozen=True, slots=True)
class MadeGood:
    """补签 as the ledger has it; ids of people."""

    person: str
    asked_by: str
    approved_by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RoomEvidence:
    room: Room
    row: Attendance
    plan: Interval
    spoke: Intervals
    picture: Picture | None
    """None: no node said anything of it."""
    mended: MadeGood | None

    @property
    def heard_share(self) -> float:
        return self.row.heard_ms / self.row.planned_ms

    @property
    def missed(self) -> Intervals:
        """What the room did not hear of the plan, as far as it is longer than a blink."""
        heard = union((start, end) for start, end in self.row.heard)
        return tuple(gap for gap in gaps(heard, self.plan) if gap[1] - gap[0] >= BLINK_MS)


@dataclass(frozen=True, slots=True)
class Evidence:
    lesson: Lesson
    open: Intervals
    rooms: list[RoomEvidence]
    facts: int
    span: Interval
    """[from, to) of the picture, Unix ms."""
    talks: list[Talk]
    """Who talked, the lead teacher first; of visible rooms."""
    names: dict[str, str]
    """Of the people of 补签."""

    def talk_share(self, talk: Talk) -> float:
        """Of the time in which anybody talked."""
        return talk.ms / max(1, sum(one.ms for one in self.talks))

    def place(self, talk: Talk) -> Room:
        """The classroom it was said in."""
        rooms = {held.room.id: held.room for held in self.rooms}
        return rooms.get(talk.room or "", self.lesson.lead_room)

    def at(self, ms: int, width: int) -> float:
        """Where a moment lies on a picture ``width`` wide; outside ones on its edge."""
        start, end = self.span
        return round(width * (min(max(ms, start), end) - start) / (end - start), 2)

    def clock(self, ms: int) -> str:
        """HH:MM:SS by the city's clock, the same in every language."""
        return from_ms(ms).astimezone(CITY).strftime("%H:%M:%S")

    def ticks(self) -> list[tuple[int, datetime]]:
        """Full five minutes inside the picture."""
        step = 5 * 60_000
        first = -(-self.span[0] // step) * step
        return [(ms, from_ms(ms)) for ms in range(first, self.span[1], step)]


async def evidence(session: AsyncSession, scope: Scope, lesson_id: str) -> Evidence:
    """Of the rooms in the asker's scope; nothing for lessons that have none there."""
    rows = {row.room_id: row for row in await store.attendance(session, scope, [lesson_id])}
    lesson = await store.lesson_shown(session, scope, lesson_id) if rows else None
    if lesson is None:
        raise NotFoundError
    entries = (await store.entries(session, SYSTEM, [lesson_id]))[lesson_id]
    facts = corrected(entry for entry in entries if sound(entry.fact))
    plan = (to_ms(lesson.starts_at), to_ms(lesson.ends_at))
    held = opened(facts)
    talked = [talk for talk in talks(facts, held) if talk.room is None or talk.room in rows]
    spoke = {talk.room: talk.spoke for talk in talked}
    got = pictures(facts, held)
    mended = {fact.room: _made_good(fact) for fact in facts if fact.kind == "SignInMadeGood" and fact.room in rows}
    people = {id_ for one in mended.values() for id_ in (one.person, one.asked_by, one.approved_by)}
    rooms = [
        RoomEvidence(
            receipt.room,
            rows[receipt.room_id],
            plan,
            spoke.get(receipt.room_id, ()),
            got.get(receipt.room_id),
            mended.get(receipt.room_id),
        )
        for receipt in lesson.receipts
        if receipt.room_id in rows
    ]
    span = (plan[0] - MARGIN_MS, plan[1] + MARGIN_MS)
    return Evidence(lesson, held, rooms, len(entries), span, talked, await store.names(session, SYSTEM, people))


def _made_good(fact: Fact) -> MadeGood:
    told = {name: str(fact.data[name]) for name in ("person", "asked_by", "approved_by", "reason")}
    return MadeGood(**told, at=from_ms(fact.at_ms))
