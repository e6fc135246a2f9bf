"""Pages: the list of 待补签, and the forms of a lesson's page. A refusal shows that page again, with its sentence."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import Clock
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError, NotFoundError
from server.forms import Form, carried_out
from server.lessons.mends import service, store
from server.lessons.mends.schemas import AnswerBody, AskBody
from server.lessons.models import Mend
from server.lessons.pages import lesson_page
from server.scope import Scope, allows
from server.templating import Page

router = APIRouter(include_in_schema=False)

Id = Annotated[str, Path(max_length=24)]


@router.get("/mends")
async def get_missing(page: Html, session: Reading, scope: SignedIn, clock: ClockDep) -> Response:
    if not allows(scope, "lesson.mend"):
        raise ForbiddenError
    return page.render("mends/list.html", missing=await service.missing(session, scope, clock.now()))


@router.post("/lessons/{lesson_id}/mends")
async def post_mend(
    lesson_id: Id, request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep
) -> Response:
    def doing(body: AskBody) -> Awaitable[Mend]:
        return service.ask(session, scope, lesson_id, body, clock.now())

    form = await carried_out(request, AskBody, page.t, doing)
    return await _back(request, page, session, scope, clock, lesson_id, form)


@router.post("/mends/{mend_id}/answer")
async def post_answer(
    mend_id: Id, request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep
) -> Response:
    row = await store.mend(session, scope, mend_id)
    if row is None:
        raise NotFoundError

    def doing(body: AnswerBody) -> Awaitable[Mend]:
        return service.answer(session, scope, mend_id, body.answer == "approve", body.why, clock.now())

    form = await carried_out(request, AnswerBody, page.t, doing)
    return await _back(request, page, session, scope, clock, row.lesson_id, form)


async def _back(
    request: Request,
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: Clock,
    lesson_id: str,
    form: Form,
) -> Response:
    if form.bad:
        return await lesson_page(request, page, session, scope, lesson_id, clock, form.complaint, 422)
    return RedirectResponse(f"/lessons/{lesson_id}#mends", 303)
