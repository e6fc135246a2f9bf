"""Which term and teaching week a day lies in, which bells ring, and when a classroom's weekly slots really fall."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms.models import Classroom
from server.scope import Action, Part, Scope, allows
from server.timetable import store
from server.timetable.bells import USUAL, Bell, Schedule, bell, in_force, phase_of
from server.timetable.models import BellSchedule, Term, WeeklySlot
from server.timetable.terms import SpecialDay, days_of, lesson_span, teaching_week


@dataclass(frozen=True, slots=True)
class Dated:
    """One slot on one day."""

    classroom: str
    period: int
    starts_at: datetime
    ends_at: datetime
    day: date
    slot: str


@dataclass(frozen=True, slots=True)
class Fill:
    """The days to fill with lessons: [first, last], 单双周 counted from ``starts_on``."""

    starts_on: date
    first: date
    last: date


async def week_of(session: AsyncSession, scope: Scope, day: date) -> tuple[Term, int] | None:
    """(term, 第 n 周); None before the first term that is known."""
    term = await store.term_on(session, scope, day)
    return None if term is None else (term, teaching_week(term.starts_on, day))


async def mine(session: AsyncSession, scope: Scope, action: Action, term_id: str) -> list[str]:
    """Ids of a term's running classrooms to which the asker may do this, by name. A district has hundreds: asked is
    once for it, and for each school only where the district's answer is no."""
    district = cache(lambda district: allows(scope, action, Part(district=district)))
    school = cache(lambda school, district: allows(scope, action, Part(school=school, district=district)))
    leads = await store.leads_of(session, scope, term_id)
    return [id_ for id_, school_id, part in leads if district(part) or school(school_id, part)]


def current(terms: Sequence[Term], today: date) -> str:
    """Of terms, the latest first: the one a page begins with."""
    begun = [one.id for one in terms if one.starts_on <= today]
    return begun[0] if begun else (terms[-1].id if terms else "")


async def special_days(session: AsyncSession, scope: Scope, first: date, last: date) -> dict[date, SpecialDay]:
    days = await store.calendar(session, scope, first, last)
    return {day.day: SpecialDay(day.kind == "holiday", day.runs_weekday, day.stands_for) for day in days}


async def bells_of(
    session: AsyncSession, scope: Scope, school_ids: Collection[str]
) -> dict[tuple[str, str], tuple[Schedule, ...]]:
    """(school, phase) -> its seasons; a school that has not said rings as usual."""
    found: dict[tuple[str, str], list[Schedule]] = defaultdict(list)
    for row in await store.schedules(session, scope, school_ids):
        found[row.school_id, row.phase].append(as_schedule(row))
    wanted = [(school, phase) for school in school_ids for phase in USUAL]
    return {key: tuple(found.get(key, ())) or (USUAL[key[1]],) for key in wanted}


def as_schedule(row: BellSchedule) -> Schedule:
    month, day = row.begins.split("-")
    return Schedule((int(month), int(day)), tuple(Bell(one.period, one.starts, one.minutes) for one in row.periods))


async def dated(
    session: AsyncSession,
    scope: Scope,
    classrooms: list[str],
    first: date,
    last: date,
    starts_on: date | None = None,
    bells: dict[str, tuple[Schedule, ...]] | None = None,
) -> list[Dated]:
    """Every lesson time that the weekly slots of some classrooms give between two days, in order.

    ``bells``: of the lead school, by classroom, for slots that follow them.
    """
    special = await special_days(session, scope, first, last)
    fill = Fill(starts_on or first, first, last)
    slots = await store.slots(session, scope, classrooms)
    found = [one for slot in slots for one in fall(slot, fill, special, (bells or {}).get(slot.classroom_id, ()))]
    return sorted(found, key=lambda one: (one.starts_at, one.classroom))


def fall(
    slot: WeeklySlot, fill: Fill, special: dict[date, SpecialDay], schedules: Sequence[Schedule] = ()
) -> Iterable[Dated]:
    """The days on which one slot falls; by the season's bell where it follows the bells and the bell is there."""
    for day in days_of(slot.weekday, fill.first, fill.last, special, slot.weeks or "all", fill.starts_on):
        rung = bell(in_force(schedules, day), slot.period) if slot.follows_bell else None
        span = rung.on(day) if rung else lesson_span(day, slot.starts, slot.minutes)
        yield Dated(slot.classroom_id, slot.period, *span, day, slot.id)


async def lead_bells(
    session: AsyncSession, scope: Scope, classrooms: Sequence[Classroom]
) -> dict[str, tuple[Schedule, ...]]:
    """The bells by which each classroom's lead school rings, by classroom."""
    held = await bells_of(session, scope, sorted({one.lead_room.school_id for one in classrooms}))
    return {one.id: held[one.lead_room.school_id, phase_of(one.grade)] for one in classrooms}
