"""JSON: a lesson's code, given and taken back; entering with it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from server.audit.watch import acting
from server.dependencies import AnyScope, ClockDep, SignedIn, Writing
from server.lessons.changes.routes import follow
from server.lessons.codes import service
from server.lessons.models import Lesson
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


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes of one lesson, for form and JSON alike."""

    lesson_id: Id
    request: Request
    background: BackgroundTasks
    session: Writing
    scope: SignedIn
    clock: ClockDep

    async def give(self) -> tuple[Lesson, str]:
        state, now = self.request.app.state, self.clock.now()
        await state.rates.hit("code_given", self.scope.person or "-")
        lesson, code, used = await service.give(self.session, self.scope, self.lesson_id, state.keys.companion, now)
        self._follow(lesson, used)
        return lesson, code

    async def revoke(self) -> None:
        lesson, used = await service.revoke(self.session, self.scope, self.lesson_id, self.clock.now())
        self._follow(lesson, used)

    def _follow(self, lesson: Lesson, used: bool) -> None:
        """The computer that came in by the old code is thrown out."""
        if used:
            follow(self.request, self.background, lesson.id, service.seat_of(lesson))


CodesDep = Annotated[Codes, Depends()]


@router.post("/lessons/{lesson_id}/code", status_code=201)
async def post_code(codes: CodesDep) -> CodeOut:
    """上课码 for the lesson's teacher; an older one stops."""
    lesson, code = await codes.give()
    return CodeOut(code=code, opens_at=lesson.starts_at - service.EARLY, closes_at=service.open_until(lesson))


@router.delete("/lessons/{lesson_id}/code", status_code=204)
async def delete_code(codes: CodesDep) -> None:
    """The computer that came in by it is thrown out."""
    await codes.revoke()


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
