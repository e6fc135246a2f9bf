"""JSON: what a screen is to test and what it found, the line's measure, the board, the lines."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from server.clock import to_ms
from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.lessons.schemas import LessonFilter
from server.scope import Scope
from server.selftests import board, service
from server.selftests.schemas import BoardLesson, DueOut, LightOut, LineOut, SelfTestBody, SelfTestPlan
from server.selftests.wording import lamp_out, light_out
from server.templating import Texts, texts

router = APIRouter(prefix="/api/v1", tags=["selftests"])

MOST_BYTES = 768 * 1024
"""Of one measure: a second of 6 Mbit/s, and less than any body may have."""


def _texts(request: Request) -> Texts:
    return texts(request.state.locale)


def _screen(scope: Scope) -> str:
    if scope.device is None:
        raise ForbiddenError
    return scope.device


@router.get("/kiosk/selftest")
async def get_plan(request: Request, session: Reading, scope: SignedIn, clock: ClockDep) -> SelfTestPlan:
    """For a bound screen, every half minute: what is due, and its light."""
    now = clock.now()
    plan = await service.plan(session, scope, now)
    return SelfTestPlan(
        due=DueOut(kind=plan.due.kind, lesson=plan.due.lesson) if plan.due else None,
        measure=plan.measure,
        light=light_out(plan.light, _texts(request)),
        now_ms=to_ms(now),
    )


@router.post("/kiosk/selftest", status_code=201)
async def post_result(
    body: SelfTestBody, request: Request, session: Writing, scope: SignedIn, clock: ClockDep
) -> LightOut:
    """What a bound screen found; answers the light it makes."""
    await request.app.state.rates.hit("selftest", _screen(scope))
    return light_out(await service.keep(session, scope, body, clock.now()), _texts(request))


@router.post("/kiosk/selftest/up")
async def post_up(request: Request, scope: SignedIn) -> dict[str, int]:
    """Bytes that are counted and forgotten: the screen measures how long they took."""
    await request.app.state.rates.hit("selftest_line", _screen(scope))
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
    return {"bytes": taken}


@router.get("/kiosk/selftest/down", response_class=Response)
async def get_down(
    request: Request, scope: SignedIn, size: Annotated[int, Query(ge=1, le=MOST_BYTES)] = 32 * 1024
) -> Response:
    """Bytes that no proxy can make smaller."""
    await request.app.state.rates.hit("selftest_line", _screen(scope))
    return Response(secrets.token_bytes(size), media_type="application/octet-stream")


@router.get("/lights")
async def get_lights(
    request: Request,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    district: Annotated[str, Query(max_length=6)] = "",
    school: Annotated[str, Query(max_length=24)] = "",
) -> list[BoardLesson]:
    """Today's lessons with the lights of their rooms, those the asker looks after."""
    wanted = LessonFilter(district_id=district or None, school_id=school or None)
    rows, _ = await board.board(session, scope, wanted, clock.now())
    return [_lesson(row, _texts(request)) for row in rows]


def _lesson(row: board.Row, t: Texts) -> BoardLesson:
    lesson = row.lesson
    return BoardLesson(
        lesson=lesson.id,
        title=lesson.title,
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        state=lesson.state,
        teacher=lesson.teacher.name,
        school=lesson.lead_room.school.short_name,
        lights=[lamp_out(one, t) for one in row.lamps],
    )


@router.get("/lines")
async def get_lines(session: Reading, scope: SignedIn, clock: ClockDep) -> list[LineOut]:
    """Measured lines of schools the asker looks after, the narrowest first."""
    return [LineOut(**_line(one)) for one in await board.lines(session, scope, clock.now())]


def _line(one: board.MeasuredLine) -> dict[str, Any]:
    return {
        "school": one.school.id,
        "name": one.school.name,
        "up_kbps": one.line.up,
        "down_kbps": one.line.down,
        "measures": one.line.measures,
        "measured_at": one.line.at,
        "carries": one.receives,
        "leads": one.leads,
    }
