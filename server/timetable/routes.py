"""JSON: terms, calendar, bells, days away, publishing, the slot finder."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError, NotFoundError
from server.paging import MAX_PAGE, MOST, PAGE_ROWS
from server.schools import store as schools
from server.scope import allows
from server.timetable import calendar, finding, publishing, ringing, store, wizard_routes
from server.timetable.models import BellSchedule, CalendarDay, SchoolSpan, Term
from server.timetable.publishing import Plan
from server.timetable.schemas import (
    BellBody,
    CalendarOut,
    DayBody,
    DayOut,
    FindBody,
    FoundOut,
    HorizonBody,
    PublishBody,
    PublishOut,
    ScheduleBody,
    ScheduleOut,
    SpanBody,
    SpanOut,
    SpanSeen,
    SpansSeen,
    TermBody,
    TermOut,
)
from server.timetable.terms import teaching_week

router = APIRouter(prefix="/api/v1", tags=["timetable"])
router.include_router(wizard_routes.router)

Id = Annotated[str, Path(max_length=24)]
YEAR = timedelta(days=366)


def term_out(row: Term) -> TermOut:
    weeks = teaching_week(row.starts_on, row.ends_on)
    return TermOut(id=row.id, name=row.name, starts_on=row.starts_on, ends_on=row.ends_on, weeks=weeks)


@router.get("/terms")
async def get_terms(session: Reading, scope: SignedIn) -> list[TermOut]:
    return [term_out(row) for row in await store.terms(session, scope)]


@router.get("/terms/{term_id}")
async def get_term(
    term_id: Annotated[str, Path(pattern=r"^\d{4}-[12]$")], session: Reading, scope: SignedIn
) -> TermOut:
    row = await store.term(session, scope, term_id)
    if row is None:
        raise NotFoundError
    return term_out(row)


@router.put("/terms")
async def put_term(body: TermBody, session: Writing, scope: SignedIn, clock: ClockDep) -> TermOut:
    """422 where a day of a month that is over would join or leave the term."""
    return term_out(await calendar.put_term(session, scope, body, clock.now()))


# --- calendar ---------------------------------------------------------------------------------------------------------


def day_out(row: CalendarDay) -> DayOut:
    return DayOut.model_validate(
        {
            "day": row.day,
            "kind": row.kind,
            "name": row.name,
            "stands_for": row.stands_for,
            "runs_weekday": row.runs_weekday,
            "source": row.source or "hand",
        }
    )


@router.get("/calendar")
async def get_calendar(
    session: Reading, scope: SignedIn, first: Annotated[date, Query()], last: Annotated[date, Query()]
) -> CalendarOut:
    """At most a year of days that are not what the weekday says, and up to when that is known."""
    rows = await store.calendar(session, scope, first, min(last, _year_after(first)))
    horizon = await store.horizon(session, scope)
    return CalendarOut(known_until=horizon.known_until if horizon else None, days=[day_out(row) for row in rows])


def _year_after(day: date) -> date:
    return date.max if day > date.max - YEAR else day + YEAR


@router.get("/calendar/{day}")
async def get_day(day: date, session: Reading, scope: SignedIn) -> DayOut:
    """404 for a day that is what its weekday says."""
    rows = await store.calendar(session, scope, day, day)
    if not rows:
        raise NotFoundError
    return day_out(rows[0])


@router.put("/calendar/{day}")
async def put_day(day: date, body: DayBody, session: Writing, scope: SignedIn, clock: ClockDep) -> DayOut:
    """422 for a day of a month that is over."""
    return day_out(await calendar.put_day(session, scope, day, body, clock.now()))


@router.delete("/calendar/{day}", status_code=204)
async def delete_day(day: date, session: Writing, scope: SignedIn, clock: ClockDep) -> None:
    await calendar.drop_day(session, scope, day, clock.now())


@router.put("/calendar-horizon")
async def put_horizon(body: HorizonBody, session: Writing, scope: SignedIn) -> HorizonBody:
    return HorizonBody(known_until=(await calendar.set_horizon(session, scope, body.known_until)).known_until)


@router.post("/calendar-seed")
async def post_seed(session: Writing, scope: SignedIn, clock: ClockDep) -> dict[str, int]:
    """What the built-in notices know and nobody has typed."""
    return {"added": await calendar.seed(session, scope, clock.now())}


# --- bells and days away ----------------------------------------------------------------------------------------------


def schedule_out(row: BellSchedule) -> ScheduleOut:
    return ScheduleOut(
        id=row.id,
        school=row.school_id,
        phase=row.phase,
        name=row.name,
        begins=row.begins,
        periods=[BellBody(period=one.period, starts=one.starts, minutes=one.minutes) for one in row.periods],
    )


@router.get("/schools/{school_id}/bells")
async def get_bells(school_id: Id, session: Reading, scope: SignedIn) -> list[ScheduleOut]:
    if await schools.school(session, scope, school_id) is None:
        raise NotFoundError
    return [schedule_out(row) for row in await store.schedules(session, scope, [school_id])]


@router.post("/schools/{school_id}/bells", status_code=201)
async def post_bells(school_id: Id, body: ScheduleBody, session: Writing, scope: SignedIn) -> ScheduleOut:
    return schedule_out(await ringing.put(session, scope, school_id, body))


@router.put("/schools/{school_id}/bells/{schedule_id}")
async def put_bells(
    school_id: Id, schedule_id: Id, body: ScheduleBody, session: Writing, scope: SignedIn
) -> ScheduleOut:
    return schedule_out(await ringing.put(session, scope, school_id, body, schedule_id))


@router.delete("/bells/{schedule_id}", status_code=204)
async def delete_bells(schedule_id: Id, session: Writing, scope: SignedIn) -> None:
    await ringing.drop(session, scope, schedule_id)


async def span_out(session: Reading, scope: SignedIn, row: SchoolSpan) -> SpanOut:
    hit = await calendar.hit(session, scope, row)
    return SpanOut.model_validate(
        {
            "id": row.id,
            "school_id": row.school_id,
            "kind": row.kind,
            "name": row.name,
            "first_on": row.first_on,
            "last_on": row.last_on,
            "lessons": [one.id for one in hit],
        }
    )


@router.get("/spans")
async def get_spans(
    session: Reading,
    scope: SignedIn,
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    first: Annotated[date | None, Query()] = None,
    last: Annotated[date | None, Query()] = None,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> SpansSeen:
    """Days away of the schools the asker sees, the latest first; those that touch [``first``, ``last``]."""
    if not allows(scope, "school.read"):
        raise ForbiddenError
    rows, paging = await store.list_spans(session, scope, school, first, last, page, size)
    items = [SpanSeen.model_validate(row) for row in rows]
    return SpansSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.post("/spans", status_code=201)
async def post_span(body: SpanBody, session: Writing, scope: SignedIn, clock: ClockDep) -> SpanOut:
    """运动会, 考试: answers the lessons it hits."""
    return await span_out(session, scope, await calendar.add_span(session, scope, body, clock.now()))


@router.get("/spans/{span_id}")
async def get_span(span_id: Id, session: Reading, scope: SignedIn) -> SpanOut:
    return await span_out(session, scope, await calendar.get_span(session, scope, span_id))


@router.delete("/spans/{span_id}", status_code=204)
async def delete_span(span_id: Id, session: Writing, scope: SignedIn, clock: ClockDep) -> None:
    """Days of months that are over stay: the rest of the span is taken away."""
    await calendar.drop_span(session, scope, span_id, clock.now())


# --- publishing and finding -------------------------------------------------------------------------------------------


def plan_out(plan: Plan) -> PublishOut:
    return PublishOut(
        add=len(plan.add),
        renew=len(plan.renew),
        restore=len(plan.restore),
        withdraw=len(plan.withdraw),
        kept=plan.kept,
        away=len(plan.away),
        clashes=plan.named,
        warnings=plan.crowds,
        beyond=plan.beyond,
    )


@router.post("/timetable/plan")
async def post_plan(body: PublishBody, session: Reading, scope: SignedIn, clock: ClockDep) -> PublishOut:
    """What publishing would do. Nothing is changed."""
    return plan_out(await publishing.plan(session, scope, body.term, body.classrooms, clock.now()))


@router.post("/timetable/publish")
async def post_publish(body: PublishBody, session: Writing, scope: SignedIn, clock: ClockDep) -> PublishOut:
    skip, now = body.without_clashing, clock.now()
    plan = await publishing.publish(
        session, scope, body.term, body.classrooms, now, without_clashing=skip, run=body.run
    )
    return plan_out(plan)


@router.post("/timetable/slots")
async def post_slots(body: FindBody, session: Reading, scope: SignedIn, clock: ClockDep) -> FoundOut:
    """The slot finder: legal common times ranked, or what stands in the way."""
    return await finding.ask(session, scope, body, clock.now())
