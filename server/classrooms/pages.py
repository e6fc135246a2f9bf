"""Pages of synchronous classrooms: list, classroom, form. The form's repeated rows are named "receivers.0.room_id"."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import Offer, offer
from server.classrooms import service, store
from server.classrooms.models import Classroom
from server.classrooms.routes import Reader, Wanted
from server.classrooms.schemas import FORMS, MOST_RECEIVERS, SUBJECTS, ClassroomBody, SlotBody
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, check, rows_of, typed
from server.lessons import store as lessons
from server.lessons.changes import forms, progress
from server.lessons.changes.schemas import FormsBody
from server.lessons.invitations import service as invitations
from server.paging import PAGE_ROWS, ListPage, base_of
from server.schools import store as schools
from server.schools.schemas import Id
from server.scope import Scope
from server.templating import Page
from server.timetable import publishing

router = APIRouter(include_in_schema=False)

LIST = "/admin/classrooms"
SLOT_ROWS = 5
"""Rows of the timetable offered on the form; a subject is taught at most daily."""
GIVEN = frozenset(
    {"name", "subject", "grade", "term", "lead_room_id", "lead_teacher_id"}
    | {f"receivers.{n}.room_id" for n in range(MOST_RECEIVERS)}
    | {f"slots.0.{name}" for name in SlotBody.model_fields}
)
"""Fields of the new classroom's form that its address may fill in: the slot finder leads here with what it found."""
DONE = ("created", "saved", "archived", "restored", "withdrawn", "form")


ROWS = {"receivers": "room_id", "slots": "starts"}
"""The form's repeated rows, and what no row is without."""


def flat(classroom: Classroom, slots: list[Any]) -> dict[str, Any]:
    values = {
        name: getattr(classroom, name) for name in ClassroomBody.model_fields if name not in ("receivers", "slots")
    }
    for number, one in enumerate(classroom.receivers):
        values[f"receivers.{number}.room_id"] = one.room_id
        values[f"receivers.{number}.assistant_id"] = one.assistant_id
        values[f"receivers.{number}.class_id"] = one.class_id
    for number, slot in enumerate(slots):
        values |= {f"slots.{number}.{name}": getattr(slot, name) for name in ("weekday", "period", "minutes", "weeks")}
        values[f"slots.{number}.follows_bell"] = "1" if slot.follows_bell else ""
        values[f"slots.{number}.starts"] = slot.starts.strftime("%H:%M")
    return values


@router.get(LIST)
async def get_list(page: Html, session: Reading, scope: Reader, wanted: Wanted, number: ListPage = 1) -> Response:
    rows, paging = await store.list_classrooms(session, scope, wanted, number, PAGE_ROWS)
    filters = asdict(wanted)
    return page.render(
        "admin/classrooms.html",
        rows=rows,
        slots=await store.slots(session, scope, [row.id for row in rows]),
        paging=paging,
        wanted=wanted,
        subjects=SUBJECTS,
        districts=await schools.my_districts(session, scope),
        terms=await store.terms(session, scope),
        base=base_of(filters),
        sort_base=base_of(filters, "sort"),
        may_create=service.may_create(scope),
    )


SLOT = re.compile(r"slots\.([0-9]{1,2})\.")
"""What somebody else than our form may send asks for a hundred rows at most."""


async def _form_page(
    page: Page, session: AsyncSession, scope: Scope, form: Form, classroom: Classroom | None, now: datetime
) -> Response:
    """Rooms to choose: lead rooms of the scope; receiving rooms of the scope and of schools its own schools help."""
    day = city_date(now)

    async def choices(kind: str, *names: str) -> Offer:
        return await offer(session, scope, kind, day, [form.value(name) for name in names])

    held = [f"receivers.{n}." for n in range(MOST_RECEIVERS)]
    sent = [int(found[1]) for name in form.values if (found := SLOT.match(name))]
    rows = max(SLOT_ROWS, 1 + max(sent, default=0))
    return page.render(
        "admin/classroom_form.html",
        status=422 if form.bad else 200,
        form=form,
        classroom=classroom,
        subjects=SUBJECTS,
        terms=await store.terms(session, scope),
        lead_rooms=await choices("lead_rooms", "lead_room_id"),
        receiving_rooms=await choices("receiving_rooms", *(f"{one}room_id" for one in held)),
        classes=await choices("classes", "lead_class_id", *(f"{one}class_id" for one in held)),
        teachers=await choices("teachers", "lead_teacher_id"),
        assistants=await choices("assistants", *(f"{one}assistant_id" for one in held)),
        receiver_rows=range(MOST_RECEIVERS),
        slot_rows=range(rows),
    )


async def _submitted(request: Request, page: Page) -> tuple[Form, ClassroomBody | None]:
    values = typed((await request.form()).multi_items())
    form = Form(values)
    body, form.wrong = check(ClassroomBody, rows_of(values, ROWS), page.t)
    return form, body


@router.get(LIST + "/new")
async def get_new(request: Request, page: Html, session: Reading, scope: Reader, clock: ClockDep) -> Response:
    if not service.may_create(scope):
        raise ForbiddenError
    terms = await store.terms(session, scope)
    today = city_date(clock.now())
    current = next((term.id for term in terms if term.starts_on <= today), terms[-1].id if terms else "")
    given = {name: value for name, value in request.query_params.items() if name in GIVEN}
    return await _form_page(page, session, scope, Form({"term": current, **given}), None, clock.now())


