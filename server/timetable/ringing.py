"""Bell schedules of schools: who rings when, by season. Pure rules in ``bells.py``."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import ConflictError, InvalidError, NotFoundError
from server.ids import new_id
from server.scope import Scope
from server.timetable import store
from server.timetable.bells import Bell, overlap
from server.timetable.calendar import school_for
from server.timetable.models import BellPeriod, BellSchedule
from server.timetable.schemas import ScheduleBody


async def put(
    session: AsyncSession, scope: Scope, school_id: str, body: ScheduleBody, schedule_id: str | None = None
) -> BellSchedule:
    """A new season, or other bells for one. Lessons already published keep their times until published anew."""
    school = await school_for(session, scope, school_id)
    if school.phase not in (body.phase, "nine_year"):
        raise InvalidError("bells_phase", field="phase")
    _check(body)
    row = await _row(session, scope, school_id, schedule_id)
    for other in await store.schedules(session, scope, [school_id]):
        if other.phase == body.phase and other.begins == body.begins and (row is None or other.id != row.id):
            raise ConflictError("bells_taken", field="begins")
    if row is None:
        row = BellSchedule(id=new_id(), school_id=school_id, phase=body.phase, name=body.name, begins=body.begins)
    row.phase, row.name, row.begins = body.phase, body.name.strip(), body.begins
    if schedule_id is not None:
        row.periods.clear()
        await session.flush()
    row.periods.extend(BellPeriod(id=new_id(), **one.model_dump()) for one in body.periods)
    await store.add(session, scope, row)
    return row


def _check(body: ScheduleBody) -> None:
    twice = overlap([Bell(one.period, one.starts, one.minutes) for one in body.periods])
    if twice is not None:
        raise InvalidError("bells_overlap", field="periods", first=twice[0].period, second=twice[1].period)
    if len({one.period for one in body.periods}) < len(body.periods):
        raise InvalidError(field="periods")


async def _row(session: AsyncSession, scope: Scope, school_id: str, schedule_id: str | None) -> BellSchedule | None:
    if schedule_id is None:
        return None
    row = await store.schedule(session, scope, schedule_id)
    if row is None or row.school_id != school_id:
        raise NotFoundError
    return row


async def drop(session: AsyncSession, scope: Scope, schedule_id: str) -> None:
    row = await store.schedule(session, scope, schedule_id)
    if row is None:
        raise NotFoundError
    await school_for(session, scope, row.school_id)
    await store.drop(session, scope, row)
