"""Pages: the administrators' overview, lessons by day or week, nodes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from server.admin import service, store
from server.choices.service import Offer, offer
from server.classrooms.schemas import MOST_RECEIVERS, SUBJECTS, Subject
from server.clock import CITY, city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, check, rows_of, typed
from server.lessons import service as lessons
from server.lessons import store as lesson_store
from server.lessons.lifecycle import CANCEL_REASONS
from server.lessons.lifecycle import after as next_state
from server.lessons.mends import service as mends
from server.lessons.models import Lesson
from server.lessons.schemas import LessonDraft, LessonFilter, ReceiverDraft
from server.paging import ListPage, Paging, Words, base_of
from server.schools.routes import Reader
from server.schools.schemas import Body, Id
from server.schools.service import part_of
from server.scope import Scope, allows
from server.templating import Page
from server.timetable.service import week_of

router = APIRouter(include_in_schema=False)

LIST = "/admin/lessons"
A_PAGE = 50
DONE = ("created", "cancelled")


@router.get("/admin")
async def get_overview(page: Html, session: Reading, scope: Reader, clock: ClockDep) -> Response:
    now = clock.now()
    today = city_date(now)
    start, end = lessons.day_bounds(now)
    troubles = await service.troubles(session, scope, now)
    week = await week_of(session, scope, today)
    term = week[0].id if week else ""
    return page.render(
        "admin/overview.html",
        today=today,
        week=week,
        counts=await store.counts(session, scope, today, now - service.ON, term),
        states=await store.states(session, scope, start, end),
        troubles=troubles,
        readable={one.room.school_id for one in troubles if allows(scope, "school.read", part_of(one.room.school))},
        missing=await mends.missing(session, scope, now),
        may_nodes=allows(scope, "node.read"),
    )


@router.get("/admin/nodes")
async def get_nodes(page: Html, session: Reading, scope: SignedIn, clock: ClockDep) -> Response:
    if not allows(scope, "node.read"):
        raise ForbiddenError
    return page.render("admin/nodes.html", nodes=await lesson_store.nodes(session, scope), now=clock.now())


# --- lessons ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LessonsWanted:
    day: date | None
    span: str
    q: str
    subject: str
    state: str


def wanted(
    day: Annotated[date | None, Query()] = None,
    span: Literal["day", "week"] = "day",
    q: Words = "",
    subject: Annotated[str, Query(pattern="^[a-z_]{0,32}$")] = "",
    state: Literal["", "published", "live", "closed", "cancelled"] = "",
) -> LessonsWanted:
    return LessonsWanted(day, span, q, subject, state)


STATES = {
    "": (),
    "published": ("planned", "published", "waiting"),
    "live": ("live",),
    "closed": ("closed", "registered", "archived"),
    "cancelled": ("cancelled",),
}


def bounds(day: date, span: str) -> tuple[date, date]:
    """First day and the day after the last."""
    first = day - timedelta(days=day.weekday()) if span == "week" else day
    return first, first + timedelta(days=7 if span == "week" else 1)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY)


@router.get(LIST)
async def get_lessons(
    page: Html,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    asked: Annotated[LessonsWanted, Depends(wanted)],
    number: ListPage = 1,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    today = city_date(clock.now())
    day = asked.day or today
    first, after = bounds(day, asked.span)
    # a page past the end shows nothing, and says how many there are
    offset = (number - 1) * A_PAGE
    found, count = await lessons.find_lessons(
        session,
        scope,
        LessonFilter(
            starts_from=midnight(first),
            starts_before=midnight(after),
            states=STATES[asked.state],
            subject=asked.subject or None,
            words=asked.q[:60],
            offset=offset,
            limit=A_PAGE,
        ),
    )
    by_day: dict[date, list[Lesson]] = {}
    for lesson in found:
        by_day.setdefault(city_date(lesson.starts_at), []).append(lesson)
    step = after - first
    filters = {"span": asked.span, "q": asked.q, "subject": asked.subject, "state": asked.state}
    return page.render(
        "admin/lessons.html",
        asked=asked,
        day=day,
        today=today,
        first=first,
        last=after - timedelta(days=1),
        before=first - step,
        after=after,
        by_day=by_day,
        count=count,
        week=await week_of(session, scope, day),
        subjects=SUBJECTS,
        base=base_of(filters),
        paging=Paging(number, count, A_PAGE),
        may_create=allows(scope, "lesson.create"),
        may_cancel={one.id: _cancellable(scope, one) for one in found},
        done=done if done in DONE else "",
    )


def _cancellable(scope: Scope, lesson: Lesson) -> bool:
    return next_state(lesson.state, "cancel") is not None and lessons.may(scope, "lesson.cancel", lesson)


class LessonForm(Body):
    """A lesson as the form asks for it: a day, a bell and minutes instead of two moments."""

    classroom_id: Id | None = None
    title: str = Field(min_length=1, max_length=120)
    kind: Literal["formal", "trial", "drill"]
    form: Literal["delivery", "master", "open"]
    day: date
    starts: time
    minutes: int = Field(ge=10, le=240)
    subject: Subject | None = None
    grade: int = Field(default=0, ge=0, le=9)
    lead_room_id: Id | None = None
    teacher_id: Id | None = None
    lead_class_id: Id | None = None
    receivers: list[ReceiverDraft] = Field(default_factory=list, max_length=MOST_RECEIVERS)
    """Rows as in the form of a classroom: room, class, assistant. None: all from the classroom."""

    def draft(self) -> LessonDraft:
        start = datetime.combine(self.day, self.starts, CITY)
        return LessonDraft(
            classroom_id=self.classroom_id,
            title=self.title,
            subject=self.subject or "",
            grade=self.grade,
            kind=self.kind,
            form=self.form,
            lead_room_id=self.lead_room_id or "",
            teacher_id=self.teacher_id or "",
            lead_class_id=self.lead_class_id,
            starts_at=start,
            ends_at=start + timedelta(minutes=self.minutes),
            receivers=self.receivers,
        )


async def _form_page(page: Page, session: AsyncSession, scope: Scope, form: Form, today: date) -> Response:
    if not allows(scope, "lesson.create"):
        raise ForbiddenError

    async def choices(kind: str, *names: str) -> Offer:
        return await offer(session, scope, kind, today, [form.value(name) for name in names])

    held = [f"receivers.{n}." for n in range(MOST_RECEIVERS)]
    return page.render(
        "admin/lesson_form.html",
        status=422 if form.bad else 200,
        form=form,
        classrooms=await choices("led_classrooms", "classroom_id"),
        subjects=SUBJECTS,
        lead_rooms=await choices("lead_rooms", "lead_room_id"),
        teachers=await choices("teachers", "teacher_id"),
        receiving_rooms=await choices("receiving_rooms", *(f"{one}room_id" for one in held)),
        classes=await choices("classes", "lead_class_id", *(f"{one}class_id" for one in held)),
        assistants=await choices("assistants", *(f"{one}assistant_id" for one in held)),
        receiver_rows=range(MOST_RECEIVERS),
    )


@router.get(LIST + "/new")
async def get_new(
    page: Html, session: Reading, scope: Reader, clock: ClockDep, classroom: Id | None = None
) -> Response:
    today = city_date(clock.now())
    values = {
        "day": today.isoformat(),
        "minutes": 40,
        "kind": "formal",
        "form": "delivery",
        "classroom_id": classroom or "",
    }
    return await _form_page(page, session, scope, Form(values), today)


@router.post(LIST + "/new")
async def post_new(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    form = Form(typed((await request.form()).multi_items()))
    body, form.wrong = check(LessonForm, rows_of(form.values, {"receivers": "room_id"}), page.t)
    made = None
    if body is not None:
        made = await attempt(request, form, lessons.create_lesson(session, scope, body.draft(), clock.now()))
    if made is None:
        return await _form_page(page, session, scope, form, city_date(clock.now()))
    return RedirectResponse(f"{LIST}?day={city_date(made.starts_at).isoformat()}&done=created", 303)


@router.get(LIST + "/{lesson_id}/cancel")
async def get_cancel(page: Html, session: Reading, scope: SignedIn, lesson_id: Id) -> Response:
    lesson = await lessons.get_lesson(session, scope, lesson_id)
    if not lessons.may(scope, "lesson.cancel", lesson):
        raise ForbiddenError
    return page.render("admin/lesson_cancel.html", lesson=lesson, reasons=CANCEL_REASONS, form=Form())


@router.post(LIST + "/{lesson_id}/cancel")
async def post_cancel(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, lesson_id: Id
) -> Response:
    lesson = await lessons.get_lesson(session, scope, lesson_id)
    form = Form(typed((await request.form()).multi_items()))
    reason = str(form.value("reason"))
    done = await attempt(request, form, lessons.cancel_lesson(session, scope, lesson_id, reason, clock.now()))
    if done is None:
        return page.render("admin/lesson_cancel.html", status=422, lesson=lesson, reasons=CANCEL_REASONS, form=form)
    return RedirectResponse(f"{LIST}?day={city_date(lesson.starts_at).isoformat()}&done=cancelled", 303)
