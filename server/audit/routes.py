"""JSON of the audit log, for administrators of their part of the city."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from server.audit import store
from server.audit.schemas import EntriesSeen, EntrySeen
from server.clock import CITY
from server.dependencies import Reading, SignedIn
from server.errors import ForbiddenError
from server.paging import MAX_PAGE, MOST, PAGE_ROWS
from server.scope import Scope, allows

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

ACTS = ("create", "change", "delete", "view", "export", "import", "sign_in", "refuse")
RowName = Annotated[str, Query(pattern="^[a-z0-9/:]{0,80}$")]


def may_read(scope: SignedIn) -> Scope:
    if not allows(scope, "audit.read"):
        raise ForbiddenError
    return scope


def midnight(day: date | None, after: int = 0) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), CITY) + timedelta(days=after)


def wanted(
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    person: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    act: Literal["", "create", "change", "delete", "view", "export", "import", "sign_in", "refuse"] = "",
    kind: Annotated[str, Query(pattern="^[a-z_]{0,40}$")] = "",
    row: RowName = "",
    first: date | None = None,
    last: date | None = None,
) -> store.AuditFilter:
    return store.AuditFilter(school, person, act, kind, row, midnight(first), midnight(last, 1))


Reader = Annotated[Scope, Depends(may_read)]
Wanted = Annotated[store.AuditFilter, Depends(wanted)]


@router.get("")
async def get_entries(
    session: Reading,
    scope: Reader,
    wanted: Wanted,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> EntriesSeen:
    rows, paging = await store.entries(session, scope, wanted, page, size)
    items = [
        EntrySeen(
            id=entry.id,
            at=entry.at,
            act=entry.act,
            kind=entry.kind,
            row_id=entry.row_id,
            person_id=entry.person_id,
            person=name,
            school_id=entry.school_id,
            told=entry.told,
            seal=seal,
        )
        for entry, name, _, seal in rows
    ]
    return EntriesSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)
