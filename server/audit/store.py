"""SQL of the audit log. Readers see the entries of the part of the city they administer; sealing is our own job's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    or_,
    select,
    text,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.audit.models import AuditEntry, AuditSeal, AuditWaiting
from server.errors import ForbiddenError
from server.paging import Paging
from server.schools.models import School
from server.scope import Scope

LOCK = 0x746F6E68  # "tonh": beside the one of the migrations


def _system(scope: Scope) -> None:
    if not scope.system:
        raise ForbiddenError


# --- sealing and verifying --------------------------------------------------------------------------------------------


async def only_sealer(session: AsyncSession, scope: Scope) -> bool:
    """Whether this transaction alone may seal. On SQLite every writer is alone."""
    _system(scope)
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(await session.scalar(text(f"SELECT pg_try_advisory_xact_lock({LOCK})")))


async def anything_waits(session: AsyncSession, scope: Scope) -> bool:
    _system(scope)
    return bool(await session.scalar(select(exists(select(AuditWaiting)))))


async def waiting(session: AsyncSession, scope: Scope, most: int) -> list[AuditEntry]:
    _system(scope)
    query = select(AuditEntry).join(AuditWaiting, AuditWaiting.entry_id == AuditEntry.id)
    return list(await session.scalars(query.order_by(AuditEntry.at, AuditEntry.id).limit(most)))


async def last_seal(session: AsyncSession, scope: Scope) -> AuditSeal | None:
    _system(scope)
    return await session.scalar(select(AuditSeal).order_by(AuditSeal.number.desc()).limit(1))


async def add_seals(session: AsyncSession, scope: Scope, seals: list[dict[str, Any]]) -> None:
    _system(scope)
    if not seals:
        return
    await session.execute(insert(AuditSeal), seals)
    done = delete(AuditWaiting).where(AuditWaiting.entry_id.in_([seal["entry_id"] for seal in seals]))
    await session.execute(done.execution_options(synchronize_session=False))


async def seals_after(
    session: AsyncSession, scope: Scope, number: int, most: int
) -> list[tuple[AuditSeal, AuditEntry | None]]:
    _system(scope)
    query = select(AuditSeal, AuditEntry).outerjoin(AuditEntry, AuditEntry.id == AuditSeal.entry_id)
    rows = await session.execute(query.where(AuditSeal.number > number).order_by(AuditSeal.number).limit(most))
    return [(row[0], row[1]) for row in rows]


async def seal_at(session: AsyncSession, scope: Scope, number: int) -> AuditSeal | None:
    _system(scope)
    return await session.get(AuditSeal, number)


async def count_waiting(session: AsyncSession, scope: Scope, before: datetime | None = None) -> int:
    _system(scope)
    query = select(func.count()).select_from(AuditWaiting)
    if before is not None:
        query = query.join(AuditEntry, AuditEntry.id == AuditWaiting.entry_id).where(AuditEntry.at < before)
    return int(await session.scalar(query) or 0)


async def count_lost(session: AsyncSession, scope: Scope) -> int:
    """Entries that somebody took out of the queue, or put in without it."""
    _system(scope)
    query = select(func.count()).select_from(AuditEntry)
    query = query.where(~exists().where(AuditSeal.entry_id == AuditEntry.id))
    return int(await session.scalar(query.where(~exists().where(AuditWaiting.entry_id == AuditEntry.id))) or 0)


async def told_since(session: AsyncSession, scope: Scope, entry: AuditEntry, since: datetime) -> bool:
    """Whether the same was told of the same person or device at the same address; for our own code, which may know."""
    query = select(AuditEntry.told).where(AuditEntry.kind == entry.kind, AuditEntry.row_id == entry.row_id)
    query = query.where(AuditEntry.at > since, AuditEntry.act == entry.act)
    for name in ("person_id", "device_id", "address"):
        query = query.where(getattr(AuditEntry, name).is_not_distinct_from(getattr(entry, name)))
    return entry.told in list(await session.scalars(query))


async def add(session: AsyncSession, scope: Scope, *entries: AuditEntry) -> None:
    session.add_all(entries)
    session.add_all([AuditWaiting(entry_id=entry.id) for entry in entries])
    await session.flush()


# --- reading ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AuditFilter:
    school: str = ""
    person: str = ""
    act: str = ""
    kind: str = ""
    row: str = ""
    since: datetime | None = None
    before: datetime | None = None


def visible(scope: Scope) -> ColumnElement[bool]:
    return or_(*_ways(scope))


def _ways(scope: Scope) -> list[ColumnElement[bool]]:
    """Entries of the schools and districts that one administers; to work somewhere is not to administer it. Each way
    has its index, and no entry comes by two."""
    if scope.city or scope.system:
        return [true()]
    districts = (
        [one.district for one in scope.of("district_admin") if one.district] if scope.has("district_admin") else []
    )
    schools = [one.school for one in scope.of("school_admin") if one.school] if scope.has("school_admin") else []
    if not (districts or schools):
        return [false()]
    there = AuditEntry.school_id.in_(
        select(School.id).where(or_(School.id.in_(schools), School.supervised_by.in_(districts)))
    )
    if not districts:
        return [there]
    elsewhere = func.coalesce(AuditEntry.district_id, "").not_in(districts)  # written before the school came here
    return [AuditEntry.district_id.in_(districts), and_(there, elsewhere)]


def _filtered(scope: Scope, wanted: AuditFilter) -> Any:
    query: Any = select(AuditEntry.id)
    for column, value in (
        (AuditEntry.school_id, wanted.school),
        (AuditEntry.person_id, wanted.person),
        (AuditEntry.act, wanted.act),
        (AuditEntry.kind, wanted.kind),
        (AuditEntry.row_id, wanted.row),
    ):
        if value:
            query = query.where(column == value)
    if wanted.since is not None:
        query = query.where(AuditEntry.at >= wanted.since)
    if wanted.before is not None:
        query = query.where(AuditEntry.at < wanted.before)
    return query


async def entries(
    session: AsyncSession, scope: Scope, wanted: AuditFilter, page: int, size: int
) -> tuple[list[tuple[AuditEntry, str | None, str | None, int | None]], Paging]:
    """Entries with the person's and the school's name and the number of their seal, latest first."""
    found = _filtered(scope, wanted)
    ways = union_all(*(found.where(way) for way in _ways(scope))).subquery()  # counted by index
    paging = Paging(page, await session.scalar(select(func.count()).select_from(ways)) or 0, size)
    latest = (AuditEntry.at.desc(), AuditEntry.id)
    # which ones first: thousands are sorted for a page of twenty
    ids = found.where(visible(scope)).order_by(*latest).offset(paging.offset).limit(size)
    query: Any = select(AuditEntry, Person.name, School.short_name, AuditSeal.number)
    query = query.outerjoin(Person, Person.id == AuditEntry.person_id)
    query = query.outerjoin(School, School.id == AuditEntry.school_id)
    query = query.outerjoin(AuditSeal, AuditSeal.entry_id == AuditEntry.id)
    query = query.where(AuditEntry.id.in_(list(await session.scalars(ids)))).order_by(*latest)
    return [(row[0], row[1], row[2], row[3]) for row in await session.execute(query)], paging


async def kinds(session: AsyncSession, scope: Scope) -> list[str]:
    """What the log tells of, for choosing from: from one kind to the next in the index, however long the log is."""
    held = select(func.min(AuditEntry.kind).label("kind")).cte("kinds", recursive=True)
    after = select(func.min(AuditEntry.kind)).where(AuditEntry.kind > held.c.kind).scalar_subquery()
    held = held.union_all(select(after).where(held.c.kind.is_not(None)))
    return list(await session.scalars(select(held.c.kind).where(held.c.kind.is_not(None)).order_by(held.c.kind)))
