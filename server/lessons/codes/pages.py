"""Pages: the code, shown once to who gives it; the door where a teacher types it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from server.dependencies import AnyScope, ClockDep, Html, SignedIn, Writing
from server.errors import ConflictError, InvalidError, TooManyError
from server.failures import sentence
from server.lessons.changes.routes import follow
from server.lessons.codes import service
from server.lessons.codes.routes import enter
from server.security import own_origin

router = APIRouter(include_in_schema=False)

Id = Annotated[str, Path(max_length=24)]


@router.post("/lessons/{lesson_id}/code")
async def post_code(
    lesson_id: Id,
    request: Request,
    background: BackgroundTasks,
    page: Html,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> Response:
    """Large enough to be read out from a phone; never shown again."""
    await request.app.state.rates.hit("code_given", scope.person or "-")
    lesson, code, used = await service.give(session, scope, lesson_id, request.app.state.keys.companion, clock.now())
    if used:
        follow(request, background, lesson_id, service.seat_of(lesson))
    return page.render(
        "lessons/code.html",
        lesson=lesson,
        code=f"{code[:4]} {code[4:]}",
        where=f"{own_origin(request)}/code",
        opens_at=lesson.starts_at - service.EARLY,
        closes_at=service.open_until(lesson),
    )


@router.post("/lessons/{lesson_id}/code/revoke")
async def post_revoke(
    lesson_id: Id,
    request: Request,
    background: BackgroundTasks,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> Response:
    lesson, used = await service.revoke(session, scope, lesson_id, clock.now())
    if used:
        follow(request, background, lesson_id, service.seat_of(lesson))
    return RedirectResponse(f"/lessons/{lesson_id}#changes", 303)


@router.get("/code")
async def get_door(page: Html) -> Response:
    return page.render("lessons/code_door.html", message="")


@router.post("/code")
async def post_door(
    request: Request,
    page: Html,
    scope: AnyScope,
    clock: ClockDep,
    code: Annotated[str, Form(max_length=20)] = "",
) -> Response:
    response = RedirectResponse("/", 303)
    try:
        lesson = await enter(request, response, scope, code, clock.now())
    except (InvalidError, ConflictError, TooManyError) as error:
        return page.render("lessons/code_door.html", status=error.status, message=sentence(request, error))
    response.headers["location"] = f"/live/{lesson}/teach"
    return response
