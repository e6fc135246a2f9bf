"""JSON: changes of lessons, one route a kind, and their undoing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, BackgroundTasks, Body, Depends, Path, Query, Request
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.lessons import service as lessons
from server.lessons.changes import forms, many, progress, service, staffing, store
from server.lessons.changes.schemas import (
    AboutBody,
    AssistantBody,
    CancelLesson,
    CancelMany,
    ChangeOut,
    Done,
    FormsBody,
    ManyDone,
    ManyPlanned,
    MoveBody,
    ProgressRow,
    RepayBody,
    RoomBody,
    TeacherBody,
)
from server.lessons.models import Lesson, LessonChange
from server.lessons.schemas import LessonOut
from server.lessons.seating import Seating
from server.scope import SYSTEM, Scope
from server.selftests import planning, wording
from server.templating import texts
from server.timetable import offdays, orders

router = APIRouter(prefix="/api/v1", tags=["lessons"])

Id = Annotated[str, Path(max_length=24)]
Note = Annotated[str, Body(max_length=200, embed=True)]


async def _done(session: AsyncSession, scope: Scope, row: LessonChange) -> Done:
    lesson = await lessons.get_lesson(session, scope, row.lesson_id)
    return Done(lesson=lesson.id, sequence=lesson.sequence, batch=row.batch, state=lesson.state)


def follow(request: Request, background: BackgroundTasks, lesson: str, seat: str) -> None:
    """After the answer: what has been said is on disk by then."""
    background.add_task(cast(Seating, request.app.state.seating).follow, lesson, seat)


def follow_all(request: Request, background: BackgroundTasks, undone: list[tuple[Lesson, str]]) -> None:
    """What was undone, where somebody changes places by it."""
    for lesson, seat in undone:
        if seat:
            follow(request, background, lesson.id, seat)


@dataclass(frozen=True, slots=True)
class Staffing:
    """Somebody or some room of one lesson changes: who loses a seat by it hears of it in the live room."""

    lesson_id: Id
    request: Request
    background: BackgroundTasks
    session: Writing
    scope: SignedIn
    clock: ClockDep

    async def change(self, rule: Callable[..., Awaitable[tuple[LessonChange, str]]], body: BaseModel) -> Done:
        row, seat = await rule(self.session, self.scope, self.lesson_id, body, self.clock.now())
        follow(self.request, self.background, self.lesson_id, seat)
        return await _done(self.session, self.scope, row)


StaffingDep = Annotated[Staffing, Depends()]


@router.post("/lessons/{lesson_id}/move")
async def post_move(
    lesson_id: Id, body: MoveBody, request: Request, session: Writing, scope: SignedIn, clock: ClockDep
) -> Done:
    """调课"""
    done = await _done(session, scope, await service.move(session, scope, lesson_id, body, clock.now()))
    lesson, t = await lessons.get_lesson(session, scope, lesson_id), texts(request.state.locale)
    crowds = await planning.warnings(session, SYSTEM, [planning.planned(lesson)], clock.now())
    away = await offdays.away(session, SYSTEM, lesson)
    done.warnings = [wording.crowd(one, t) for one in crowds] + [
        t(f"timetable.off.{key}", **words) for key, words in away
    ]
    return done


@router.post("/lessons/{lesson_id}/call-off")
async def post_call_off(lesson_id: Id, body: CancelLesson, session: Writing, scope: SignedIn, clock: ClockDep) -> Done:
    """停课 with a note; answers the batch by which it is undone."""
    row = await service.cancel(
        session, scope, lesson_id, body.reason, clock.now(), note=body.note, sequence=body.sequence
    )
    return await _done(session, scope, row)


@router.post("/lessons/cancel-many")
async def post_cancel_many(body: CancelMany, session: Writing, scope: SignedIn, clock: ClockDep) -> ManyDone:
    """批量停课, 停课令"""
    return await orders.give(session, scope, body, clock.now())


@router.post("/lessons/cancel-many/plan")
async def post_plan_many(body: CancelMany, session: Reading, scope: SignedIn, clock: ClockDep) -> ManyPlanned:
    """What 批量停课 or a 停课令 would do, or why it would be refused. Nothing is changed."""
    planned = await orders.plan(session, scope, body, clock.now())
    found, rows = planned.hit, planned.activities
    if not (found.lessons or (body.activities and rows)):
        raise many.nothing(scope, body, found)
    return ManyPlanned(
        lessons=[one.id for one in found.lessons],
        left=[one.id for one in found.left],
        activities=[one.id for one in rows],
    )


@router.post("/lessons/{lesson_id}/repay", status_code=201)
async def post_repay(lesson_id: Id, body: RepayBody, session: Writing, scope: SignedIn, clock: ClockDep) -> LessonOut:
    """补课: the new lesson."""
    row = await service.repay(session, scope, lesson_id, body, clock.now())
    return lessons.lesson_out(await lessons.get_lesson(session, scope, row.lesson_id))


@router.post("/lessons/{lesson_id}/teacher")
async def post_teacher(body: TeacherBody, staff: StaffingDep) -> Done:
    """代课教师"""
    return await staff.change(staffing.set_teacher, body)


@router.post("/lessons/{lesson_id}/assistant")
async def post_assistant(body: AssistantBody, staff: StaffingDep) -> Done:
    """临时辅助教师"""
    return await staff.change(staffing.set_assistant, body)


@router.post("/lessons/{lesson_id}/room")
async def post_room(body: RoomBody, staff: StaffingDep) -> Done:
    """换教室"""
    return await staff.change(staffing.set_room, body)


@router.post("/lessons/{lesson_id}/about")
async def post_about(lesson_id: Id, body: AboutBody, session: Writing, scope: SignedIn, clock: ClockDep) -> Done:
    return await _done(session, scope, await service.about(session, scope, lesson_id, body, clock.now()))


@router.post("/lessons/{lesson_id}/dispute")
async def post_dispute(lesson_id: Id, note: Note, session: Writing, scope: SignedIn, clock: ClockDep) -> Done:
    """异常申诉"""
    return await _done(session, scope, await service.dispute(session, scope, lesson_id, note, clock.now()))


@router.post("/lessons/{lesson_id}/settle")
async def post_settle(lesson_id: Id, note: Note, session: Writing, scope: SignedIn, clock: ClockDep) -> Done:
    return await _done(session, scope, await service.settle(session, scope, lesson_id, note, clock.now()))


@router.get("/lessons/{lesson_id}/changes")
async def get_changes(lesson_id: Id, session: Reading, scope: SignedIn) -> list[ChangeOut]:
    """Who changed what, when and why; the oldest first."""
    lesson = await lessons.get_lesson(session, scope, lesson_id)
    return [change_out(row, scope, lesson) for row in await store.of_lesson(session, scope, lesson_id)]


def change_out(row: LessonChange, scope: Scope, lesson: Lesson) -> ChangeOut:
    return ChangeOut(
        id=row.id,
        batch=row.batch,
        lesson=row.lesson_id,
        kind=row.kind,
        at=row.at,
        by=row.by_name,
        reason=row.reason,
        note=row.note,
        before=row.before,
        after=row.after,
        undone_at=row.undone_at,
        may_undo=service.may_undo(scope, row, lesson),
    )


@router.post("/changes/{batch_id}/undo")
async def post_undo(
    batch_id: Id,
    request: Request,
    background: BackgroundTasks,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
    lesson: Annotated[str | None, Query(max_length=24)] = None,
) -> list[LessonOut]:
    """Everything of one batch as it was; with ``lesson`` that one only."""
    now = clock.now()
    whole = orders.undo(session, scope, batch_id, now)
    done = await (service.undo(session, scope, batch_id, now, lesson) if lesson else whole)
    follow_all(request, background, done)
    return [lessons.lesson_out(one) for one, _ in done]


@router.post("/classrooms/{classroom_id}/lesson-form")
async def post_forms(classroom_id: Id, body: FormsBody, session: Writing, scope: SignedIn, clock: ClockDep) -> ManyDone:
    """课堂类型 of many lessons at once."""
    return await forms.set_form(session, scope, classroom_id, body, clock.now())


@router.get("/classrooms/{classroom_id}/progress")
async def get_progress(classroom_id: Id, session: Reading, scope: SignedIn, clock: ClockDep) -> list[ProgressRow]:
    """进度 of each receiving class, and the difference a 停课 left."""
    return await progress.progress(session, scope, classroom_id, clock.now())
