"""JSON of declared gaps."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError, NotFoundError
from server.gaps import service, store
from server.gaps.schemas import GapCreate, GapSeen, GapsSeen
from server.paging import MAX_PAGE, MOST, PAGE_ROWS
from server.schools.schemas import Id
from server.scope import Scope, allows

router = APIRouter(prefix="/api/v1/gaps", tags=["gaps"])


def may_read(scope: SignedIn) -> Scope:
    if not allows(scope, "gap.read"):
        raise ForbiddenError
    return scope


def wanted(
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    district: Annotated[str, Query(pattern="^([0-9]{6})?$")] = "",
    term: Annotated[str, Query(pattern="^[0-9-]{0,12}$")] = "",
    subject: Annotated[str, Query(pattern="^[a-z_]{0,32}$")] = "",
    state: Literal["", "withdrawn"] = "",
    on: Annotated[date | None, Query(description="Gaps that stood on this day; ``state`` is not asked then")] = None,
) -> store.GapFilter:
    return store.GapFilter(school, district, term, subject, state, on)


Reader = Annotated[Scope, Depends(may_read)]
Wanted = Annotated[store.GapFilter, Depends(wanted)]


@router.get("")
async def get_gaps(
    session: Reading,
    scope: Reader,
    wanted: Wanted,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> GapsSeen:
    rows, paging = await store.list_gaps(session, scope, wanted, page, size)
    items = [GapSeen.model_validate(gap) for gap, _ in rows]
    return GapsSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.post("", status_code=201)
async def post_gap(session: Writing, scope: SignedIn, clock: ClockDep, body: GapCreate) -> GapSeen:
    return GapSeen.model_validate(await service.declare(session, scope, body, clock.now()))


@router.get("/{gap_id}")
async def get_gap(session: Reading, scope: Reader, gap_id: Id) -> GapSeen:
    found = await store.one(session, scope, gap_id)
    if found is None:
        raise NotFoundError
    return GapSeen.model_validate(found[0])


@router.post("/{gap_id}/withdraw")
async def post_withdraw(session: Writing, scope: SignedIn, clock: ClockDep, gap_id: Id) -> GapSeen:
    return GapSeen.model_validate(await service.withdraw(session, scope, gap_id, clock.now()))
