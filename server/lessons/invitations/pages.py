"""Page: 受邀确认: what my school is asked for, and what my schools have asked of others."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, typed
from server.lessons.invitations import service, store
from server.lessons.models import Invitation
from server.paging import PAGE_ROWS, ListPage
from server.schools.models import School
from server.schools.service import part_of
from server.scope import SYSTEM, Scope, allows
from server.templating import Page

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Shown:
    row: Invitation
    school: School
    name: str
    lead: str
    when: datetime | None
    href: str
    may_answer: bool


@router.get("/invitations")
async def get_invitations(
    page: Html, session: Reading, scope: SignedIn, done: Annotated[bool, Query()] = False, number: ListPage = 1
) -> Response:
    return await _page(page, session, scope, number, done=done)


async def _page(
    page: Page, session: AsyncSession, scope: Scope, number: int = 1, *, done: bool = False, message: str = ""
) -> Response:
    if not allows(scope, "lesson.confirm"):
        raise ForbiddenError
    rows, paging = await store.invitations(session, scope, ("pending", "objected"), number, PAGE_ROWS)
    return page.render(
        "invitations/list.html",
        status=422 if message else 200,
        rows=[await _shown(session, scope, row) for row in rows],
        paging=paging,
        done=done,
        message=message,
    )


async def _shown(session: AsyncSession, scope: Scope, row: Invitation) -> Shown:
    school = await store.school(session, SYSTEM, row.school_id)
    lesson = await store.lesson(session, SYSTEM, row.lesson_id)
    classroom = await store.classroom(session, SYSTEM, row.classroom_id)
    lead = lesson.lead_room.school if lesson else classroom.lead_room.school if classroom else school
    return Shown(
        row,
        school,
        lesson.title if lesson else classroom.name if classroom else "",
        lead.short_name,
        lesson.starts_at if lesson else None,
        f"/lessons/{lesson.id}" if lesson else f"/timetable?of=classroom&id={row.classroom_id}",
        allows(scope, "lesson.confirm", part_of(school)),
    )


@router.post("/invitations/{invitation_id}/answer")
async def post_answer(
    invitation_id: Annotated[str, Path(max_length=24)],
    request: Request,
    page: Html,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> Response:
    form = Form(typed((await request.form()).multi_items()))
    agreed, why = form.value("answer") == "confirm", str(form.value("objection"))[:200]
    done = await attempt(request, form, service.answer(session, scope, invitation_id, agreed, why, clock.now()))
    if done is None:
        return await _page(page, session, scope, message=form.message or form.wrong.get("objection", ""))
    return RedirectResponse("/invitations?done=1", 303)
