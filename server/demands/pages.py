"""Pages of the exchange: the list of open needs, posting one, one need with its offers and the form to offer."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.classes import store as classes
from server.classrooms import store as classrooms
from server.classrooms.schemas import SUBJECTS
from server.clock import city_date
from server.demands import service, store
from server.demands.lifecycle import STATES
from server.demands.models import Demand
from server.demands.routes import Reader, Wanted
from server.demands.schemas import AcceptBody, DemandBody, OfferBody, WishBody
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ConflictError, ForbiddenError, InvalidError
from server.failures import sentence
from server.forms import Form, attempt, check, submitted, typed
from server.paging import PAGE_ROWS, ListPage, base_of
from server.schools import store as schools
from server.schools.schemas import Id
from server.schools.service import part_of
from server.scope import SYSTEM, Scope, allows
from server.templating import Page
from server.timetable import store as timetable
from server.timetable.schemas import FoundOut

router = APIRouter(include_in_schema=False)

MOST_CLASSES = 120
"""Of one school."""

LIST = "/demands"
DONE = ("posted", "wished", "withdrawn", "offered", "taken_back", "accepted")

Done = Annotated[str, Query(max_length=20)]


async def _list(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    wanted: store.DemandFilter,
    number: int,
    form: Form,
) -> Response:
    rows, paging = await store.list_demands(session, scope, wanted, number, PAGE_ROWS)
    rooms = [
        room
        for room in (await schools.rooms_of(session, scope, "receiving") if allows(scope, "demand.write") else [])
        if allows(scope, "demand.write", part_of(room.school))
    ]
    today = city_date(clock.now())
    terms = [one for one in await timetable.terms(session, scope) if one.ends_on > today]
    return page.render(
        "demands/list.html",
        status=422 if form.bad else 200,
        rows=rows,
        paging=paging,
        wanted=wanted,
        states=STATES,
        subjects=SUBJECTS,
        rooms=rooms,
        terms=terms,
        form=form,
        offers={row.id: sum(one.state == "standing" for one in service.seen(scope, row).offers) for row in rows},
        base=base_of(asdict(wanted)),
    )


@router.get(LIST)
async def get_list(
    page: Html, session: Reading, scope: Reader, clock: ClockDep, wanted: Wanted, number: ListPage = 1
) -> Response:
    return await _list(page, session, scope, clock, wanted, number, Form())


@router.post(LIST)
async def post_demand(
    request: Request, page: Html, session: Writing, scope: Reader, clock: ClockDep, wanted: Wanted
) -> Response:
    form, body = await submitted(request, DemandBody, page.t)
    made = await attempt(request, form, service.post(session, scope, body, clock.now())) if body else None
    if made is None:
        return await _list(page, session, scope, clock, wanted, 1, form)
    return RedirectResponse(f"{LIST}/{made.id}?done=posted", 303)


@router.post(LIST + "/from-gap/{gap_id}")
async def post_from_gap(session: Writing, scope: SignedIn, clock: ClockDep, gap_id: Id) -> Response:
    made = await service.post_gap(session, scope, gap_id, clock.now())
    return RedirectResponse(f"{LIST}/{made.id}?done=posted", 303)


# --- one need ---------------------------------------------------------------------------------------------------------


async def _choices(session: AsyncSession, scope: Scope, demand: Demand, clock: ClockDep) -> dict[str, Any]:
    """Rooms, teachers and studios the asker may offer with; none: no form."""
    if not allows(scope, "offer.write") or demand.state != "open":
        return {"lead_rooms": [], "teachers": [], "studios": []}
    studios = await store.studios_of(session, scope)
    hosted = {one.school_id: one.id for one in studios}
    found = await schools.rooms_of(session, scope, "lead", list(hosted))
    rooms = [
        one
        for one in found
        if one.school_id != demand.school_id and service.may_offer(scope, one.school, hosted.get(one.school_id))
    ]
    ids = sorted({one.school_id for one in rooms})
    teachers = await classrooms.staff(session, scope, "teacher", ids, city_date(clock.now()))
    return {"lead_rooms": rooms, "teachers": teachers, "studios": studios}


async def _of_school(session: AsyncSession, demand: Demand, clock: ClockDep) -> dict[str, Any]:
    """Who may assist there, and the classes that may sit there: for who decides for the school."""
    wanted = classes.ClassFilter(school=demand.school_id)
    held, _ = await classes.list_classes(session, SYSTEM, wanted, 1, MOST_CLASSES)
    people = await classrooms.staff(session, SYSTEM, "assistant", [demand.school_id], city_date(clock.now()))
    return {"aides": [(one.id, one.name) for one in people], "classes": [(one.id, one.called) for one in held]}


async def _one(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    demand: Demand,
    *,
    form: Form | None = None,
    found: FoundOut | None = None,
    done: str = "",
    message: str = "",
) -> Response:
    form = form or Form()
    choices = await _choices(session, scope, demand, clock)
    decides = service.may_decide(scope, demand)
    return page.render(
        "demands/demand.html",
        status=422 if form.bad or message else 200,
        demand=demand,
        offers=[one for one in demand.offers if service.sees_offer(scope, demand, one)],
        mine={one.id for one in demand.offers if service.may_offer(scope, one.school, one.studio_id)},
        decides=decides,
        form=form,
        found=found,
        half=service.in_half,
        message=message,
        done=done,
        base=f"{LIST}/{demand.id}",
        **(await _of_school(session, demand, clock) if decides else {}),
        places={one.school_id: one.school for one in choices["lead_rooms"]},
        **choices,
    )


@router.get(LIST + "/{demand_id}")
async def get_demand(
    request: Request,
    page: Html,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    demand_id: Id,
    lead_room_id: Id | None = None,
    teacher_id: Id | None = None,
    studio_id: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    done: Done = "",
) -> Response:
    """With a room and a teacher: the times that may be offered."""
    demand = await service.get(session, scope, demand_id)
    form, found = Form(), None
    if lead_room_id and teacher_id and demand.state == "open":
        form.values = {"lead_room_id": lead_room_id, "teacher_id": teacher_id, "studio_id": studio_id}
        room = await attempt(request, form, service.offering_room(session, scope, lead_room_id, studio_id or None))
        if room is not None:
            found = await service.proposals(session, demand, room, teacher_id, clock.now())
    shown = done if done in DONE else ""
    return await _one(page, session, scope, clock, demand, form=form, found=found, done=shown)


@router.post(LIST + "/{demand_id}/wish")
async def post_wish(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, demand_id: Id
) -> Response:
    if not service.may_decide(scope, await service.get(session, scope, demand_id)):
        raise ForbiddenError
    form, body = await submitted(request, WishBody, page.t)
    if body is not None:
        await attempt(request, form, service.wish(session, scope, demand_id, body))
    if form.bad:
        demand = await service.get(session, scope, demand_id)
        return await _one(page, session, scope, clock, demand, message=form.complaint)
    return RedirectResponse(f"{LIST}/{demand_id}?done=wished", 303)


@router.post(LIST + "/{demand_id}/withdraw")
async def post_withdraw(session: Writing, scope: SignedIn, clock: ClockDep, demand_id: Id) -> Response:
    await service.withdraw(session, scope, demand_id, clock.now())
    return RedirectResponse(f"{LIST}/{demand_id}?done=withdrawn", 303)


@router.post(LIST + "/{demand_id}/offers")
async def post_offer(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, demand_id: Id
) -> Response:
    """``slot`` is "<weekday> <hh:mm>", as the proposals' buttons send it."""
    if not allows(scope, "offer.write"):
        raise ForbiddenError
    values = typed((await request.form()).multi_items())
    values["weekday"], _, values["starts"] = str(values.pop("slot", "")).partition(" ")
    form = Form(values)
    body, form.wrong = check(OfferBody, values, page.t)
    if body is not None:
        await attempt(request, form, service.offer(session, scope, demand_id, body, clock.now()))
    if form.bad:
        demand = await service.get(session, scope, demand_id)
        return await _one(page, session, scope, clock, demand, form=form, message=form.complaint)
    return RedirectResponse(f"{LIST}/{demand_id}?done=offered", 303)


