"""Pages of declared gaps: the list with its form, withdrawing."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import offer
from server.classrooms.schemas import SUBJECTS
from server.clock import city_date
from server.demands import store as demands
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.forms import Form, attempt, submitted
from server.gaps import service, store
from server.gaps.routes import Reader, Wanted
from server.gaps.schemas import GapCreate
from server.paging import PAGE_ROWS, ListPage, base_of
from server.schools import store as schools
from server.schools.schemas import Id
from server.schools.service import part_of
from server.scope import Scope, allows
from server.templating import Page
from server.timetable.service import week_of

router = APIRouter(include_in_schema=False)

LIST = "/admin/gaps"


async def _page(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    wanted: store.GapFilter,
    number: int,
    form: Form,
    done: str = "",
) -> Response:
    rows, paging = await store.list_gaps(session, scope, wanted, number, PAGE_ROWS)
    terms = await store.terms(session, scope)
    now = await week_of(session, scope, city_date(clock.now()))
    form.values.setdefault("term", now[0].id if now else "")
    form.values.setdefault("school_id", wanted.school)
    mine = await offer(session, scope, "schools_of_gaps", city_date(clock.now()), [form.value("school_id")])
    return page.render(
        "admin/gaps.html",
        status=422 if form.bad else 200,
        rows=rows,
        writable={owner.id for _, owner in rows if allows(scope, "gap.write", part_of(owner))},
        paging=paging,
        posted=await demands.open_gaps(session, scope, [gap.id for gap, _ in rows]),
        wanted=wanted,
        terms=terms,
        subjects=SUBJECTS,
        schools=mine,
        school=await schools.school(session, scope, wanted.school) if wanted.school else None,
        districts=await schools.my_districts(session, scope),
        base=base_of(asdict(wanted)),
        form=form,
        done=done if done in ("declared", "withdrawn") else "",
    )


@router.get(LIST)
async def get_list(
    page: Html,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    wanted: Wanted,
    number: ListPage = 1,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    return await _page(page, session, scope, clock, wanted, number, Form(), done)


@router.post(LIST)
async def post_gap(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, wanted: Wanted
) -> Response:
    form, body = await submitted(request, GapCreate, page.t)
    made = await attempt(request, form, service.declare(session, scope, body, clock.now())) if body else None
    if made is None:
        if not allows(scope, "gap.write"):
            return RedirectResponse(LIST, 303)
        return await _page(page, session, scope, clock, wanted, 1, form)
    return RedirectResponse(f"{LIST}?school={made.school_id}&done=declared", 303)


@router.post(LIST + "/{gap_id}/withdraw")
async def post_withdraw(session: Writing, scope: SignedIn, clock: ClockDep, gap_id: Id) -> Response:
    gap = await service.withdraw(session, scope, gap_id, clock.now())
    return RedirectResponse(f"{LIST}?school={gap.school_id}&done=withdrawn", 303)