@router.post(LIST + "/new")
async def post_new(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    form, body = await _submitted(request, page)
    made = await attempt(request, form, service.create(session, scope, body, clock.now())) if body else None
    if made is None:
        if not service.may_create(scope):
            raise ForbiddenError
        return await _form_page(page, session, scope, form, None, clock.now())
    return RedirectResponse(f"{LIST}/{made.id}?done=created", 303)


@router.get(LIST + "/{classroom_id}/edit")
async def get_edit(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, classroom_id: Id) -> Response:
    classroom = await service.get_for(session, scope, classroom_id, "classroom.write")
    slots = (await store.slots(session, scope, [classroom.id]))[classroom.id]
    return await _form_page(page, session, scope, Form(flat(classroom, slots)), classroom, clock.now())


@router.post(LIST + "/{classroom_id}/edit")
async def post_edit(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, classroom_id: Id
) -> Response:
    classroom = await service.get_for(session, scope, classroom_id, "classroom.write")
    form, body = await _submitted(request, page)
    done = await attempt(request, form, service.edit(session, scope, classroom_id, body, clock.now())) if body else None
    if done is None:
        return await _form_page(page, session, scope, form, classroom, clock.now())
    return RedirectResponse(f"{LIST}/{classroom_id}?done=saved", 303)


@router.post(LIST + "/{classroom_id}/archive")
async def post_archive(session: Writing, scope: SignedIn, clock: ClockDep, classroom_id: Id) -> Response:
    await service.archive(session, scope, classroom_id, clock.now())
    return RedirectResponse(f"{LIST}/{classroom_id}?done=archived", 303)


@router.post(LIST + "/{classroom_id}/withdraw")
async def post_withdraw(session: Writing, scope: SignedIn, clock: ClockDep, classroom_id: Id) -> Response:
    """The lessons to come of an archived classroom."""
    classroom = await service.get_for(session, scope, classroom_id, "classroom.write")
    await publishing.withdraw_all(session, scope, classroom, clock.now())
    return RedirectResponse(f"{LIST}/{classroom_id}?done=withdrawn", 303)


@router.post(LIST + "/{classroom_id}/restore")
async def post_restore(session: Writing, scope: SignedIn, classroom_id: Id) -> Response:
    await service.restore(session, scope, classroom_id)
    return RedirectResponse(f"{LIST}/{classroom_id}?done=restored", 303)


@router.get(LIST + "/{classroom_id}/lesson-form")
async def get_lesson_form(page: Html, session: Reading, scope: Reader, clock: ClockDep, classroom_id: Id) -> Response:
    """课堂类型 of the lessons to come: of all, or of those ticked."""
    return await _lesson_form(page, session, scope, clock, classroom_id, Form())


async def _lesson_form(
    page: Page, session: AsyncSession, scope: Scope, clock: ClockDep, classroom_id: str, form: Form
) -> Response:
    classroom = await service.get(session, scope, classroom_id)
    if not service.may(scope, "lesson.create", classroom):
        raise ForbiddenError
    ahead = await forms.ahead(session, scope, classroom_id, clock.now())
    return page.render(
        "admin/classroom_lesson_form.html",
        status=422 if form.bad else 200,
        classroom=classroom,
        lessons=ahead,
        forms=FORMS,
        whole=service.may(scope, "classroom.write", classroom),
        form=form,
    )


@router.post(LIST + "/{classroom_id}/lesson-form")
async def post_lesson_form(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, classroom_id: Id
) -> Response:
    submitted = await request.form()
    form = Form(typed(submitted.multi_items()))
    asked = {"form": form.value("form"), "lessons": [str(one) for one in submitted.getlist("lessons")]}
    asked["lessons"] = [] if form.value("which") == "all" else asked["lessons"]
    body, form.wrong = check(FormsBody, asked, page.t)
    if body is not None and not body.lessons and form.value("which") != "all":
        form.message = page.t("admin.classrooms.form_none")
        body = None
    doing = forms.set_form(session, scope, classroom_id, body, clock.now()) if body else None
    if doing is None or await attempt(request, form, doing) is None:
        return await _lesson_form(page, session, scope, clock, classroom_id, form)
    return RedirectResponse(f"{LIST}/{classroom_id}?done=form", 303)


@router.get(LIST + "/{classroom_id}")
async def get_classroom(
    page: Html,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    classroom_id: Id,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    classroom = await service.get(session, scope, classroom_id)
    return page.render(
        "admin/classroom.html",
        classroom=classroom,
        slots=(await store.slots(session, scope, [classroom.id]))[classroom.id],
        progress={row.room: row for row in await progress.progress(session, scope, classroom.id, clock.now())},
        ahead=await lessons.count(session, scope, publishing.still_ahead(classroom.id, clock.now())),
        answers=await invitations.answers(session, scope, classroom.id),
        may_write=service.may(scope, "classroom.write", classroom),
        may_plan=service.may(scope, "lesson.create", classroom),
        done=done if done in DONE else "",
    )
