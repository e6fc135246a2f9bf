"""JSON of pairings: the list and one of them. They are made and ended with their schools (``schools.routes``)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from server.clock import city_date
from server.dependencies import ClockDep, Reading
from server.paging import MOST, PAGE_ROWS
from server.pairings import service, store
from server.schools.routes import PageNumber, Reader
from server.schools.schemas import Id, PairingSeen, PairingsSeen

router = APIRouter(prefix="/api/v1/pairings", tags=["pairings"])


def wanted(
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    district: Annotated[str, Query(pattern="^([0-9]{6})?$")] = "",
    state: Literal["", "running", "ended"] = "",
) -> store.PairingFilter:
    return store.PairingFilter(school, district, state)


@router.get("")
async def get_pairings(
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    wanted: Annotated[store.PairingFilter, Depends(wanted)],
    page: PageNumber = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> PairingsSeen:
    """Pairings in which the asker sees one of the two schools, the oldest first; ended ones too."""
    rows, paging = await store.list_pairings(session, scope, wanted, city_date(clock.now()), page, size)
    items = [PairingSeen.model_validate(row) for row in rows]
    return PairingsSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.get("/{pairing_id}")
async def get_pairing(session: Reading, scope: Reader, pairing_id: Id) -> PairingSeen:
    row, _, _ = await service.get(session, scope, pairing_id)
    return PairingSeen.model_validate(row)
