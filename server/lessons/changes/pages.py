"""Forms of a lesson's page: one door a kind of change. A refusal shows the page again, with its sentence."""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import date, datetime, time
from typing import Annotated, Any, Literal

from fastapi import APIRouter, BackgroundTasks, Path, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict
from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY
from server.dependencies import ClockDep, Html, SignedIn, Writing
from server.errors import InvalidError
from server.forms import Form, attempt, check, typed
from server.lessons.changes import service, staffing
from server.lessons.changes.routes import follow, follow_all
from server.lessons.changes.schemas import AboutBody, AssistantBody, MoveBody, RepayBody, RoomBody, TeacherBody
from server.lessons.models import LessonChange
from server.lessons.pages import lesson_page
from server.scope import Scope
from server.templating import Texts

router = APIRouter(include_in_schema=False)

Id = Annotated[str, Path(max_length=24)]
Kind = Literal["move", "cancel", "repay", "teacher", "assistant", "room", "about", "dispute", "settle"]


class When(BaseModel):
    """Day and bell as a form sends them, by the city's clock."""

    model_config = ConfigDict(extra="ignore")

    day: date
    starts: time

    def moment(self) -> datetime:
        return datetime.combine(self.day, self.starts, CITY)


@router.post("/lessons/{lesson_id}/change/{kind}")
async def post_change(
    lesson_id: Id,
    kind: Kind,
    request: Request,
    background: BackgroundTasks,
    page: Html,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> Response:
    form = Form(typed((await request.form()).multi_items()))
    async with session.begin_nested() as step:
        done = await attempt(request, form, _change(session, scope, lesson_id, kind, form, page.t, clock.now()))
        if done is None:
            await step.rollback()
    if done is None:
        session.expire_all()
        text = form.complaint
        return await lesson_page(request, page, session, scope, lesson_id, clock, text, 422)
    row, seat = done
    if seat:
        follow(request, background, lesson_id, seat)
    return RedirectResponse(f"/lessons/{row.lesson_id}#changes", 303)


async def _change(
    session: AsyncSession, scope: Scope, lesson_id: str, kind: Kind, form: Form, t: Texts, now: datetime
) -> tuple[LessonChange, str]:
    """The change, and the seat that somebody loses by it."""
    values = form.values
    note = str(values.get("note", ""))[:200]
    doing: Awaitable[LessonChange]
    if kind in ("teacher", "assistant", "room"):
        return await _staff(session, scope, lesson_id, kind, values, t, now)
    if kind in ("move", "repay"):
        starts_at = _checked(When, values, t).moment()
        if kind == "repay":
            doing = service.repay(session, scope, lesson_id, RepayBody(starts_at=starts_at, note=note), now)
        else:
            reason = str(values.get("reason") or "other")[:24]
            body = MoveBody(starts_at=starts_at, reason=reason, note=note, sequence=_sequence(values))
            doing = service.move(session, scope, lesson_id, body, now)
    elif kind == "cancel":
        reason = str(values.get("reason", ""))
        doing = service.cancel(session, scope, lesson_id, reason, now, note=note, sequence=_sequence(values))
    elif kind == "about":
        doing = service.about(session, scope, lesson_id, _checked(AboutBody, values, t), now)
    elif kind == "dispute":
        doing = service.dispute(session, scope, lesson_id, note, now)
    else:
        doing = service.settle(session, scope, lesson_id, note, now)
    return await doing, ""


async def _staff(
    session: AsyncSession, scope: Scope, lesson_id: str, kind: Kind, values: dict[str, Any], t: Texts, now: datetime
) -> tuple[LessonChange, str]:
    if kind == "teacher":
        return await staffing.set_teacher(session, scope, lesson_id, _checked(TeacherBody, values, t), now)
    if kind == "assistant":
        return await staffing.set_assistant(session, scope, lesson_id, _checked(AssistantBody, values, t), now)
    return await staffing.set_room(session, scope, lesson_id, _checked(RoomBody, values, t), now)


def _checked(schema: Any, values: dict[str, Any], t: Texts) -> Any:
    body, wrong = check(schema, values, t)
    if body is None:
        raise InvalidError(field=", ".join(sorted(wrong)))
    return body


def _sequence(values: dict[str, Any]) -> int | None:
    text = str(values.get("sequence", ""))
    return int(text) if text.isdigit() else None


@router.post("/lessons/{lesson_id}/undo/{batch_id}")
async def post_undo(
    lesson_id: Id,
    batch_id: Id,
    request: Request,
    background: BackgroundTasks,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> Response:
    """Of this lesson only, though it was called off with many."""
    follow_all(request, background, await service.undo(session, scope, batch_id, clock.now(), lesson_id))
    return RedirectResponse(f"/lessons/{lesson_id}#changes", 303)
