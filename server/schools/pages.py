"""Pages of the school register. Rule: what may not be done is not offered, and refused all the same."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import Offer, offer
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, carried_out, check, submitted, typed
from server.lessons import devices
from server.lessons import service as lessons
from server.lessons.schemas import BindBody
from server.paging import PAGE_ROWS, ListPage, base_of
from server.schools import alone, service, store
from server.schools.models import School
from server.schools.routes import Reader, Wanted
from server.schools.schemas import (
    EQUIPMENT,
    CloseBody,
    EndBody,
    EnrolmentBody,
    Id,
    PairingBody,
    RoomBody,
    SchoolBody,
    SchoolEdit,
    SettlementBody,
)
from server.scope import Part, Scope, allows
from server.sheets import MOST_ROWS, sheet
from server.templating import Page

router = APIRouter(include_in_schema=False)

LIST = "/admin/schools"
SMALL = ("room", "bind", "settlement", "enrolment", "pairing", "closed")
"""Small forms of a school's page."""
DONE = (
    "created",
    "saved",
    "closed",
    "reopened",
    "room",
    "device",
    "revoked",
    "settlement",
    "enrolment",
    "paired",
    "ended",
)


def may_create(scope: Scope) -> bool:
    return allows(scope, "school.write") and (scope.city or bool(scope.districts))


@router.get(LIST)
async def get_list(
    page: Html, session: Reading, scope: Reader, clock: ClockDep, wanted: Wanted, number: ListPage = 1
) -> Response:
    rows, paging = await store.list_schools(session, scope, wanted, city_date(clock.now()), number, PAGE_ROWS)
    filters = asdict(wanted)
    return page.render(
        "admin/schools.html",
        rows=[(school, service.settlement_of(code), pupils) for school, code, pupils in rows],
        paging=paging,
        wanted=wanted,
        districts=await store.my_districts(session, scope),
        names=await _district_names(page, session, scope),
        base=base_of(filters),
        sort_base=base_of(filters, "sort"),
        may_create=may_create(scope),
    )


@router.get(LIST + ".csv")
async def get_csv(page: Html, session: Reading, scope: Reader, clock: ClockDep, wanted: Wanted) -> Response:
    rows, _ = await store.list_schools(session, scope, wanted, city_date(clock.now()), 1, MOST_ROWS)
    t, names = page.t, await _district_names(page, session, scope)
    head = [
        t(f"admin.schools.{key}")
        for key in ("code", "name", "district", "phase", "settlement", "pupils", "marks", "phone")
    ]
    cells = [
        (
            school.code,
            school.name,
            names[school.supervised_by],
            t(f"common.phase.{school.phase}"),
            t(f"common.settlement.{service.settlement_of(code)}"),
            pupils,
            t("admin.schools.key") if school.key_school else t("admin.schools.weak") if school.weak else "",
            school.phone,
        )
        for school, code, pupils in rows
    ]
    return sheet(t("admin.schools.title"), head, cells)


async def _district_names(page: Page, session: AsyncSession, scope: Scope) -> dict[str | None, str]:
    return {**dict(page.named(await store.districts(session, scope))), None: page.t("common.city_direct")}


# --- create and edit --------------------------------------------------------------------------------------------------


async def _form_page(page: Page, session: AsyncSession, scope: Scope, form: Form, school: School | None) -> Response:
    names = await _district_names(page, session, scope)
    mine = [d for d in names if d and (scope.city or scope.system or d in scope.districts)]
    return page.render(
        "admin/school_form.html",
        status=422 if form.bad else 200,
        form=form,
        school=school,
        names=names,
        accountable=mine,
    )


@router.get(LIST + "/new")
async def get_new(page: Html, session: Reading, scope: Reader) -> Response:
    district = next(iter(scope.districts)) if len(scope.districts) == 1 else None
    _may(scope, Part(district=district))
    return await _form_page(page, session, scope, Form({"located_in": district, "supervised_by": district}), None)


def _may(scope: Scope, part: Part) -> None:
    if not allows(scope, "school.write", part):
        raise ForbiddenError


