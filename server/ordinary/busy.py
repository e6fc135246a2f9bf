"""What ordinary timetables keep busy between two moments, as entries like those of lessons; for ``timetable.taken``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date
from server.ordinary import store
from server.ordinary.falls import Calendar, Hour, fall, needs_of
from server.scope import Scope
from server.timetable import service
from server.timetable import store as timetable
from server.timetable.conflicts import Entry

INSTANT = timedelta(microseconds=1)


async def entries(
    session: AsyncSession, scope: Scope, wanted: Mapping[str, Sequence[str]], start: datetime, end: datetime
) -> list[Entry]:
    """Hours that need some of this in [start, end). One statement where there are none; the calendar and the bells of
    their schools only where there are."""
    first, last = city_date(start), city_date(end - INSTANT)
    held = await store.hours(session, scope, wanted, first, last)
    if not held:
        return []
    known = await calendar(session, scope, held, first, last)
    asked = {(kind, id_) for kind, ids in wanted.items() for id_ in ids}
    held = [one for one in held if any((need.kind, need.id) in asked for need in needs_of(one))]
    return [one for one in fall(held, known, first, last) if one.starts_at < end and start < one.ends_at]


async def calendar(session: AsyncSession, scope: Scope, hours: Sequence[Hour], first: date, last: date) -> Calendar:
    """Of the schools of these hours."""
    schools = sorted({one.school for one in hours})
    away: dict[str, list[tuple[date, date]]] = defaultdict(list)
    for span in await timetable.spans(session, scope, schools, first, last):
        away[span.school_id].append((span.first_on, span.last_on))
    ringing = sorted({one.school for one in hours if one.follows_bell})
    bells = await service.bells_of(session, scope, ringing) if ringing else {}
    return Calendar(await service.special_days(session, scope, first, last), away, bells)
