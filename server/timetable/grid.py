"""A week on a grid: days across, bells down, lessons where they lie; for a room, a teacher, a classroom, a school, a
district. Pure but for the rows it is handed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from server.clock import CITY, city_date
from server.lessons.models import Lesson
from server.ordinary.models import OrdinarySlot
from server.studios.activities.models import Activity
from server.timetable.bells import Bell
from server.timetable.models import CalendarDay, SchoolSpan
from server.timetable.terms import SpecialDay, runs

WORKDAYS = 5


@dataclass(frozen=True, slots=True)
class Day:
    """``runs``: whose weekday's timetable it runs; None on a holiday. ``name``: of holiday or make-up day."""

    date: date
    runs: int | None
    name: str
    away: tuple[str, ...]
    today: bool


@dataclass(frozen=True, slots=True)
class Ordinary:
    """An hour of the school's own timetable (本校课) on one day."""

    hour: OrdinarySlot
    starts_at: datetime
    ends_at: datetime


@dataclass(slots=True)
class Row:
    """One starting time; ``period`` where the shown school's bell rings then."""

    starts: time
    period: int | None
    cells: list[list[Lesson]] = field(default_factory=list)
    activities: list[list[Activity]] = field(default_factory=list)
    """What studios hold then, day by day as the cells."""
    ordinary: list[list[Ordinary]] = field(default_factory=list)
    """What the school holds by its own timetable, likewise."""
    more: list[int] = field(default_factory=list)
    """By day: lessons at that time that are not shown here."""


@dataclass(frozen=True, slots=True)
class Grid:
    days: list[Day]
    rows: list[Row]
    count: int

    def on(self, index: int) -> int:
        """How much lies on one of the days."""
        held = ((standing(row.cells[index]), row.activities[index], row.ordinary[index]) for row in self.rows)
        return sum(len(one) for kinds in held for one in kinds)

    def shown(self, asked: date | None, today: date) -> int:
        """The day a phone shows: the one asked for, else today, else the first."""
        dates = [day.date for day in self.days]
        return next((dates.index(one) for one in (asked, today) if one in dates), 0)


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def build(
    first: date,
    today: date,
    lessons: Sequence[Lesson],
    bells: Iterable[Bell],
    calendar: Sequence[CalendarDay],
    spans: Sequence[SchoolSpan] = (),
    activities: Sequence[Activity] = (),
    counts: Mapping[datetime, int] | None = None,
    ordinary: Sequence[Ordinary] = (),
) -> Grid:
    """Saturday and Sunday only where something is on them. ``counts``: how many begin at a moment, shown or not; those
    that were called off are shown after the others and counted nowhere."""
    special = {one.day: SpecialDay(one.kind == "holiday", one.runs_weekday, one.stands_for) for one in calendar}
    names = {one.day: one.name for one in calendar}
    shown: list[Lesson | Activity | Ordinary] = [*lessons, *activities, *ordinary]
    busy = {city_date(one.starts_at) for one in shown}
    dates = [first + timedelta(days=n) for n in range(7)]
    dates = [day for n, day in enumerate(dates) if n < WORKDAYS or day in busy or _makeup(day, special)]
    days = [Day(day, runs(day, special), names.get(day, ""), _away(day, spans), day == today) for day in dates]
    periods = {bell.starts: bell.period for bell in bells}
    starts = sorted({*periods, *(_starts(one) for one in shown)})
    rows = [_row(one, periods.get(one), len(dates)) for one in starts]
    place = {row.starts: row for row in rows}
    ordered = sorted(lessons, key=lambda one: (one.starts_at, one.lead_room.school.short_name, one.id))
    for lesson in sorted(ordered, key=lambda one: one.state == "cancelled"):
        place[_starts(lesson)].cells[dates.index(city_date(lesson.starts_at))].append(lesson)
    for activity in activities:
        place[_starts(activity)].activities[dates.index(city_date(activity.starts_at))].append(activity)
    for hour in sorted(ordinary, key=lambda one: one.hour.id):
        place[_starts(hour)].ordinary[dates.index(city_date(hour.starts_at))].append(hour)
    for moment, number in (counts or {}).items():
        at, day = moment.astimezone(CITY).time(), dates.index(city_date(moment))
        place[at].more[day] = number - len(standing(place[at].cells[day]))
    return Grid(days, rows, (sum(counts.values()) if counts else len(standing(lessons))) + len(activities))


def _row(starts: time, period: int | None, days: int) -> Row:
    return Row(
        starts, period, [[] for _ in range(days)], [[] for _ in range(days)], [[] for _ in range(days)], [0] * days
    )


def standing(lessons: Iterable[Lesson]) -> list[Lesson]:
    return [one for one in lessons if one.state != "cancelled"]


def _starts(one: Lesson | Activity | Ordinary) -> time:
    return one.starts_at.astimezone(CITY).time()


def _makeup(day: date, special: Mapping[date, SpecialDay]) -> bool:
    return day in special and not special[day].holiday


def _away(day: date, spans: Sequence[SchoolSpan]) -> tuple[str, ...]:
    return tuple(span.name for span in spans if span.first_on <= day <= span.last_on)
