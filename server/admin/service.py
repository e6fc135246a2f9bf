"""What an administrator should look at before the bell."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.ext.asyncio import AsyncSession

from server.admin import store
from server.lessons import store as lesson_store
from server.lessons.models import Lesson
from server.lessons.schemas import LessonFilter
from server.schools.models import Room
from server.scope import Scope

ON = timedelta(minutes=2)  # kiosks poll every 5 s and note it down every minute
AHEAD = timedelta(minutes=30)
"""Half an hour before the bell there is still time to ring somebody."""


@dataclass(frozen=True, slots=True)
class Trouble:
    lesson: Lesson
    room: Room
    kind: Literal["unbound", "off"]


async def troubles(session: AsyncSession, scope: Scope, now: datetime) -> list[Trouble]:
    """Rooms of lessons that run or begin soon, whose screen is not bound or not heard."""
    wanted = LessonFilter(starts_from=now - timedelta(hours=1), starts_before=now + AHEAD, limit=200)
    lessons = await lesson_store.lessons(session, scope, wanted)
    running = [one for one in lessons if one.ends_at > now and one.state in ("published", "waiting", "live")]
    rooms = {receipt.room_id for one in running for receipt in one.receipts}
    heard = await store.seen(session, scope, sorted(rooms))
    found: list[Trouble] = []
    for lesson in running:
        for receipt in lesson.receipts:
            moment = heard.get(receipt.room_id)
            if receipt.room_id not in heard:
                found.append(Trouble(lesson, receipt.room, "unbound"))
            elif moment is None or now - moment > ON:
                found.append(Trouble(lesson, receipt.room, "off"))
    return found