@router.post(LIST + "/new")
async def post_new(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    form, body = await submitted(request, SchoolBody, page.t)
    made = await attempt(request, form, service.create(session, scope, body, clock.now())) if body else None
    if made is None:
        return await _form_page(page, session, scope, form, None)
    return RedirectResponse(f"{LIST}/{made.id}?done=created", 303)


@router.get(LIST + "/{school_id}/edit")
async def get_edit(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, school_id: Id) -> Response:
    school = await service.get(session, scope, school_id, "school.write")
    values = {name: getattr(school, name) for name in SchoolBody.model_fields}
    values["effective_on"] = city_date(clock.now()).isoformat()
    return await _form_page(page, session, scope, Form(values), school)


@router.post(LIST + "/{school_id}/edit")
async def post_edit(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id
) -> Response:
    school = await service.get(session, scope, school_id, "school.write")
    form, body = await submitted(request, SchoolEdit, page.t)
    done = await attempt(request, form, service.edit(session, scope, school_id, body, clock.now())) if body else None
    if done is None:
        return await _form_page(page, session, scope, form, school)
    return RedirectResponse(f"{LIST}/{school_id}?done=saved", 303)


@router.post(LIST + "/{school_id}/close")
async def post_close(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id
) -> Response:
    today = city_date(clock.now())
    return await _small(
        request, page, session, scope, today, school_id, "closed", _at(service.close, clock.now()), CloseBody
    )


@router.post(LIST + "/{school_id}/reopen")
async def post_reopen(session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id) -> Response:
    await service.reopen(session, scope, school_id, clock.now())
    return RedirectResponse(f"{LIST}/{school_id}?done=reopened", 303)


# --- one school with its small forms ----------------------------------------------------------------------------------


async def _school_page(
    page: Page, session: AsyncSession, scope: Scope, today: date, school_id: str, forms: dict[str, Form], done: str = ""
) -> Response:
    school = await service.get(session, scope, school_id)
    part = service.part_of(school)
    bound = await store.devices(session, scope, school.id)
    rooms = await store.rooms(session, scope, school.id)
    may_write = allows(scope, "school.write", part)
    typed_in = [forms.get(name, Form()) for name in ("pairing", "closed")]
    pairings = await store.pairings(session, scope, school.id)
    chosen = [form.value(name) for form in typed_in for name in ("lead_school", "village_school", "merged_into")]
    return page.render(
        "admin/school.html",
        status=422 if any(form.bad for form in forms.values()) else 200,
        school=school,
        today=today,
        settlement=service.settlement_now(school, today),
        settlement_of=service.settlement_of,
        rooms=[(room, [d for d in bound if d.room_id == room.id]) for room in rooms],
        standing=await lessons.left_standing(session, scope, school, rooms, today),
        pairings=pairings,
        crowded=await alone.crowded(session, [one for one, _, _ in pairings], today),
        pasts=await store.pasts_of(session, scope, school.id),
        merged_into=await store.school_of_city(session, scope, school.merged_into) if school.merged_into else None,
        equipment=EQUIPMENT,
        pairable=await offer(session, scope, "all_schools", today, chosen) if may_write else Offer(),
        names=await _district_names(page, session, scope),
        may_write=may_write,
        may_rooms=allows(scope, "room.write", part),
        may_bind=allows(scope, "device.bind", part),
        done=done if done in DONE else "",
        forms={name: forms.get(name) or Form() for name in SMALL},
    )


@router.get(LIST + "/{school_id}")
async def get_school(
    page: Html,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    school_id: Id,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    return await _school_page(page, session, scope, city_date(clock.now()), school_id, {}, done)


async def _small(
    request: Request,
    page: Page,
    session: AsyncSession,
    scope: Scope,
    today: date,
    school_id: str,
    name: str,
    doing: Any,
    schema: Any,
) -> Response:
    """A small form of the school page: done and back, or the page again with what was wrong."""
    form, body = await _equipped(request, page) if schema is RoomBody else await submitted(request, schema, page.t)
    if body is not None:
        await attempt(request, form, doing(session, scope, school_id, body))
    if form.bad:
        return await _school_page(page, session, scope, today, school_id, {name: form})
    return RedirectResponse(f"{LIST}/{school_id}?done={'paired' if name == 'pairing' else name}#{name}", 303)


def _at(doing: Any, now: datetime) -> Any:
    """A rule that wants to know the moment, as one that does not."""

    async def done(session: AsyncSession, scope: Scope, school_id: str, body: Any) -> None:
        await doing(session, scope, school_id, body, now)

    return done


async def _equipped(request: Request, page: Page) -> tuple[Form, RoomBody | None]:
    """A room's form: one box to tick for each piece of equipment ("equipment.screen")."""
    values = typed((await request.form()).multi_items())
    form = Form(values)
    plain = {name: value for name, value in values.items() if not name.startswith("equipment.")}
    ticked = [name for name in EQUIPMENT if f"equipment.{name}" in values]
    body, form.wrong = check(RoomBody, {**plain, "equipment": ticked}, page.t)
    return form, body


@router.post(LIST + "/{school_id}/settlements")
async def post_settlement(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id
) -> Response:
    today = city_date(clock.now())
    return await _small(
        request,
        page,
        session,
        scope,
        today,
        school_id,
        "settlement",
        _at(service.set_settlement, clock.now()),
        SettlementBody,
    )


@router.post(LIST + "/{school_id}/enrolments")
async def post_enrolment(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id
) -> Response:
    today = city_date(clock.now())
    return await _small(
        request,
        page,
        session,
        scope,
        today,
        school_id,
        "enrolment",
        _at(service.set_enrolment, clock.now()),
        EnrolmentBody,
    )


@router.post(LIST + "/{school_id}/rooms")
async def post_room(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id
) -> Response:
    today = city_date(clock.now())
    return await _small(request, page, session, scope, today, school_id, "room", service.add_room, RoomBody)


@router.post(LIST + "/{school_id}/pairings")
async def post_pairing(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id
) -> Response:
    async def pair(session: AsyncSession, scope: Scope, school_id: str, body: PairingBody) -> None:
        await service.pair(session, scope, body, clock.now())

    return await _small(request, page, session, scope, city_date(clock.now()), school_id, "pairing", pair, PairingBody)


@router.post(LIST + "/{school_id}/pairings/{pairing_id}/end")
async def post_pairing_end(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id, pairing_id: Id
) -> Response:
    form = await carried_out(
        request,
        EndBody,
        page.t,
        lambda body: service.end_pairing(session, scope, pairing_id, body.ends_on, clock.now()),
    )
    if form.bad:
        return await _school_page(page, session, scope, city_date(clock.now()), school_id, {"pairing": form})
    return RedirectResponse(f"{LIST}/{school_id}?done=ended#pairing", 303)


# --- rooms and devices ------------------------------------------------------------------------------------------------


@router.get("/admin/rooms/{room_id}")
async def get_room(page: Html, session: Reading, scope: SignedIn, room_id: Id) -> Response:
    room = await service.get_room(session, scope, room_id, "room.write")
    values = {"name": room.name, "kind": room.kind, "pupils": room.pupils, "code": room.code}
    ticked = {f"equipment.{name}": "1" for name in room.equipment}
    return page.render("admin/room_form.html", form=Form(values | ticked), room=room, equipment=EQUIPMENT)


@router.post("/admin/rooms/{room_id}")
async def post_room_edit(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, room_id: Id
) -> Response:
    room = await service.get_room(session, scope, room_id, "room.write")
    form, body = await _equipped(request, page)
    if body is not None:
        await attempt(request, form, service.edit_room(session, scope, room_id, body, clock.now()))
    if form.bad:
        return page.render("admin/room_form.html", status=422, form=form, room=room, equipment=EQUIPMENT)
    return RedirectResponse(f"{LIST}/{room.school_id}?done=saved#room", 303)


@router.post("/admin/rooms/{room_id}/close")
async def post_room_close(session: Writing, scope: SignedIn, clock: ClockDep, room_id: Id) -> Response:
    room = await service.close_room(session, scope, room_id, clock.now())
    return RedirectResponse(f"{LIST}/{room.school_id}?done=saved#room", 303)


@router.post(LIST + "/{school_id}/devices")
async def post_device(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id
) -> Response:
    await request.app.state.rates.hit("bind", scope.person or "-")
    form, body = await submitted(request, BindBody, page.t)
    if body is not None:
        await attempt(request, form, devices.bind(session, scope, body.code, body.room, clock.now()))
    if form.bad:
        return await _school_page(page, session, scope, city_date(clock.now()), school_id, {"bind": form})
    return RedirectResponse(f"{LIST}/{school_id}?done=device#room", 303)


@router.post(LIST + "/{school_id}/devices/{device_id}/revoke")
async def post_revoke(session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id, device_id: Id) -> Response:
    await service.revoke_device(session, scope, device_id, clock.now())
    return RedirectResponse(f"{LIST}/{school_id}?done=revoked#room", 303)
