"""Pages: desk, one lesson, shells of the live rooms, kiosk, companion. Inside a live page: frontend/modules/live."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Form, Path, Request, UploadFile
from fastapi.responses import RedirectResponse, Response

from server.dependencies import AnyScope, ClockDep, Html, Objects, Reading, SignedIn, Writing
from server.errors import ForbiddenError, TongtangError
from server.failures import sentence
from server.lessons import companion, decks, devices, rehearsal, seating, service, store
from server.lessons.changes import offers
from server.lessons.invitations import service as invitations
from server.lessons.lifecycle import AHEAD, CANCEL_REASONS, HELD, MOVE_REASONS, OPEN
from server.lessons.mends import service as mends
from server.lessons.mends.schemas import REASONS
from server.lessons.models import Lesson
from server.lessons.routes import Id, take_upload
from server.scope import SYSTEM, Part, Scope, allows
from server.security import read_cookie, set_cookie
from server.selftests import planning, wording
from server.selftests.board import lit
from server.studios.activities import store as activities
from server.templating import Page
from server.timetable import offdays
from signaling.seats import Role

router = APIRouter(include_in_schema=False)

LIVE_ROLES: dict[str, Role] = {"teach": "teacher", "class": "class", "watch": "watch"}


# --- desk and lesson --------------------------------------------------------------------------------------------------


@router.get("/desk")
async def get_desk(page: Html, session: Reading, scope: SignedIn, clock: ClockDep) -> Response:
    """今日课表 of a teacher or assistant: what begins when, and the one button that matters."""
    now = clock.now()
    today, later = await service.desk(session, scope, now)
    enter = {lesson.id: url for lesson in today + later if (url := entrance(lesson, scope, now))}
    start, _ = service.day_bounds(now)
    held = await activities.of_person(session, scope, start, start + timedelta(days=7))
    lamps = {row.lesson.id: row.lamps for row in await lit(session, scope, today, now)}
    return page.render(
        "desk/desk.html",
        now=now,
        today=today,
        later=later,
        enter=enter,
        lamps=lamps,
        act=wording.act,
        cause=wording.cause,
        activities=held,
        missing=await mends.missing(session, scope, now),
        may_rehearse=scope.school is not None and allows(scope, "lesson.rehearse", Part(school=scope.school)),
        rehearsal=await store.rehearsal_of(session, scope, now),
    )


@router.post("/rehearsals")
async def post_rehearsal(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    """One press, and the teacher stands in the room with a robot classroom."""
    await request.app.state.rates.hit("rehearsal", scope.person or "-")
    lesson = await rehearsal.begin(session, scope, page.t("desk.rehearse"), clock.now())
    return RedirectResponse(f"/live/{lesson.id}/teach", 303)


def entrance(lesson: Lesson, scope: Scope, now: Any) -> str | None:
    """Where the asker enters this lesson now; None when it is not open to them."""
    try:
        seating.check_time(lesson, now)
    except TongtangError:
        return None
    if seating.SEATERS["teacher"](lesson, scope, ""):
        return f"/live/{lesson.id}/teach"
    if scope.person and any(receipt.assistant_id == scope.person for receipt in lesson.receipts):
        return f"/companion/{lesson.id}"
    return f"/live/{lesson.id}/watch" if seating.SEATERS["watch"](lesson, scope, "") else None


@router.get("/lessons/{lesson_id}")
async def get_lesson(
    lesson_id: Id, request: Request, page: Html, session: Reading, scope: SignedIn, clock: ClockDep
) -> Response:
    return await lesson_page(request, page, session, scope, lesson_id, clock)


async def lesson_page(
    request: Request,
    page: Page,
    session: Any,
    scope: Scope,
    lesson_id: str,
    clock: Any,
    message: str = "",
    status: int = 200,
) -> Response:
    """Before: plan, slides, way in. After: replay."""
    now = clock.now()
    lesson = await service.get_lesson(session, scope, lesson_id)
    held = await store.decks(session, scope, lesson_id)
    most = request.app.state.settings.deck_pages
    planner = lesson.state in AHEAD and lesson.ends_at > now and service.may(scope, "lesson.create", lesson)
    return page.render(
        "lessons/lesson.html",
        status=status,
        now=now,
        lesson=lesson,
        enter=entrance(lesson, scope, now),
        replay=lesson.state in HELD,
        open=lesson.state in OPEN,
        decks=[decks.deck_out(deck, page.t, most) for deck in held],
        may_prepare=lesson.state in OPEN and decks.may_prepare(scope, lesson),
        cancel_reasons=CANCEL_REASONS,
        move_reasons=MOVE_REASONS,
        **await offers.offered(session, scope, lesson, now),
        upload_mb=request.app.state.settings.upload_mb,
        message=message,
        crowds=await planning.warnings(session, SYSTEM, [planning.planned(lesson)], now) if planner else [],
        away=await offdays.away(session, SYSTEM, lesson) if planner else [],
        mends=await mends.board(session, scope, lesson, now) if lesson.state in HELD else None,
        mend_reasons=REASONS,
        answers=await invitations.answers(session, scope, lesson.classroom_id, lesson.id),
    )


@router.post("/lessons/{lesson_id}/decks")
async def post_deck(
    lesson_id: Id,
    request: Request,
    page: Html,
    scope: SignedIn,
    objects: Objects,
    clock: ClockDep,
    file: Annotated[UploadFile, File()],
) -> Response:
    try:
        await take_upload(request, scope, lesson_id, file, objects, clock.now())
    except TongtangError as error:
        async with request.app.state.database.reading() as session:
            text = sentence(request, error)
            return await lesson_page(request, page, session, scope, lesson_id, clock, text, error.status)
    return RedirectResponse(f"/lessons/{lesson_id}#decks", 303)


@router.post("/lessons/{lesson_id}/decks/{deck_id}/delete")
async def post_delete_deck(lesson_id: Id, deck_id: Id, session: Writing, scope: SignedIn, objects: Objects) -> Response:
    await decks.remove_objects(objects, await decks.remove(session, scope, lesson_id, deck_id))
    return RedirectResponse(f"/lessons/{lesson_id}#decks", 303)


@router.post("/lessons/{lesson_id}/cancel")
async def post_cancel(
    lesson_id: Id, session: Writing, scope: SignedIn, clock: ClockDep, reason: Annotated[str, Form(max_length=24)] = ""
) -> Response:
    await service.cancel_lesson(session, scope, lesson_id, reason, clock.now())
    return RedirectResponse(f"/lessons/{lesson_id}", 303)


# --- live -------------------------------------------------------------------------------------------------------------


@router.get("/live/{lesson_id}/{role}")
async def get_live(
    lesson_id: Id,
    role: Annotated[Literal["teach", "class", "watch"], Path()],
    page: Html,
    session: Reading,
    scope: SignedIn,
) -> Response:
    """The shell; the seat is asked for by its script, again and again until the room opens."""
    lesson = await service.get_lesson(session, scope, lesson_id)
    seat_role = LIVE_ROLES[role]
    watcher = seating.SEATERS["watch"](lesson, scope, "")
    if role == "watch" and (watcher is None or scope.has("inspector", "evaluator")):
        seat_role = "inspector"
    if seating.SEATERS[seat_role](lesson, scope, "") is None:
        raise ForbiddenError("seat_role")
    return page.render(f"live/{role}.html", lesson=lesson, role=seat_role, signed_in=True)


@router.get("/kiosk")
async def get_kiosk(request: Request, page: Html, scope: AnyScope, clock: ClockDep) -> Response:
    """A device without a cookie gets one here; its cookie is renewed at every start of the page."""
    state = request.app.state
    token = read_cookie(request, "device") if scope.device else None
    if token is None:
        await state.rates.hit("device_code", request.client.host if request.client else "-")
        agent = request.headers.get("user-agent", "")
        async with state.database.transaction() as session:
            token = await devices.register(session, clock.now(), agent)
    response = page.render("live/kiosk.html", lesson_id="", role="class", signed_in=False)
    set_cookie(request, response, "device", token, int(devices.DEVICE_LIFE.total_seconds()))
    return response


@router.get("/companion/{lesson_id}")
async def get_companion(lesson_id: Id, page: Html, session: Reading, scope: AnyScope) -> Response:
    """For phones, also of people without an account: the code on the room's screen is the key."""
    lesson = await companion.public_lesson(session, lesson_id)
    signed_in = seating.SEATERS["assistant"](lesson, scope, "") is not None
    return page.render("live/companion.html", lesson=lesson, role="assistant", signed_in=signed_in)