@router.post(LIST + "/{demand_id}/offers/{offer_id}/withdraw")
async def post_take_back(session: Writing, scope: SignedIn, clock: ClockDep, demand_id: Id, offer_id: Id) -> Response:
    await service.take_back(session, scope, demand_id, offer_id, clock.now())
    return RedirectResponse(f"{LIST}/{demand_id}?done=taken_back", 303)


@router.post(LIST + "/{demand_id}/offers/{offer_id}/accept")
async def post_accept(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, demand_id: Id, offer_id: Id
) -> Response:
    """Where the time is taken meanwhile, nothing is changed and the page says by what."""
    form, body = await submitted(request, AcceptBody, page.t)
    if body is None:
        demand = await service.get(session, scope, demand_id)
        if not service.may_decide(scope, demand):
            raise ForbiddenError
        return await _one(page, session, scope, clock, demand, form=form)
    nested = await session.begin_nested()
    try:
        await service.accept(session, scope, demand_id, offer_id, body, clock.now())
    except (ConflictError, InvalidError) as error:
        await nested.rollback()
        session.expire_all()
        demand = await service.get(session, scope, demand_id)
        return await _one(page, session, scope, clock, demand, message=sentence(request, error))
    return RedirectResponse(f"{LIST}/{demand_id}?done=accepted", 303)
