"""课堂类型 of many lessons at once: of all that a classroom still has before it, or of some of them.

Nobody is disturbed. What followed its timetable goes on following it, so the whole classroom's type is the classroom's
own as well: what is published later carries it.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.classrooms import service as classrooms
from server.errors import ForbiddenError, NotFoundError
from server.ids import new_id
from server.lessons import service
from server.lessons import store as lessons
from server.lessons.changes import store as changes
from server.lessons.changes.record import difference, snapshot
from server.lessons.changes.schemas import FormsBody, ManyDone
from server.lessons.lifecycle import AHEAD
from server.lessons.models import Lesson
from server.lessons.schemas import LessonFilter
from server.outbox import service as outbox
from server.outbox.events import of_lesson
from server.scope import SYSTEM, Scope
from server.timetable import lessons_made

MOST = 500
"""A classroom's lessons of a term; a daily one has a hundred."""


async def ahead(session: AsyncSession, scope: Scope, classroom_id: str, now: datetime) -> list[Lesson]:
    """Its lessons to come, in order."""
    wanted = LessonFilter(classroom_id=classroom_id, starts_from=now, states=tuple(sorted(AHEAD)), limit=MOST)
    return await lessons.lessons(session, scope, wanted)


async def set_form(session: AsyncSession, scope: Scope, classroom_id: str, body: FormsBody, now: datetime) -> ManyDone:
    """Of the lessons named; none named: of all to come, and of the classroom itself."""
    classroom = await classrooms.get(session, scope, classroom_id)
    if not body.lessons and not classrooms.may(scope, "classroom.write", classroom):
        raise ForbiddenError
    found = await ahead(session, scope, classroom_id, now)
    some = [one for one in found if not body.lessons or one.id in body.lessons]
    if not set(body.lessons).issubset({one.id for one in some}):
        raise NotFoundError
    if not all(service.may(scope, "lesson.create", one) for one in some):
        raise ForbiddenError
    held = await changes.locked(session, scope, [one.id for one in some if one.form != body.form])
    by_hand = await lessons_made.by_hand(session, SYSTEM, [classroom_id])
    batch, rows = new_id(), []
    person = await session.get(Person, scope.person) if scope.person else None
    if not body.lessons:
        classroom.form = body.form
    for lesson in held:
        before = snapshot(lesson)
        lesson.form = body.form
        lesson.sequence, lesson.changed_at = lesson.sequence + 1, now
        follows = not body.lessons and lesson.origin is not None and lesson.id not in by_hand
        was, became = difference(before, snapshot(lesson))
        kind = "renew" if follows else "about"
        row: dict[str, Any] = {"batch": batch, "lesson_id": lesson.id, "kind": kind, "at": now}
        row |= {"by": scope.person, "by_name": person.name if person else "", "before": was, "after": became}
        rows.append(row)
    await session.flush()
    await changes.add_all(session, scope, rows)
    if held and await outbox.heard(session):
        for lesson in held:
            await outbox.announce(session, of_lesson("about", lesson, now), now)
    return ManyDone(batch=batch, lessons=[one.id for one in held], passed_over=[])
