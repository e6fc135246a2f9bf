"""Pages: an activity, the form that plans or changes one."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY, Clock, city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ConflictError, ForbiddenError
from server.failures import sentence
from server.forms import Form, attempt, check, typed
from server.schools.schemas import Id
from server.scope import Scope
from server.studios.activities import service
from server.studios.activities.models import KINDS, Activity
from server.studios.activities.schemas import ActivityBody, CallOff
from server.studios.models import Studio
from server.templating import Page

router = APIRouter(include_in_schema=False)

USUAL_MINUTES = 60


async def _form_page(
    page: Page, session: AsyncSession, form: Form, studio: Studio, row: Activity | None, day: date
) -> Response:
    return page.render(
        "studios/activity_form.html",
        status=422 if form.bad else 200,
        form=form,
        studio=studio,
        activity=row,
        kinds=KINDS,
        rooms=await service.rooms(session, studio, day),
        people=[one for one in await service.members(session, studio, day) if one.id != studio.host_id],
    )


async def _submitted(request: Request, page: Page) -> tuple[Form, ActivityBody | None]:
    """Day and bell by the city's clock; rooms and people as ticked."""
    submitted = await request.form()
    values: dict[str, Any] = typed(submitted.multi_items())
    for name in ("rooms", "people"):
        values[name] = [str(one) for one in submitted.getlist(name)]
    form = Form(values)
    names = ("kind", "title", "note", "minutes", "rooms", "people", "sequence")
    asked = {name: values[name] for name in names if name in values}
    try:
        moment = datetime.combine(date.fromisoformat(values["day"]), time.fromisoformat(values["starts"]), CITY)
    except (KeyError, ValueError):
        form.wrong["starts_at"] = page.t("common.wrong.date")
        return form, None
    body, form.wrong = check(ActivityBody, {**asked, "starts_at": moment}, page.t)
    return form, body


def _flat(row: Activity) -> dict[str, Any]:
    start = row.starts_at.astimezone(CITY)
    return {
        "kind": row.kind,
        "title": row.title,
        "note": row.note,
        "day": f"{start:%Y-%m-%d}",
        "starts": f"{start:%H:%M}",
        "minutes": int((row.ends_at - row.starts_at).total_seconds()) // 60,
        "rooms": [one.room_id for one in row.places],
        "people": [one.person_id for one in row.people],
        "sequence": row.sequence,
    }


@router.get("/studios/{studio_id}/activities/new")
async def get_new(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, studio_id: Id) -> Response:
    studio = await service.studio_for(session, scope, studio_id)
    today = city_date(clock.now())
    everybody = [one.id for one in await service.members(session, studio, today)]
    form = Form({"day": str(today), "minutes": USUAL_MINUTES, "people": everybody, "rooms": []})
    return await _form_page(page, session, form, studio, None, today)


@router.post("/studios/{studio_id}/activities/new")
async def post_new(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, studio_id: Id
) -> Response:
    studio = await service.studio_for(session, scope, studio_id)
    form, body = await _submitted(request, page)
    made = None
    if body is not None:
        made = await attempt(request, form, service.plan(session, scope, studio_id, body, clock.now()))
    if made is None:
        return await _form_page(page, session, form, studio, None, city_date(clock.now()))
    return RedirectResponse(f"/activities/{made.id}", 303)


@router.get("/activities/{activity_id}")
async def get_activity(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, activity_id: Id) -> Response:
    return await _page(page, session, scope, clock, activity_id)


async def _page(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: Clock,
    activity_id: str,
    message: str = "",
    status: int = 200,
) -> Response:
    row = await service.get(session, scope, activity_id)
    ahead = row.state == "planned" and row.ends_at > clock.now()
    may = ahead and service.may_write(scope, row.studio)
    return page.render("studios/activity.html", status=status, activity=row, may_write=may, message=message)


@router.get("/activities/{activity_id}/edit")
async def get_edit(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, activity_id: Id) -> Response:
    row = await service.get(session, scope, activity_id)
    if not service.may_write(scope, row.studio):
        raise ForbiddenError
    return await _form_page(page, session, Form(_flat(row)), row.studio, row, city_date(row.starts_at))


@router.post("/activities/{activity_id}/edit")
async def post_edit(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, activity_id: Id
) -> Response:
    row = await service.get(session, scope, activity_id)
    studio_id, day = row.studio_id, city_date(row.starts_at)
    if not service.may_write(scope, row.studio):
        raise ForbiddenError
    form, body = await _submitted(request, page)
    done = None
    if body is not None:
        async with session.begin_nested() as step:
            done = await attempt(request, form, service.change(session, scope, activity_id, body, clock.now()))
            if done is None:
                await step.rollback()
    if done is None:
        session.expire_all()
        studio = await service.studio_for(session, scope, studio_id)
        return await _form_page(page, session, form, studio, await service.get(session, scope, activity_id), day)
    return RedirectResponse(f"/activities/{activity_id}", 303)


@router.post("/activities/{activity_id}/cancel")
async def post_cancel(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, activity_id: Id
) -> Response:
    values = typed((await request.form()).multi_items())
    note = str(values.get("note", ""))[:200]
    try:
        await service.call_off(session, scope, activity_id, CallOff(note=note), clock.now())
    except ConflictError as error:
        return await _page(page, session, scope, clock, activity_id, sentence(request, error), error.status)
    return RedirectResponse(f"/activities/{activity_id}", 303)
