"""试讲 with a robot classroom: a teacher opens one at any time, from any place; it takes no room, nobody's time, counts
nowhere, and asks nobody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY
from server.errors import ForbiddenError, InvalidError
from server.ids import new_id
from server.lessons import store
from server.lessons.models import Lesson
from server.scope import SYSTEM, Part, Scope, allows

LENGTH = timedelta(minutes=60)
ROBOTS = 1
FIRST_GRADE = {"primary": 3, "junior": 7, "nine_year": 3}
"""What a rehearsal is of, for who has taught nothing here yet."""


async def begin(session: AsyncSession, scope: Scope, title: str, now: datetime) -> Lesson:
    """The asker's rehearsal that is still open, else a new one that begins now."""
    if scope.person is None or scope.school is None or not allows(scope, "lesson.rehearse", Part(school=scope.school)):
        raise ForbiddenError
    open_one = await store.rehearsal_of(session, scope, now)
    if open_one is not None:
        return open_one
    room = await store.any_room(session, SYSTEM, scope.school)
    if room is None:
        raise InvalidError("rehearsal_room")
    last = await store.last_taught(session, scope)
    teacher = await store.person(session, SYSTEM, scope.person)
    lesson = Lesson(
        id=new_id(),
        title=f"{title} {now.astimezone(CITY):%m-%d %H:%M}",
        subject=last.subject if last else (teacher and teacher.subject) or "chinese",
        grade=last.grade if last else FIRST_GRADE[room.school.phase],
        kind="trial",
        form="delivery",
        state="published",
        lead_room_id=room.id,
        teacher_id=scope.person,
        starts_at=now,
        ends_at=now + LENGTH,
        created_by=scope.person,
        created_at=now,
        robots=ROBOTS,
        receipts=[],
    )
    await store.add(session, scope, lesson)
    await session.refresh(lesson)
    return lesson
