"""Editing terms, holidays, make-up days; what the calendar knows; days on which a school is away.

The city's calendar is the city's; a school's bells and days away are the school's (right ``calendar.write``).
Rule: days of a month that is over stay what they were: its report stands (``schools.history``). A row that reaches from
there into open days may change in these.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY, city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.lessons.changes import store as changes
from server.lessons.lifecycle import AHEAD
from server.lessons.models import Lesson
from server.notices import service as notices
from server.schools import history
from server.schools import store as schools
from server.schools.models import School
from server.schools.service import part_of
from server.scope import SYSTEM, Part, Scope, allows
from server.timetable import store
from server.timetable.models import CalendarDay, CalendarHorizon, SchoolSpan, Term
from server.timetable.national import KNOWN_UNTIL, known_days
from server.timetable.schemas import DayBody, SpanBody, TermBody

LONGEST_TERM = timedelta(weeks=30)
LONGEST_SPAN = timedelta(days=60)


def _city(scope: Scope) -> None:
    if not allows(scope, "calendar.write", Part()):
        raise ForbiddenError


def may_write_city(scope: Scope) -> bool:
    return allows(scope, "calendar.write", Part())


async def school_for(session: AsyncSession, scope: Scope, school_id: str) -> School:
    """A school whose bells and days away the asker keeps."""
    school = await schools.school(session, scope, school_id)
    if school is None:
        raise NotFoundError
    if not allows(scope, "calendar.write", part_of(school)):
        raise ForbiddenError
    return school


# --- terms ------------------------------------------------------------------------------------------------------------


async def put_term(session: AsyncSession, scope: Scope, body: TermBody, now: datetime) -> Term:
    """A new term, or another name and other days for one that is there."""
    _city(scope)
    if not timedelta() < body.ends_on - body.starts_on <= LONGEST_TERM:
        raise InvalidError("term_dates", field="ends_on")
    for other in await store.terms(session, scope):
        if other.id != body.id and other.starts_on <= body.ends_on and body.starts_on <= other.ends_on:
            raise ConflictError("term_overlap", field="starts_on", name=other.name)
    term = await store.term(session, scope, body.id)
    _keep_closed(term, body, history.first_open(city_date(now)))
    if term is None:
        term = Term(**body.model_dump(), created_at=now)
        await store.add(session, scope, term)
    term.name, term.starts_on, term.ends_on = body.name.strip(), body.starts_on, body.ends_on
    return term


def _keep_closed(held: Term | None, body: TermBody, first: date) -> None:
    """No day before ``first`` joins a term or leaves it. One entered this month is still being entered: its first days
    may lie as far back as they did."""
    if held is None or (held.created_at is not None and city_date(held.created_at) >= first):
        if body.ends_on < first:
            raise InvalidError("term_over", field="ends_on", date=first.isoformat())
        return
    if held.starts_on != body.starts_on and min(held.starts_on, body.starts_on) < first:
        raise InvalidError("term_begun", field="starts_on", was=held.starts_on.isoformat(), date=first.isoformat())
    if held.ends_on != body.ends_on and min(held.ends_on, body.ends_on) < first - timedelta(days=1):
        raise InvalidError("term_over", field="ends_on", date=first.isoformat())


# --- holidays and make-up days ----------------------------------------------------------------------------------------


def _open_day(day: date, now: datetime) -> None:
    first = history.first_open(city_date(now))
    if day < first:
        raise InvalidError("calendar_closed", field="day", date=first.isoformat())


async def put_day(session: AsyncSession, scope: Scope, day: date, body: DayBody, now: datetime) -> CalendarDay:
    _city(scope)
    _open_day(day, now)
    if body.kind == "makeup" and body.stands_for is None and body.runs_weekday is None:
        raise InvalidError("makeup_day", field="stands_for")
    row = await store.calendar_day(session, scope, day)
    if row is None:
        row = CalendarDay(day=day, kind=body.kind, name=body.name)
        await store.add(session, scope, row)
    makeup = body.kind == "makeup"
    row.kind, row.name, row.source = body.kind, body.name.strip(), "hand"
    row.stands_for = body.stands_for if makeup else None
    row.runs_weekday = body.runs_weekday if makeup else None
    return row


async def drop_day(session: AsyncSession, scope: Scope, day: date, now: datetime) -> None:
    _city(scope)
    row = await store.calendar_day(session, scope, day)
    if row is None:
        raise NotFoundError
    _open_day(day, now)
    await store.drop(session, scope, row)


async def set_horizon(session: AsyncSession, scope: Scope, known_until: date) -> CalendarHorizon:
    """「校历已核对到」: said by whoever typed the new year's holidays in."""
    _city(scope)
    row = await store.horizon(session, scope)
    if row is None:
        row = CalendarHorizon(id=store.HORIZON, known_until=known_until)
        await store.add(session, scope, row)
    row.known_until, row.set_by = known_until, scope.person
    return row


