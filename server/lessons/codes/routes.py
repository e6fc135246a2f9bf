"""JSON: a lesson's code, given and taken back; entering with it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from server.audit.watch import acting
from server.dependencies import AnyScope, ClockDep, SignedIn, Writing
from server.lessons.changes.routes import follow
from server.lessons.codes import service
from server.scope import Scope
from server.security import new_token, set_cookie

router = APIRouter(prefix="/api/v1", tags=["lessons"])

Id = Annotated[str, Path(max_length=24)]
SEED_SECONDS = 86400


class CodeOut(BaseModel):
    """Shown once: only its digest is kept."""

    code: str
    opens_at: datetime
    closes_at: datetime


class CodeBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    code: str = Field(min_length=1, max_length=20)


class Entered(BaseModel):
    lesson: str
    url: str


@router.post("/lessons/{lesson_id}/code", status_code=201)
async def post_code(
    lesson_id: Id,
    request: Request,
    background: BackgroundTasks,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> CodeOut:
    """上课码 for the lesson's teacher; an older one stops."""
    await request.app.state.rates.hit("code_given", scope.person or "-")
    lesson, code, used = await service.give(session, scope, lesson_id, request.app.state.keys.companion, clock.now())
    if used:
        follow(request, background, lesson_id, service.seat_of(lesson))
    return CodeOut(code=code, opens_at=lesson.starts_at - service.EARLY, closes_at=service.open_until(lesson))


@router.delete("/lessons/{lesson_id}/code", status_code=204)
async def delete_code(
    lesson_id: Id,
    request: Request,
    background: BackgroundTasks,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> None:
    """The computer that came in by it is thrown out."""
    lesson, used = await service.revoke(session, scope, lesson_id, clock.now())
    if used:
        follow(request, background, lesson_id, service.seat_of(lesson))


@router.post("/lesson-code")
async def post_enter(body: CodeBody, request: Request, response: Response, scope: AnyScope, clock: ClockDep) -> Entered:
    """The code is the key: opens one lesson's teaching page on this computer."""
    lesson = await enter(request, response, scope, body.code, clock.now())
    return Entered(lesson=lesson, url=f"/live/{lesson}/teach")


async def enter(request: Request, response: Response, scope: Scope, code: str, now: datetime) -> str:
    """Shared by the form and the JSON route. Counted before looking: guessing is slow for whoever guesses."""
    state = request.app.state
    address = request.client.host if request.client else "-"
    await state.rates.hit("lesson_code", address)
    await state.rates.hit("lesson_code_all")
    async with state.database.transaction() as session:
        acting(session, scope, address)
        agent = request.headers.get("user-agent", "")
        lesson, token, lifetime = await service.enter(session, code, state.keys.companion, now, address, agent)
    await state.rates.forget("lesson_code", address)
    set_cookie(request, response, "code", token, int(lifetime.total_seconds()))
    set_cookie(request, response, "seed", new_token(), SEED_SECONDS)
    return lesson.id
