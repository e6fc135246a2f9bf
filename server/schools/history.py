"""Changes that count in a report keep what was so before. Rule: no change reaches back into a month that is over.

``keep`` is called before a row changes; ``pasts`` then tells what the row said until the city's midnight of that day.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY, city_date
from server.errors import InvalidError
from server.ids import new_id
from server.schools import store
from server.schools.models import Past, School
from server.scope import Scope

SCHOOL = ("name", "short_name", "code", "phase", "located_in", "supervised_by", "key_school", "weak")
"""Columns of a school that reports stand on; the others are only corrected."""


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY)


def first_open(today: date) -> date:
    """The first day of a month whose report does not stand yet."""
    return today.replace(day=1)


def effective(day: date | None, today: date) -> date:
    """The day from which a change holds: today, or an earlier one of this month."""
    day = day or today
    if day > today:
        raise InvalidError("effective_later", field="effective_on", date=today.isoformat())
    if day < first_open(today):
        raise InvalidError("effective_closed", field="effective_on", date=first_open(today).isoformat())
    return day


def not_closed(day: date, today: date, field: str = "starts_on", entered: datetime | None = None) -> None:
    """Nothing begins or ends in a month that is over: its report stands. What was ``entered`` this month is still being
    entered, and may say since when it is so."""
    closed = first_open(today)
    if day < closed and (entered is None or city_date(entered) < closed):
        raise InvalidError("effective_closed", field=field, date=closed.isoformat())


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value


async def keep(
    session: AsyncSession,
    scope: Scope,
    kind: str,
    row: Any,
    names: Iterable[str],
    day: date,
    now: datetime,
    *,
    school_id: str | None = None,
    district_id: str | None = None,
    is_open: bool = True,
) -> None:
    """Write down what ``row`` says in ``names``, as having held until ``day``. What held for no day is not written."""
    until = midnight(day)
    latest = await store.latest_past(session, scope, kind, row.id)
    if latest is not None and latest.until > until:
        raise InvalidError("history_order", field="effective_on", date=city_date(latest.until).isoformat())
    if latest is not None and latest.until == until:
        return
    was = {name: _plain(getattr(row, name)) for name in names}
    past = Past(
        id=new_id(),
        kind=kind,
        row_id=row.id,
        until=until,
        school_id=school_id,
        district_id=district_id,
        open=is_open,
        was=was,
        changed_by=scope.person,
        changed_at=now,
    )
    await store.add(session, scope, past)


async def keep_school(session: AsyncSession, scope: Scope, school: School, day: date, now: datetime) -> None:
    """A school that was entered today is still being entered."""
    if city_date(school.created_at) >= day:
        return
    await keep(
        session,
        scope,
        "school",
        school,
        SCHOOL,
        day,
        now,
        school_id=school.id,
        district_id=school.supervised_by,
        is_open=school.closed_on is None,
    )