async def seed(session: AsyncSession, scope: Scope, now: datetime) -> int:
    """Puts in what the seed knows and nobody has typed; days that were typed or taken away by hand stay so, and days of
    months that are over, once there is a calendar."""
    if not scope.system:
        _city(scope)
    horizon = await store.horizon(session, scope)
    days = list(known_days())
    there = {row.day for row in await store.calendar(session, scope, days[0].day, max(one.day for one in days))}
    beyond = date.min
    if horizon is not None:
        beyond = max(horizon.known_until, history.first_open(city_date(now)) - timedelta(days=1))
    new = [
        CalendarDay(day=one.day, kind=one.kind, name=one.name, stands_for=one.stands_for, source="seed")
        for one in days
        if one.day not in there and one.day > beyond
    ]
    await store.add(session, scope, *new)
    if horizon is None:
        await store.add(session, scope, CalendarHorizon(id=store.HORIZON, known_until=KNOWN_UNTIL))
    elif horizon.known_until < KNOWN_UNTIL:
        horizon.known_until = KNOWN_UNTIL
    return len(new)


# --- days away --------------------------------------------------------------------------------------------------------


async def hit(session: AsyncSession, scope: Scope, span: SchoolSpan) -> list[Lesson]:
    """Published lessons of the school, leading or receiving, that lie on its days away."""
    start = datetime.combine(span.first_on, time(), CITY)
    end = datetime.combine(span.last_on, time(), CITY) + timedelta(days=1)
    return await changes.of_school(session, scope, span.school_id, start, end, sorted(AHEAD))


async def add_span(session: AsyncSession, scope: Scope, body: SpanBody, now: datetime) -> SchoolSpan:
    """运动会, 考试: tells those who lead the lessons it hits; what becomes of them is decided there."""
    school = await school_for(session, scope, body.school_id)
    if not timedelta() <= body.last_on - body.first_on <= LONGEST_SPAN:
        raise InvalidError("span_dates", field="last_on")
    first = history.first_open(city_date(now))
    if body.first_on < first:
        raise InvalidError("calendar_closed", field="first_on", date=first.isoformat())
    row = SchoolSpan(id=new_id(), created_by=scope.person, created_at=now, **body.model_dump())
    await store.add(session, scope, row)
    lessons = await hit(session, SYSTEM, row)
    if lessons:
        leads = sorted({one.lead_room.school_id for one in lessons} | {school.id})
        words = {"school": school.short_name, "name": row.name, "first_date": row.first_on.isoformat()}
        words["count"] = len(lessons)  # type: ignore[assignment]
        href = f"/timetable/spans/{row.id}"
        await notices.tell_school(session, scope, leads, "span", words, href, now)
    return row


async def get_span(session: AsyncSession, scope: Scope, span_id: str) -> SchoolSpan:
    row = await store.span(session, scope, span_id)
    if row is None:
        raise NotFoundError
    return row


async def drop_span(session: AsyncSession, scope: Scope, span_id: str, now: datetime) -> None:
    """One that began in a month that is over ends with it; one that is over altogether stays."""
    row = await get_span(session, scope, span_id)
    await school_for(session, scope, row.school_id)
    first = history.first_open(city_date(now))
    if row.last_on < first:
        raise InvalidError("calendar_closed", field="last_on", date=first.isoformat())
    if row.first_on < first:
        row.last_on = first - timedelta(days=1)
        return
    await store.drop(session, scope, row)
