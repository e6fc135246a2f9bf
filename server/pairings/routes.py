"""JSON of pairings: the list, one of them, its signed agreement. They are made and ended with their schools
(``schools.routes``)."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response

from server.clock import city_date
from server.dependencies import ClockDep, Objects, Reading, SignedIn, Writing
from server.errors import NotFoundError
from server.paging import MOST, PAGE_ROWS
from server.pairings import service, store
from server.schools import service as schools
from server.schools.routes import PageNumber, Reader
from server.schools.schemas import Id, PairingSeen, PairingsSeen

router = APIRouter(prefix="/api/v1/pairings", tags=["pairings"])

PDF = {"application/pdf": {"schema": {"type": "string", "format": "binary"}}}
BYTES = {"application/octet-stream": PDF["application/pdf"]}
"""What clients send that know no other; what it is, its first bytes say."""


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


@router.get("/{pairing_id}/agreement", response_class=Response, responses={200: {"content": PDF}})
async def get_agreement(session: Reading, scope: Reader, objects: Objects, pairing_id: Id) -> Response:
    """The signed paper; 404 where none was handed in."""
    row, _, _ = await service.get(session, scope, pairing_id)
    if row.agreement_name is None:
        raise NotFoundError
    return service.as_file(row.agreement_name, await objects.get(service.key_of(row.id)))


@router.put("/{pairing_id}/agreement", openapi_extra={"requestBody": {"required": True, "content": PDF | BYTES}})
async def put_agreement(
    request: Request,
    session: Writing,
    scope: SignedIn,
    objects: Objects,
    pairing_id: Id,
    name: Annotated[str, Query(min_length=1, max_length=120, description="What the file is called")] = "agreement.pdf",
) -> PairingSeen:
    """The signed paper itself as the body, a PDF of 10 MB at most. Handed in once: then 409."""
    await schools.pairing_for(session, scope, pairing_id)
    await request.app.state.rates.hit("upload", scope.person or "-")
    data = await request.body()
    return PairingSeen.model_validate(await service.hand_in(session, scope, objects, pairing_id, name, data))
