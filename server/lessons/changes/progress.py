"""进度: what each receiving class of a classroom should have had by now and has had, and which lessons it still misses.

A 停课 without 补课 leaves a class behind; so does a lesson it did not receive. What repays a lesson stands for it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms import service as classrooms
from server.clock import CITY
from server.lessons.changes import store
from server.lessons.changes.schemas import ProgressRow
from server.lessons.lifecycle import REPLANNED
from server.lessons.models import Lesson
from server.scope import Scope


async def progress(session: AsyncSession, scope: Scope, classroom_id: str, now: datetime) -> list[ProgressRow]:
    classroom = await classrooms.get(session, scope, classroom_id)
    lessons = await store.of_classroom(session, scope, classroom_id, now)
    effective = await store.received(session, scope, [one.id for one in lessons])
    owed = [one for one in lessons if one.repays_id is None and one.cancel_reason != REPLANNED]
    repaid = {one.repays_id: one for one in lessons if one.repays_id}
    rows = []
    for held in classroom.receivers:
        mine = [one for one in owed if any(receipt.room_id == held.room_id for receipt in one.receipts)]
        lost = [one for one in mine if not _had(one, repaid.get(one.id), held.room_id, effective)]
        had = [one for one in lessons if (one.id, held.room_id) in effective]
        rows.append(
            ProgressRow(
                room=held.room_id,
                room_name=held.room.name,
                school=held.room.school.short_name,
                planned=len(mine),
                received=len(mine) - len(lost),
                behind=len(lost),
                school_class=held.school_class.called if held.school_class else None,
                lost=[one.id for one in lost],
                lost_parts=[f"{one.starts_at.astimezone(CITY):%m-%d} {_words(one)}" for one in lost],
                last_part=_words(had[-1]) if had else None,
            )
        )
    return rows


def _had(lesson: Lesson, repaying: Lesson | None, room: str, effective: set[tuple[str, str]]) -> bool:
    return (lesson.id, room) in effective or (repaying is not None and (repaying.id, room) in effective)


def _words(lesson: Lesson) -> str:
    """册 · 单元 · 课时 where they are given, else the title."""
    return " · ".join(word for word in (lesson.volume, lesson.unit, lesson.part) if word) or lesson.title
