"""Pages: the code, shown once to who gives it; the door where a teacher types it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from server.dependencies import AnyScope, ClockDep, Html
from server.errors import ConflictError, InvalidError, TooManyError
from server.failures import sentence
from server.lessons.codes import service
from server.lessons.codes.routes import CodesDep, enter
from server.security import own_origin

router = APIRouter(include_in_schema=False)


@router.post("/lessons/{lesson_id}/code")
async def post_code(codes: CodesDep, page: Html) -> Response:
    """Large enough to be read out from a phone; never shown again."""
    lesson, code = await codes.give()
    return page.render(
        "lessons/code.html",
        lesson=lesson,
        code=f"{code[:4]} {code[4:]}",
        where=f"{own_origin(codes.request)}/code",
        opens_at=lesson.starts_at - service.EARLY,
        closes_at=service.open_until(lesson),
    )


@router.post("/lessons/{lesson_id}/code/revoke")
async def post_revoke(codes: CodesDep) -> Response:
    await codes.revoke()
    return RedirectResponse(f"/lessons/{codes.lesson_id}#changes", 303)


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
