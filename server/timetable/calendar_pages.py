"""Pages: terms, holidays and make-up days, bells of a school, days away and the lessons they hit."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import offer
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError, InvalidError
from server.forms import Form, attempt, check, typed
from server.lessons.changes import many
from server.lessons.changes import service as changes
from server.lessons.changes import store as change_store
from server.lessons.changes.schemas import CancelMany
from server.lessons.lifecycle import CANCEL_REASONS
from server.lessons.service import may
from server.schools import history
from server.scope import Scope, allows
from server.templating import Page
from server.timetable import calendar, choices, order_pages, ringing, store
from server.timetable.bells import MOST_BELLS, USUAL
from server.timetable.schemas import DayBody, HorizonBody, ScheduleBody, SpanBody, TermBody

router = APIRouter(include_in_schema=False)

Id = Annotated[str, Path(max_length=24)]
CALENDAR = "/timetable/calendar"
BELLS = "/timetable/bells"
BACK, AHEAD = timedelta(days=200), timedelta(days=420)
KINDS = ("sports", "exam", "trip", "repair", "other")
DONE = ("term", "day", "dropped", "horizon", "seeded", "bells", "span", "cancelled", "undone")
MOST_AT_ONCE = 500
"""As many as ``CancelMany`` takes."""


# --- the city's calendar ----------------------------------------------------------------------------------------------


@router.get(CALENDAR)
async def get_calendar(
    page: Html, session: Reading, scope: SignedIn, clock: ClockDep, done: Annotated[str, Query(max_length=12)] = ""
) -> Response:
    return await _calendar_page(page, session, scope, clock, Form(), done)


async def _calendar_page(
    page: Page, session: AsyncSession, scope: Scope, clock: Any, form: Form, done: str = ""
) -> Response:
    today = city_date(clock.now())
    return page.render(
        "timetable/calendar.html",
        status=422 if form.bad else 200,
        terms=await store.terms(session, scope),
        days=await store.calendar(session, scope, today - BACK, today + AHEAD),
        horizon=await store.horizon(session, scope),
        today=today,
        first_open=history.first_open(today),
        may_write=calendar.may_write_city(scope),
        may_order=bool(await order_pages.closable(session, scope)),
        form=form,
        done=done if done in DONE else "",
    )


@router.post(CALENDAR + "/terms")
async def post_term(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    form = Form(typed((await request.form()).multi_items()))
    body, form.wrong = check(TermBody, form.values, page.t)
    if body is None or await attempt(request, form, calendar.put_term(session, scope, body, clock.now())) is None:
        return await _calendar_page(page, session, scope, clock, form)
    return RedirectResponse(f"{CALENDAR}?done=term", 303)


@router.post(CALENDAR + "/days")
async def post_day(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    form = Form(typed((await request.form()).multi_items()))
    values = dict(form.values)
    day, form.wrong = check(HorizonBody, {"known_until": values.pop("day", None)}, page.t)
    body, wrong = check(DayBody, values, page.t)
    form.wrong = {("day" if key == "known_until" else key): text for key, text in form.wrong.items()} | wrong
    if body is None or day is None:
        return await _calendar_page(page, session, scope, clock, form)
    if await attempt(request, form, calendar.put_day(session, scope, day.known_until, body, clock.now())) is None:
        return await _calendar_page(page, session, scope, clock, form)
    return RedirectResponse(f"{CALENDAR}?done=day", 303)


@router.post(CALENDAR + "/days/{day}/delete")
async def post_drop_day(day: date, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    await calendar.drop_day(session, scope, day, clock.now())
    return RedirectResponse(f"{CALENDAR}?done=dropped", 303)


@router.post(CALENDAR + "/horizon")
async def post_horizon(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    form = Form(typed((await request.form()).multi_items()))
    body, form.wrong = check(HorizonBody, form.values, page.t)
    if body is None:
        return await _calendar_page(page, session, scope, clock, form)
    await calendar.set_horizon(session, scope, body.known_until)
    return RedirectResponse(f"{CALENDAR}?done=horizon", 303)


@router.post(CALENDAR + "/seed")
async def post_seed(session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    await calendar.seed(session, scope, clock.now())
    return RedirectResponse(f"{CALENDAR}?done=seeded", 303)


# --- bells and days away of a school ----------------------------------------------------------------------------------


@router.get(BELLS)
async def get_bells(
    page: Html,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    school: Annotated[str, Query(max_length=24)] = "",
    done: Annotated[str, Query(max_length=12)] = "",
) -> Response:
    return await _bells_page(page, session, scope, clock, school, Form(), done)


async def _bells_page(
    page: Page, session: AsyncSession, scope: Scope, clock: Any, school: str, form: Form, done: str = ""
) -> Response:
    if not allows(scope, "school.read"):
        raise ForbiddenError
    today = city_date(clock.now())
    options = await offer(session, scope, "schools", today, [school])
    chosen = school if school in options else (options.rows[0].id if options.rows else "")
    row = await choices.school_of(session, scope, "school", chosen)
    phases = [] if row is None else ["primary", "junior"] if row.phase == "nine_year" else [row.phase]
    return page.render(
        "timetable/bells.html",
        status=422 if form.bad else 200,
        options=options,
        school=row,
        schedules=await store.schedules(session, scope, [chosen]),
        spans=await store.spans(session, scope, [chosen], today - timedelta(days=30), today + AHEAD),
        usual=USUAL,
        phases=phases,
        periods=range(1, MOST_BELLS + 1),
        kinds=KINDS,
        may_write=row is not None and await _may(session, scope, chosen),
        form=form,
        done=done if done in DONE else "",
    )


async def _may(session: AsyncSession, scope: Scope, school: str) -> bool:
    try:
        await calendar.school_for(session, scope, school)
    except ForbiddenError:
        return False
    return True


@router.post(BELLS + "/{school_id}")
async def post_bells(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, school_id: Id
) -> Response:
    """A season anew; the one that begins on the same day is replaced."""
    form = Form(typed((await request.form()).multi_items()))
    body, form.wrong = check(ScheduleBody, _schedule(form.values), page.t)
    if body is not None:
        same = [
            one.id
            for one in await store.schedules(session, scope, [school_id])
            if (one.phase, one.begins) == (body.phase, body.begins)
        ]
        held = same[0] if same else None
        if await attempt(request, form, ringing.put(session, scope, school_id, body, held)) is not None:
            return RedirectResponse(f"{BELLS}?school={school_id}&done=bells", 303)
    return await _bells_page(page, session, scope, clock, school_id, form)


def _schedule(values: dict[str, Any]) -> dict[str, Any]:
    """ "starts.3" and "minutes" of a form -> periods; a period left empty is not rung."""
    periods = [
        {"period": number, "starts": values[f"starts.{number}"], "minutes": values.get("minutes", 40)}
        for number in range(1, MOST_BELLS + 1)
        if values.get(f"starts.{number}")
    ]
    return {**{name: values.get(name) for name in ("phase", "name", "begins")}, "periods": periods}


@router.post(BELLS + "/{schedule_id}/delete")
async def post_drop_bells(session: Writing, scope: SignedIn, schedule_id: Id) -> Response:
    row = await store.schedule(session, scope, schedule_id)
    school = row.school_id if row else ""
    await ringing.drop(session, scope, schedule_id)
    return RedirectResponse(f"{BELLS}?school={school}&done=dropped", 303)


@router.post("/timetable/spans")
async def post_span(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    form = Form(typed((await request.form()).multi_items()))
    body, form.wrong = check(SpanBody, form.values, page.t)
    made = await attempt(request, form, calendar.add_span(session, scope, body, clock.now())) if body else None
    if made is None:
        return await _bells_page(page, session, scope, clock, str(form.value("school_id")), form)
    return RedirectResponse(f"/timetable/spans/{made.id}?done=span", 303)


@router.get("/timetable/spans/{span_id}")
async def get_span(
    page: Html,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    span_id: Id,
    done: Annotated[str, Query(max_length=12)] = "",
    batch: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
) -> Response:
    """What a school's days away hit, and what to do about it. ``batch``: called off just now, with the way back."""
    row = await calendar.get_span(session, scope, span_id)
    lessons = await calendar.hit(session, scope, row)
    gone = await change_store.of_batch(session, scope, batch) if batch else []
    school = await choices.school_of(session, scope, "school", row.school_id)
    return page.render(
        "timetable/span.html",
        span=row,
        first_open=history.first_open(city_date(clock.now())),
        school=school,
        lessons=lessons,
        reasons=CANCEL_REASONS,
        mine={one.id for one in lessons if may(scope, "lesson.cancel", one)},
        batch=batch,
        gone=sum(one.undone_at is None for one in gone),
        may_write=await _may(session, scope, row.school_id),
        done=done if done in DONE else "",
    )


