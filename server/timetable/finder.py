"""The slot finder, pure: when can schools with different bells and calendars hold one lesson together, every week?

A time is legal when at every school it takes something of exactly one period (nobody loses two lessons for one), begins
at most ``tolerance`` minutes beside that period's bell, and nothing it needs is taken on any day of the term. Legal
times are ranked; for the others the obstacle is named.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby
from typing import Literal

from server.clock import CITY
from server.timetable.bells import Schedule, cut, in_force
from server.timetable.conflicts import Clash, Entry, Resource
from server.timetable.terms import SpecialDay, days_of

TOLERANCE = 10
"""Minutes a school lets a lesson begin beside its own bell: the break gives or takes them."""
WEEKDAYS = (1, 2, 3, 4, 5)
WANTED = "wanted"

Held = Mapping[date, Sequence[Entry]]
"""What is taken, by the city's day, in the order of its ids."""


@dataclass(frozen=True, slots=True)
class Away:
    """Days on which a school holds no ordinary lessons (运动会, 考试): [first, last]."""

    first: date
    last: date
    name: str

    def covers(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Side:
    """One school of the lesson; the lead school is the first. ``needs``: what it brings: room, people, class."""

    school: str
    schedules: tuple[Schedule, ...]
    needs: frozenset[Resource]
    away: tuple[Away, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """Days to fill: [first, last], weeks counted from ``starts_on``."""

    starts_on: date
    first: date
    last: date
    special: Mapping[date, SpecialDay]


@dataclass(frozen=True, slots=True)
class Wish:
    minutes: int
    weeks: str = "all"
    tolerance: int = TOLERANCE
    weekdays: tuple[int, ...] = WEEKDAYS
    prefer: frozenset[int] = frozenset()
    """Weekdays asked for (周三下午)."""
    taken_weekdays: frozenset[int] = frozenset()
    """Weekdays on which this classroom has a lesson already: another day is better for children."""


Cause = Literal["no_bell", "two_periods", "off_bell", "busy", "no_day"]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a time is not legal: ``school`` and ``periods`` for bells, a ``clash`` and on how many days for the rest."""

    cause: Cause
    school: str = ""
    periods: tuple[int, ...] = ()
    minutes: int = 0
    clash: Clash | None = None
    days: int = 0


@dataclass(frozen=True, slots=True)
class Fit:
    """Where the lesson lies at one school: in which period, how many minutes after its bell (before it: below 0)."""

    school: str
    period: int
    shift: int


@dataclass(frozen=True, slots=True)
class Proposal:
    weekday: int
    starts: time
    minutes: int
    fits: tuple[Fit, ...]
    days: int
    """Lessons it gives until the term's end."""
    lost: int
    """Days a school is away on."""
    rank: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    weekday: int
    starts: time
    obstacles: tuple[Obstacle, ...]


@dataclass(frozen=True, slots=True)
class Found:
    proposals: tuple[Proposal, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    blame: tuple[tuple[Obstacle, int], ...] = field(default=())
    """Which obstacle stands in the way of how many times, the commonest first."""


def find(sides: Sequence[Side], term: Term, wish: Wish, held: Iterable[Entry]) -> Found:
    """Proposals ranked: the weekday asked for, a day without a lesson of this classroom, least beside the bells."""
    by_day: dict[date, list[Entry]] = defaultdict(list)
    for one in sorted(held, key=lambda one: one.id):  # lessons end on the day on which they begin
        by_day[one.starts_at.astimezone(CITY).date()].append(one)
    proposals: list[Proposal] = []
    refusals: list[Refusal] = []
    for weekday in wish.weekdays:
        days = list(days_of(weekday, term.first, term.last, term.special, wish.weeks, term.starts_on))
        for start in _starts(sides, days):
            judged = _judge(sides, wish, weekday, start, days, by_day)
            if isinstance(judged, Proposal):
                proposals.append(judged)
            else:
                refusals.append(judged)
    refusals.sort(key=lambda one: (len(one.obstacles), sum(o.days for o in one.obstacles), one.weekday, one.starts))
    return Found(_best(proposals), tuple(refusals), _blame(refusals))


def _best(proposals: Iterable[Proposal]) -> tuple[Proposal, ...]:
    """Ranked; of times that take the same period everywhere only the best."""
    kept: dict[tuple[int, ...], Proposal] = {}
    for one in sorted(proposals, key=lambda proposal: proposal.rank):
        kept.setdefault((one.weekday, *(fit.period for fit in one.fits)), one)
    return tuple(kept.values())


def _starts(sides: Sequence[Side], days: Collection[date]) -> list[int]:
    """Every bell of every school on those days is a time worth trying."""
    schedules = {schedule for side in sides for day in days if (schedule := in_force(side.schedules, day))}
    return sorted({bell.start_minute for schedule in schedules for bell in schedule.bells})


def _judge(
    sides: Sequence[Side], wish: Wish, weekday: int, start: int, days: Sequence[date], held: Held
) -> Proposal | Refusal:
    open_days = [day for day in days if not any(away.covers(day) for side in sides for away in side.away)]
    obstacles = [] if open_days else [Obstacle("no_day")]
    fits: list[Fit] = []
    for side in sides:
        fit = _fit(side, wish, start, open_days)
        if isinstance(fit, Obstacle):
            obstacles.append(fit)
        elif fit is not None:
            fits.append(fit)
    starts = time(start // 60, start % 60)
    if not obstacles:
        obstacles = _busy(sides, wish, starts, open_days, held)
    if obstacles:
        return Refusal(weekday, starts, tuple(obstacles))
    rank = (
        int(bool(wish.prefer) and weekday not in wish.prefer),
        int(weekday in wish.taken_weekdays),
        sum(abs(fit.shift) for fit in fits),
        len(days) - len(open_days),
        start,
        weekday,
    )
    return Proposal(weekday, starts, wish.minutes, tuple(fits), len(open_days), len(days) - len(open_days), rank)


def _fit(side: Side, wish: Wish, start: int, days: Sequence[date]) -> Fit | Obstacle | None:
    """The worst season decides: a time that is legal in autumn only is not legal for the term."""
    worst: Fit | None = None
    for _, group in groupby(days, key=lambda day: in_force(side.schedules, day)):
        schedule = in_force(side.schedules, next(iter(group)))
        touched = cut(schedule.bells if schedule else (), start, start + wish.minutes)
        if not touched:
            return Obstacle("no_bell", side.school)
        if len(touched) > 1:
            return Obstacle("two_periods", side.school, tuple(bell.period for bell in touched))
        shift = start - touched[0].start_minute
        if abs(shift) > wish.tolerance:
            return Obstacle("off_bell", side.school, (touched[0].period,), shift)
        if worst is None or abs(shift) > abs(worst.shift):
            worst = Fit(side.school, touched[0].period, shift)
    return worst


def _busy(sides: Sequence[Side], wish: Wish, starts: time, days: Sequence[date], held: Held) -> list[Obstacle]:
    """What is taken then, each with its first clash. The wanted days are apart: only one day's entries can meet."""
    needs = frozenset(need for side in sides for need in side.needs)
    length = timedelta(minutes=wish.minutes)
    first: dict[Resource, Clash] = {}
    count: Counter[Resource] = Counter()
    for day in days:
        start = datetime.combine(day, starts, CITY).astimezone(UTC)
        wanted = Entry(f"{WANTED} {day}", start, start + length, needs)
        met = [one for one in held.get(day, ()) if wanted.meets(one)]
        for one in met:
            for resource in one.needs & needs:
                first.setdefault(resource, Clash(resource, wanted, one))
        count.update(frozenset().union(*(one.needs for one in met)) & needs)
    return [Obstacle("busy", clash=first[resource], days=count[resource]) for resource in sorted(first)]


def _blame(refusals: Iterable[Refusal]) -> tuple[tuple[Obstacle, int], ...]:
    """Obstacles told apart by cause and by who is to blame, each with one example."""
    count: Counter[tuple[str, str, str]] = Counter()
    example: dict[tuple[str, str, str], Obstacle] = {}
    for refusal in refusals:
        for one in refusal.obstacles:
            key = (one.cause, one.school, one.clash.resource.key if one.clash else "")
            count[key] += 1
            example.setdefault(key, one)
    return tuple((example[key], times) for key, times in count.most_common())
