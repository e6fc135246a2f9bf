"""停课令 with both things its days hold: lessons (``lessons/changes/many.py``), and the studios' activities where
it says so. One batch; lifted, both come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.ids import new_id
from server.lessons.changes import many
from server.lessons.changes import service as changes
from server.lessons.changes import store as change_store
from server.lessons.changes.many import Hit
from server.lessons.changes.schemas import CancelMany, ManyDone
from server.lessons.models import Lesson
from server.schools.models import School
from server.scope import Scope
from server.studios.activities import service as activities
from server.studios.activities.models import Activity
from server.templating import texts


@dataclass(frozen=True, slots=True)
class Planned:
    """What an order would do; ``activities``: those it hits, called off only where it says so."""

    hit: Hit
    activities: list[Activity]


async def plan(session: AsyncSession, scope: Scope, body: CancelMany, now: datetime) -> Planned:
    return Planned(await many.plan(session, scope, body, now), await _activities(session, scope, body, now))


async def _activities(session: AsyncSession, scope: Scope, body: CancelMany, now: datetime) -> list[Activity]:
    """Those that nobody could hold, or that every school they sit in is closed to; of studios that the asker keeps."""
    if not body.orders or body.first is None or body.last is None:
        return []
    start, end = many.days(body.first, body.last)
    found = await activities.ahead(session, scope, start, end, now)
    return [one for one in found if _closes(body, one)]


def _closes(body: CancelMany, row: Activity) -> bool:
    sits: list[School] = [place.room.school for place in row.places]
    return many.closed(body, row.studio.school) or (bool(sits) and all(many.closed(body, one) for one in sits))


async def give(session: AsyncSession, scope: Scope, body: CancelMany, now: datetime) -> ManyDone:
    """Refused as 批量停课 is, where it would call off nothing at all."""
    found = await plan(session, scope, body, now) if body.activities else None
    rows = found.activities if found else []
    if found and rows and not found.hit.lessons:
        done = ManyDone(batch=new_id(), lessons=[], passed_over=[one.id for one in found.hit.left])
    else:
        done = await many.cancel_many(session, scope, body, now)
    note = body.note.strip() or texts("zh-CN")(f"common.cancel_reason.{body.reason}")
    for row in rows:
        await activities.call_off_by_order(session, scope, row, note, done.batch, now)
    return done.model_copy(update={"activities": [one.id for one in rows]})


async def undo(session: AsyncSession, scope: Scope, batch: str, now: datetime) -> list[tuple[Lesson, str]]:
    """What has not begun yet is held after all."""
    back = await activities.restore(session, scope, batch, now)
    rows = await change_store.of_batch(session, scope, batch)
    left = {row.lesson_id for row in rows if row.undone_at is None}
    if back and not any(one.starts_at > now for one in await change_store.locked(session, scope, left)):
        return []  # its lessons are over or back; activities are all that was left
    return await changes.undo(session, scope, batch, now)
