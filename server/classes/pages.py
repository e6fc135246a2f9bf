"""Pages of classes: the list with its form, one class to edit."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import offer
from server.classes import service, store
from server.classes.grades import grade_on, years
from server.classes.routes import Reader, Wanted
from server.classes.schemas import CHANNELS, ClassCreate, ClassEdit
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, carried_out, submitted
from server.paging import PAGE_ROWS, ListPage, base_of
from server.schools import store as schools
from server.schools.models import SchoolClass, consent_now
from server.schools.schemas import Id
from server.schools.service import part_of
from server.scope import Scope, allows
from server.templating import Page

router = APIRouter(include_in_schema=False)

LIST = "/admin/classes"
Grade = Annotated[str, Query(pattern="^[1-9]?$")]


async def _page(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    wanted: store.ClassFilter,
    grade: str,
    number: int,
    form: Form,
    done: str = "",
) -> Response:
    rows, paging = await store.list_classes(session, scope, wanted, number, PAGE_ROWS)
    today = city_date(clock.now())
    filters = {**asdict(wanted), "grade": grade}
    del filters["entries"], filters["day"]
    form.values.setdefault("school_id", wanted.school)
    mine = await offer(session, scope, "schools_of_classes", city_date(clock.now()), [form.value("school_id")])
    return page.render(
        "admin/classes.html",
        status=422 if form.bad else 200,
        rows=[(row, grade_on(row.phase, row.entry_year, today), consent_now(row, today)) for row in rows],
        paging=paging,
        wanted=wanted,
        grade=grade,
        schools=mine,
        writable={row.school_id for row in rows if allows(scope, "class.write", part_of(row.school))},
        school=await schools.school(session, scope, wanted.school) if wanted.school else None,
        districts=await schools.my_districts(session, scope),
        years={phase: years(phase, today) for phase in ("primary", "junior")},
        base=base_of(filters),
        form=form,
        done=done if done in ("created", "saved") else "",
    )


@router.get(LIST)
async def get_list(
    page: Html,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    wanted: Wanted,
    grade: Grade = "",
    number: ListPage = 1,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    return await _page(page, session, scope, clock, wanted, grade, number, Form(), done)


@router.post(LIST)
async def post_class(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, wanted: Wanted
) -> Response:
    form, body = await submitted(request, ClassCreate, page.t)
    made = await attempt(request, form, service.create(session, scope, body, clock.now())) if body else None
    if made is None:
        if not allows(scope, "class.write"):
            raise ForbiddenError
        return await _page(page, session, scope, clock, wanted, "", 1, form)
    return RedirectResponse(f"{LIST}?school={made.school_id}&done=created", 303)


@router.get(LIST + "/{class_id}")
async def get_class(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, class_id: Id) -> Response:
    row = await service.get(session, scope, class_id)
    form = Form({name: getattr(row, name) for name in ClassEdit.model_fields})
    return await _form(page, session, scope, clock, form, row)


async def _form(
    page: Page, session: AsyncSession, scope: Scope, clock: ClockDep, form: Form, row: SchoolClass
) -> Response:
    staff = await store.staff(session, scope, row.school_id, city_date(clock.now()))
    heads = [(one.id, one.name) for one in staff]
    return page.render(
        "admin/class_form.html",
        status=422 if form.bad else 200,
        form=form,
        row=row,
        heads=heads,
        channels=CHANNELS,
        consent=consent_now(row, city_date(clock.now())),
    )


@router.post(LIST + "/{class_id}")
async def post_edit(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, class_id: Id
) -> Response:
    row = await service.get(session, scope, class_id)
    form = await carried_out(
        request, ClassEdit, page.t, lambda body: service.edit(session, scope, class_id, body, clock.now())
    )
    if form.bad:
        return await _form(page, session, scope, clock, form, row)
    return RedirectResponse(f"{LIST}?school={row.school_id}&done=saved", 303)


@router.post(LIST + "/{class_id}/close")
async def post_close(session: Writing, scope: SignedIn, clock: ClockDep, class_id: Id) -> Response:
    row = await service.close(session, scope, class_id, clock.now())
    return RedirectResponse(f"{LIST}?school={row.school_id}&done=saved", 303)
