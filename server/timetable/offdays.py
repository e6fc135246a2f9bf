"""Days on which a lesson is put by hand and should not be: public holidays are refused, the rest is told to who plans.

A school's days away and a day outside every term are that administrator's word: a make-up lesson may well lie there.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date
from server.errors import ConflictError
from server.lessons.models import Lesson
from server.schools.models import Room
from server.scope import Scope
from server.timetable import store


async def refuse_holiday(session: AsyncSession, scope: Scope, kind: str, starts_at: datetime) -> None:
    """Trials and drills may be held on a holiday: they count for nothing."""
    day = city_date(starts_at)
    held = await store.calendar_day(session, scope, day)
    if kind == "formal" and held is not None and held.kind == "holiday":
        raise ConflictError("lesson_holiday", day=day.isoformat(), name=held.name)


async def away(session: AsyncSession, scope: Scope, lesson: Lesson) -> list[tuple[str, dict[str, str]]]:
    """What speaks against the lesson's day, as (key of "timetable.off", words)."""
    day = city_date(lesson.starts_at)
    rooms: list[Room] = [lesson.lead_room, *(one.room for one in lesson.receipts)]
    schools = {room.school_id: room.school.short_name for room in rooms}
    spans = await store.spans(session, scope, sorted(schools), day, day)
    found = [("span", {"school": schools[one.school_id], "name": one.name}) for one in spans]
    term = await store.term_on(session, scope, day)
    if term is not None and day > term.ends_on:
        found.append(("term", {"name": term.name}))
    return found
