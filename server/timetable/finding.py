"""The slot finder on what the database knows: bells, days away, lessons that are there (``finder.py`` decides)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms import service as classrooms
from server.classrooms.models import Classroom
from server.clock import CITY, city_date
from server.errors import ForbiddenError, InvalidError, NotFoundError
from server.lessons import store as lessons
from server.schools.models import Room
from server.scope import SYSTEM, Scope, allows
from server.timetable import occupancy, service, store, taken
from server.timetable.bells import MINUTES, phase_of
from server.timetable.conflicts import Entry, Resource
from server.timetable.finder import Away, Found, Obstacle, Side, Term, Wish, find
from server.timetable.models import Term as TermRow
from server.timetable.schemas import FindBody, FitOut, FoundOut, ObstacleOut, ProposalOut, RefusalOut

MOST_REFUSALS = 40


@dataclass(frozen=True, slots=True)
class Asked:
    """Rooms and people of the question, filled up from the classroom it names."""

    grade: int
    lead: Room
    receivers: tuple[Room, ...]
    people: dict[str, frozenset[str]]
    """By school."""
    classroom: Classroom | None


async def ask(session: AsyncSession, scope: Scope, body: FindBody, now: datetime) -> FoundOut:
    if not allows(scope, "lesson.create"):
        raise ForbiddenError
    row = await store.term(session, scope, body.term)
    if row is None:
        raise NotFoundError
    asked = await _asked(session, scope, body)
    term = await _term(session, row, now)
    devices = await taken.devices(session, SYSTEM)
    sides = await _sides(session, asked, term, devices)
    minutes = body.minutes or MINUTES[phase_of(asked.grade)]
    slots = await store.slots(session, SYSTEM, [asked.classroom.id]) if asked.classroom else ()
    wish = Wish(
        minutes,
        body.weeks,
        weekdays=tuple(body.weekdays) or Wish(minutes).weekdays,
        prefer=frozenset(body.prefer),
        taken_weekdays=frozenset(slot.weekday for slot in slots),
    )
    found = find(sides, term, wish, await _held(session, sides, term, devices))
    return await _out(
        session, scope, found, {side.school: name for side, name in zip(sides, _names(asked), strict=True)}
    )


def _names(asked: Asked) -> list[str]:
    return [room.school.short_name for room in (asked.lead, *asked.receivers)]


async def _asked(session: AsyncSession, scope: Scope, body: FindBody) -> Asked:
    if body.classroom_id:
        held = await classrooms.get(session, scope, body.classroom_id)
        rooms = tuple(one.room for one in held.receivers)
        people = {held.lead_room.school_id: frozenset({held.lead_teacher_id})}
        for one in held.receivers:
            if one.assistant_id:
                people[one.room.school_id] = people.get(one.room.school_id, frozenset()) | {one.assistant_id}
        return Asked(held.grade, held.lead_room, rooms, people, held)
    ids = [body.lead_room_id, *body.receivers]
    found = await lessons.rooms(session, SYSTEM, ids)
    if not body.lead_room_id or not body.receivers or len(found) != len(set(ids)) or len(ids) != len(set(ids)):
        raise InvalidError("finder_rooms", field="lead_room_id")
    lead = found[body.lead_room_id]
    teacher = {lead.school_id: frozenset({body.teacher_id})} if body.teacher_id else {}
    return Asked(body.grade, lead, tuple(found[one] for one in body.receivers), teacher, None)


async def _term(session: AsyncSession, row: TermRow, now: datetime) -> Term:
    """What is left of it, from tomorrow."""
    first = max(row.starts_on, city_date(now) + timedelta(days=1))
    special = await service.special_days(session, SYSTEM, row.starts_on, row.ends_on)
    return Term(row.starts_on, min(first, row.ends_on), row.ends_on, special)


async def _sides(session: AsyncSession, asked: Asked, term: Term, devices: taken.Devices) -> list[Side]:
    rooms = [asked.lead, *asked.receivers]
    schools = sorted({room.school_id for room in rooms})
    bells = await service.bells_of(session, SYSTEM, schools)
    away: dict[str, list[Away]] = {}
    for span in await store.spans(session, SYSTEM, schools, term.first, term.last):
        away.setdefault(span.school_id, []).append(Away(span.first_on, span.last_on, span.name))
    phase = phase_of(asked.grade)
    return [
        Side(
            room.school_id,
            bells[room.school_id, phase],
            taken.with_devices(
                {Resource("room", room.id)} | _people(asked, room.school_id) | _class(asked, room), devices
            ),
            tuple(away.get(room.school_id, ())),
        )
        for room in rooms
    ]


def _people(asked: Asked, school: str) -> set[Resource]:
    return {Resource("person", one) for one in asked.people.get(school, ())}


def _class(asked: Asked, room: Room) -> set[Resource]:
    """The class that sits in the room: 本班 in the lead room."""
    if asked.classroom is None:
        return set()
    sits = {one.room_id: one.class_id for one in asked.classroom.receivers}
    class_id = asked.classroom.lead_class_id if room.id == asked.lead.id else sits.get(room.id)
    return {Resource("class", class_id)} if class_id else set()


async def _held(session: AsyncSession, sides: Iterable[Side], term: Term, devices: taken.Devices) -> list[Entry]:
    needs = frozenset(need for side in sides for need in side.needs)
    start = datetime.combine(term.first, time(), CITY)
    end = datetime.combine(term.last, time(), CITY) + timedelta(days=1)
    return await taken.taken(session, SYSTEM, needs, start, end, devices)


async def _out(session: AsyncSession, scope: Scope, found: Found, names: dict[str, str]) -> FoundOut:
    refusals = found.refusals[:MOST_REFUSALS]
    shown = [one for refusal in refusals for one in refusal.obstacles] + [one for one, _ in found.blame]
    clashes = [one.clash for one in shown if one.clash is not None]
    named = await occupancy.named_clashes(session, scope, clashes, most=len(clashes))
    words = {f"{c.resource.key} {c.held.id}": word for c, word in zip(clashes, named, strict=True)}

    def obstacle(one: Obstacle, times: int = 1) -> ObstacleOut:
        word = words.get(f"{one.clash.resource.key} {one.clash.held.id}", {}) if one.clash else {}
        return ObstacleOut(
            cause=one.cause,
            school=names.get(one.school, ""),
            name=word.get("name", ""),
            title=word.get("title", ""),
            periods=list(one.periods),
            minutes=one.minutes,
            days=one.days,
            times=times,
            **{name: word.get(name, "") for name in ("subject_key", "weekday_key", "period")},
        )

    return FoundOut(
        proposals=[
            ProposalOut(
                weekday=one.weekday,
                starts=one.starts,
                minutes=one.minutes,
                days=one.days,
                lost=one.lost,
                fits=[FitOut(school=names[fit.school], period=fit.period, shift=fit.shift) for fit in one.fits],
            )
            for one in found.proposals
        ],
        refusals=[
            RefusalOut(weekday=one.weekday, starts=one.starts, obstacles=[obstacle(o) for o in one.obstacles])
            for one in refusals
        ],
        blame=[obstacle(one, times) for one, times in found.blame],
    )
