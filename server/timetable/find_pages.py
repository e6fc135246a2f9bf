"""Page: the slot finder (共同时段), asked by a classroom or by rooms, and the word that takes a slot it proposes."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import Offer, offer
from server.classrooms import service as classrooms
from server.classrooms.schemas import MOST_RECEIVERS, SlotBody
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, check, typed
from server.scope import Scope, allows
from server.templating import Page
from server.timetable import finding, service, store
from server.timetable.schemas import FindBody, FoundOut, ProposalOut

router = APIRouter(include_in_schema=False)

RECEIVERS = tuple(f"receivers.{n}.room_id" for n in range(MOST_RECEIVERS))
"""Named as the form of a new classroom names them: the question becomes that form."""
ROOMS = ("grade", "lead_room_id", "lead_teacher_id", *RECEIVERS)
ASKED = ("term", "classroom_id", "minutes", "weeks", *ROOMS)


@router.get("/timetable/find")
async def get_find(request: Request, page: Html, session: Reading, scope: SignedIn, clock: ClockDep) -> Response:
    """The question is the address: it can be sent to a colleague."""
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key != "lang"]
    return await _page(request, page, session, scope, clock, pairs)


@router.post("/timetable/find/take")
async def post_take(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    """采用: the classroom gets the weekly slot, then it is published. What came between is told above a new answer."""
    pairs = [(key, str(value)) for key, value in (await request.form()).multi_items() if key != "csrf"]
    values = typed(pairs)
    form = Form(values)
    slot = {key.removeprefix("slot."): value for key, value in values.items() if key.startswith("slot.")}
    body, form.wrong = check(SlotBody, slot, page.t)
    classroom_id = str(values.get("classroom_id", ""))
    doing = classrooms.add_slot(session, scope, classroom_id, body) if body is not None else None
    made = await attempt(request, form, doing) if doing is not None else None
    if made is None:
        return await _page(request, page, session, scope, clock, pairs, form.complaint)
    return RedirectResponse(f"/timetable/publish?term={made.term}&classroom={made.id}&taken=1", 303)


async def _page(
    request: Request,
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    pairs: list[tuple[str, str]],
    message: str = "",
) -> Response:
    if not allows(scope, "lesson.create"):
        raise ForbiddenError
    form, found = Form(typed(pairs)), None
    day, prefer = city_date(clock.now()), [value for key, value in pairs if key == "prefer" and value]
    terms = await store.terms(session, scope)
    if form.value("term"):
        body, form.wrong = check(FindBody, {**_question(form), "prefer": prefer}, page.t)
        if body is not None:
            found = await attempt(request, form, finding.ask(session, scope, body, clock.now()))
    term = form.value("term") or service.current(terms, day)
    form.message = form.message or message

    async def choices(kind: str, *names: str) -> Offer:
        return await offer(session, scope, kind, day, [form.value(name) for name in names])

    return page.render(
        "timetable/find.html",
        status=422 if form.bad else 200,
        form=form,
        found=found,
        terms=terms,
        term=term,
        classrooms=await offer(session, scope, "classrooms", day, [form.value("classroom_id")], str(term)),
        lead_rooms=await choices("lead_rooms", "lead_room_id"),
        receiving_rooms=await choices("receiving_rooms", *RECEIVERS),
        teachers=await choices("teachers", "lead_teacher_id"),
        receivers=RECEIVERS,
        prefer=prefer,
        slot_of=slot_of,
        asked=[(key, form.value(key)) for key in ASKED if form.value(key)] + [("prefer", one) for one in prefer],
        made_new=_new_classrooms(scope, form, found),
        may_take=await _may_take(session, scope, str(form.value("classroom_id"))) if found else False,
    )


def _question(form: Form) -> dict[str, Any]:
    """A classroom where one is chosen, else the rooms."""
    held = {name: form.value(name) for name in ASKED if form.value(name)}
    if "classroom_id" in held:
        return {name: value for name, value in held.items() if name not in ROOMS}
    rooms = [held.pop(name) for name in RECEIVERS if name in held]
    teacher = {"teacher_id": held.pop("lead_teacher_id")} if "lead_teacher_id" in held else {}
    return {**held, **teacher, "receivers": rooms}


async def _may_take(session: AsyncSession, scope: Scope, classroom_id: str) -> bool:
    if not classroom_id:
        return False
    return classrooms.may(scope, "classroom.write", await classrooms.get(session, scope, classroom_id))


def slot_of(one: ProposalOut, weeks: str) -> dict[str, Any]:
    """A proposal as the weekly slot it would be: 节次 is the lead school's."""
    starts = one.starts.strftime("%H:%M")
    return {
        "weekday": one.weekday, "period": one.fits[0].period, "starts": starts, "minutes": one.minutes, "weeks": weeks,
    }  # fmt: skip


def _new_classrooms(scope: Scope, form: Form, found: FoundOut | None) -> list[str]:
    """For each proposal the address of a new classroom's form with rooms and slot filled in; empty: not the asker's."""
    if found is None or form.value("classroom_id") or not classrooms.may_create(scope):
        return []
    asked = {name: form.value(name) for name in ("term", *ROOMS) if form.value(name)}
    slots = (slot_of(one, str(form.value("weeks", "all"))) for one in found.proposals)
    held = ({**asked, **{f"slots.0.{name}": value for name, value in slot.items()}} for slot in slots)
    return [f"/admin/classrooms/new?{urlencode(one)}" for one in held]
