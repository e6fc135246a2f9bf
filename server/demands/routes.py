"""JSON of demands and offers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from server.demands import service, store
from server.demands.schemas import AcceptBody, DemandBody, DemandSeen, DemandsSeen, OfferBody, OfferSeen, WishBody
from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.paging import MAX_PAGE, MOST, PAGE_ROWS
from server.schools.schemas import Id
from server.scope import Scope, allows
from server.timetable.schemas import FoundOut

router = APIRouter(prefix="/api/v1/demands", tags=["demands"])


def may_read(scope: SignedIn) -> Scope:
    if not allows(scope, "demand.read"):
        raise ForbiddenError
    return scope


def wanted(
    subject: Annotated[str, Query(pattern="^[a-z_]{0,32}$")] = "",
    term: Annotated[str, Query(pattern="^[0-9-]{0,12}$")] = "",
    district: Annotated[str, Query(pattern="^([0-9]{6})?$")] = "",
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    grade: Annotated[str, Query(pattern="^[1-9]?$")] = "",
    state: Literal["", "open", "agreed", "withdrawn"] = "open",
    mine: Literal["", "1"] = "",
) -> store.DemandFilter:
    return store.DemandFilter(subject, term, district, school, grade, state, mine)


Reader = Annotated[Scope, Depends(may_read)]
Wanted = Annotated[store.DemandFilter, Depends(wanted)]


@router.get("")
async def get_demands(
    session: Reading,
    scope: Reader,
    wanted: Wanted,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> DemandsSeen:
    """Open needs of the whole city, the newest first; agreed and withdrawn ones of those concerned."""
    rows, paging = await store.list_demands(session, scope, wanted, page, size)
    items = [service.seen(scope, row) for row in rows]
    return DemandsSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.post("", status_code=201)
async def post_demand(body: DemandBody, session: Writing, scope: SignedIn, clock: ClockDep) -> DemandSeen:
    return service.seen(scope, await service.post(session, scope, body, clock.now()))


@router.post("/from-gap/{gap_id}", status_code=201)
async def post_from_gap(gap_id: Id, session: Writing, scope: SignedIn, clock: ClockDep) -> DemandSeen:
    """A declared gap, as it stands; asked again it is the same need."""
    return service.seen(scope, await service.post_gap(session, scope, gap_id, clock.now()))


@router.get("/{demand_id}")
async def get_demand(demand_id: Id, session: Reading, scope: Reader) -> DemandSeen:
    return service.seen(scope, await service.get(session, scope, demand_id))


@router.put("/{demand_id}/wish")
async def put_wish(demand_id: Id, body: WishBody, session: Writing, scope: SignedIn) -> DemandSeen:
    return service.seen(scope, await service.wish(session, scope, demand_id, body))


@router.post("/{demand_id}/withdraw")
async def post_withdraw(demand_id: Id, session: Writing, scope: SignedIn, clock: ClockDep) -> DemandSeen:
    return service.seen(scope, await service.withdraw(session, scope, demand_id, clock.now()))


@router.get("/{demand_id}/proposals")
async def get_proposals(
    demand_id: Id,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    lead_room: Id,
    teacher: Id,
    studio: Id | None = None,
) -> FoundOut:
    """Times that suit both schools and this teacher, the wished-for ones first: what may be offered."""
    demand = await service.get(session, scope, demand_id)
    room = await service.offering_room(session, scope, lead_room, studio)
    found = await service.proposals(session, demand, room, teacher, clock.now())
    return found.model_copy(update={"refusals": [], "blame": []})


@router.post("/{demand_id}/offers", status_code=201)
async def post_offer(demand_id: Id, body: OfferBody, session: Writing, scope: SignedIn, clock: ClockDep) -> OfferSeen:
    return OfferSeen.model_validate(await service.offer(session, scope, demand_id, body, clock.now()))


@router.post("/{demand_id}/offers/{offer_id}/withdraw")
async def post_take_back(demand_id: Id, offer_id: Id, session: Writing, scope: SignedIn, clock: ClockDep) -> OfferSeen:
    return OfferSeen.model_validate(await service.take_back(session, scope, demand_id, offer_id, clock.now()))


@router.post("/{demand_id}/offers/{offer_id}/accept")
async def post_accept(
    demand_id: Id,
    offer_id: Id,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
    body: AcceptBody | None = None,
) -> DemandSeen:
    """Makes a classroom of it and publishes its lessons; the other offers are passed over."""
    return service.seen(
        scope, await service.accept(session, scope, demand_id, offer_id, body or AcceptBody(), clock.now())
    )