@router.post("/timetable/spans/{span_id}/cancel")
async def post_cancel_span(
    request: Request, session: Writing, scope: SignedIn, clock: ClockDep, span_id: Id
) -> Response:
    """批量停课 of the lessons ticked, or of all that the asker may call off."""
    row = await calendar.get_span(session, scope, span_id)
    submitted = await request.form()
    ids = [str(one) for one in submitted.getlist("lessons")][:MOST_AT_ONCE]
    if submitted.get("all"):
        hit = await calendar.hit(session, scope, row)
        ids = [one.id for one in hit if may(scope, "lesson.cancel", one)][:MOST_AT_ONCE]
    if not ids:
        raise InvalidError("cancel_which")
    body = CancelMany(reason=str(submitted.get("reason", "school_event"))[:24], note=row.name, lessons=ids)
    made = await many.cancel_many(session, scope, body, clock.now())
    return RedirectResponse(f"/timetable/spans/{span_id}?done=cancelled&batch={made.batch}", 303)


@router.post("/timetable/spans/{span_id}/undo/{batch_id}")
async def post_undo_span(session: Writing, scope: SignedIn, clock: ClockDep, span_id: Id, batch_id: Id) -> Response:
    """What was called off in one go comes back in one go."""
    await changes.undo(session, scope, batch_id, clock.now())
    return RedirectResponse(f"/timetable/spans/{span_id}?done=undone", 303)


@router.post("/timetable/spans/{span_id}/delete")
async def post_drop_span(session: Writing, scope: SignedIn, clock: ClockDep, span_id: Id) -> Response:
    row = await calendar.get_span(session, scope, span_id)
    await calendar.drop_span(session, scope, span_id, clock.now())
    return RedirectResponse(f"{BELLS}?school={row.school_id}&done=dropped", 303)
