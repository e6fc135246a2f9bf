"""Pages of a 停课令: which schools are closed on which days, what that hits, and the way back."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import offer
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, check, typed
from server.lessons.changes import store as change_store
from server.lessons.changes.schemas import CancelMany
from server.lessons.lifecycle import EXEMPT_REASONS
from server.lessons.models import Lesson
from server.paging import ListPage, base_of, page_of
from server.schools import store as schools
from server.schools.models import District
from server.scope import Part, Scope, allows
from server.studios.activities import store as activity_store
from server.templating import Page
from server.timetable import orders

router = APIRouter(include_in_schema=False)

PAGE = "/timetable/orders"
ROWS = 4
"""Single schools of a form; more of them are a district, or a second order."""
A_PAGE = 50


async def closable(session: AsyncSession, scope: Scope) -> list[District]:
    """Districts whose lessons the asker may call off; none: no orders for them."""
    mine = await schools.my_districts(session, scope) if scope.city or scope.districts else []
    return [one for one in mine if allows(scope, "lesson.cancel", Part(district=one.id))]


def _asked(pairs: list[tuple[str, str]]) -> dict[str, Any]:
    """What a form says of the order, as ``CancelMany`` takes it."""
    values = dict(pairs)
    named = [values[f"school.{n}"] for n in range(ROWS) if values.get(f"school.{n}")]
    return {
        "activities": values.get("activities") == "1",
        "reason": values.get("reason", ""),
        "note": values.get("note", ""),
        "city": values.get("city") == "1",
        "districts": [value for key, value in pairs if key == "districts"],
        "schools": named,
        "first": values.get("first") or None,
        "last": values.get("last") or values.get("first") or None,
    }


@router.get(PAGE)
async def get_order(
    request: Request,
    page: Html,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    number: ListPage = 1,
    batch: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
) -> Response:
    """The order is the address: it can be sent to who decides. ``batch``: given just now, with the way back."""
    left_out = ("page", "lang", "batch")
    pairs = [(key, value) for key, value in request.query_params.multi_items() if key not in left_out]
    return await _page(request, page, session, scope, clock, pairs, Form(), number, batch)


async def _page(
    request: Request,
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: Any,
    pairs: list[tuple[str, str]],
    form: Form,
    number: int = 1,
    batch: str = "",
) -> Response:
    districts = await closable(session, scope)
    if not districts:
        raise ForbiddenError
    today = city_date(clock.now())
    form.values = form.values or typed(pairs)
    found = None
    if pairs and not form.bad:
        body, form.wrong = check(CancelMany, _asked(pairs), page.t)
        found = await attempt(request, form, orders.plan(session, scope, body, clock.now())) if body else None
    shown, paging = page_of(found.hit.lessons if found else [], number, A_PAGE)
    gone = await change_store.of_batch(session, scope, batch) if batch else []
    activities_gone = await activity_store.of_batch(session, scope, batch) if batch else []
    chosen = [form.value(f"school.{n}") for n in range(ROWS)]
    named = [value for key, value in pairs if key == "districts"]
    return page.render(
        "timetable/order.html",
        status=422 if form.bad else 200,
        today=today,
        districts=districts,
        named_districts=named or ([districts[0].id] if len(districts) == 1 and not pairs else []),
        may_city=allows(scope, "lesson.cancel", Part()),
        schools=await offer(session, scope, "schools", today, chosen),
        rows=range(ROWS),
        reasons=EXEMPT_REASONS,
        pairs=pairs,
        found=found.hit if found else None,
        activities=found.activities if found else [],
        with_activities=form.value("activities") == "1" or not pairs,
        people=len(_people(found.hit.lessons)) if found else 0,
        shown=shown,
        paging=paging,
        base=base_of({}) if not pairs else "?" + "&".join([*_query(pairs), ""]),
        batch=batch,
        gone=sum(one.undone_at is None for one in gone),
        activities_gone=len(activities_gone),
        form=form,
    )


def _query(pairs: list[tuple[str, str]]) -> list[str]:
    return [base_of({key: value})[1:-1] for key, value in pairs if value]


def _people(lessons: list[Lesson]) -> set[str]:
    """Who teaches or assists there; the schools' administrators are told besides."""
    named = {one.teacher_id for one in lessons}
    return named | {held.assistant_id for one in lessons for held in one.receipts if held.assistant_id}


@router.post(PAGE)
async def post_order(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    pairs = [(key, str(value)) for key, value in (await request.form()).multi_items() if key != "csrf"]
    if not await closable(session, scope):
        raise ForbiddenError
    form = Form(typed(pairs))
    body, form.wrong = check(CancelMany, _asked(pairs), page.t)
    made = await attempt(request, form, orders.give(session, scope, body, clock.now())) if body else None
    if made is None:
        return await _page(request, page, session, scope, clock, pairs, form)
    return RedirectResponse(f"{PAGE}?batch={made.batch}", 303)


@router.post(PAGE + "/undo/{batch_id}")
async def post_undo(
    session: Writing, scope: SignedIn, clock: ClockDep, batch_id: Annotated[str, Path(max_length=24)]
) -> Response:
    """What has not begun yet is held after all."""
    await orders.undo(session, scope, batch_id, clock.now())
    return RedirectResponse(f"{PAGE}?batch={batch_id}", 303)
