"""Calendar days, enrolment and the weekly timetable as rows of a file: it adds and changes; what it does not name
stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms.schemas import SlotBody
from server.clock import city_date
from server.exchange import store
from server.exchange.register import Effect, Late, Plan, Twice, checked, open_school
from server.exchange.sheets import Fault
from server.ids import new_id
from server.ordinary.falls import needs_of
from server.schools import history, service
from server.schools.models import Enrolment
from server.schools.schemas import EnrolmentBody
from server.scope import SYSTEM, Action, Part, Scope, allows
from server.timetable.models import CalendarDay, WeeklySlot
from server.timetable.schemas import DayBody


class Calendar:
    """节假日与调休, known by the day; what is typed in a file counts as typed by hand."""

    action: Action = "calendar.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, self.first_open = scope, history.first_open(city_date(now))
        self.days = {one.day: one for one in await store.calendar_days(session, scope)}
        self.twice = Twice()

    def export(self) -> list[dict[str, Any]]:
        names = ("day", "kind", "name", "stands_for")
        return [
            {
                **{name: getattr(one, name) for name in names},
                "runs_weekday": str(one.runs_weekday) if one.runs_weekday else None,
            }
            for one in self.days.values()
        ]

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        if not allows(self.scope, self.action, Part()):
            raise Fault("day", "errors.forbidden")
        day = row.pop("day")
        self.twice.once("day", day)
        weekday = row.get("runs_weekday")
        row["runs_weekday"] = int(weekday) if weekday else None
        body = checked(DayBody, row)
        if body.kind == "makeup" and body.stands_for is None and body.runs_weekday is None:
            raise Fault("stands_for", "errors.makeup_day")
        values: dict[str, Any] = {"kind": body.kind, "name": body.name, "stands_for": None, "runs_weekday": None}
        if body.kind == "makeup":
            values |= {"stands_for": body.stands_for, "runs_weekday": body.runs_weekday}
        held = self.days.get(day)
        same = held is not None and all(getattr(held, name) == value for name, value in values.items())
        if day < self.first_open and not same:
            raise Fault("day", "errors.calendar_closed", date=self.first_open.isoformat())
        if held is None:
            plan.insert(CalendarDay, {"day": day, "source": "hand", **values}, (None, None), key="day")
            return "new"
        new = {name: value for name, value in values.items() if getattr(held, name) != value}
        if new:
            plan.change(CalendarDay, held, {**new, "source": "hand"}, (None, None), key="day")
        return "changed" if new else "same"


class Enrolments:
    """在校生数, known by school, school year and phase."""

    action: Action = "school.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, self.now = scope, now
        self.schools = {one.code: one for one in await store.schools(session, scope)}
        held = await store.enrolments(session, scope)
        self.held = {(one.school_id, one.school_year, one.phase): one for one in held}
        self.kept = await store.kept_today(session, scope, "enrolment", history.midnight(city_date(now)))
        self.twice = Twice()

    def export(self) -> list[dict[str, Any]]:
        codes = {one.id: one.code for one in self.schools.values() if one.closed_on is None}
        names = ("school_year", "phase", "pupils", "teachers")
        return [
            {"school_code": codes[one.school_id], **{name: getattr(one, name) for name in names}}
            for one in self.held.values()
            if one.school_id in codes
        ]

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        school = open_school(self.schools, "school_code", row.pop("school_code"))
        if not allows(self.scope, self.action, service.part_of(school)):
            raise Fault("school_code", "no_school")
        body = checked(EnrolmentBody, row)
        if school.phase != "nine_year" and body.phase != school.phase:
            raise Fault("phase", "errors.enrolment_phase")
        key, place = (school.id, body.school_year, body.phase), (school.id, school.supervised_by)
        self.twice.once("school_year", key)
        held = self.held.get(key)
        if held is None:
            plan.insert(Enrolment, {"id": new_id(), "school_id": school.id, **body.model_dump()}, place)
            return "new"
        new = {
            name: getattr(body, name) for name in ("pupils", "teachers") if getattr(body, name) != getattr(held, name)
        }
        if new:
            if held.id not in self.kept:
                names = ("school_year", "phase", "pupils", "teachers")
                plan.keep("enrolment", held, names, self.scope, school=school.id)
            plan.change(Enrolment, held, new, place)
        return "changed" if new else "same"


@dataclass(frozen=True, slots=True)
class Span:
    """When a weekly slot takes its rooms and people, and whose it is."""

    classroom: str
    weekday: int
    period: int
    starts: int
    ends: int
    weeks: str

    def meets(self, other: Span) -> bool:
        here, there = (self.classroom, self.weekday, self.starts), (other.classroom, other.weekday, other.starts)
        if here == there:
            return True  # one row a classroom and time, 单双周 or not
        if self.weekday != other.weekday or {self.weeks, other.weeks} == {"odd", "even"}:
            return False
        if (self.classroom, self.period) == (other.classroom, other.period):
            return True  # lessons are known by it
        return self.starts < other.ends and other.starts < self.ends


def _span(classroom: str, slot: Any) -> Span:
    start = slot.starts.hour * 60 + slot.starts.minute
    return Span(classroom, slot.weekday, slot.period, start, start + slot.minutes, slot.weeks or "all")


def clock_time(column: str, text: str) -> time:
    """8:00, 08:00, 08:00:00 as Excel gives it."""
    hour, _, rest = text.partition(":")
    try:
        return time(int(hour), int(rest[:2]))
    except ValueError as error:
        raise Fault(column, "common.wrong.time") from error


class Slots:
    """课表: the weekly slots of classrooms, known by their own number or by classroom, weekday and 节次. A row may take
    its slot away. No room, no class and nobody twice at once, as the whole file leaves them: rows may change places.
    """

    action: Action = "classroom.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        await self.load_shown(session, scope, now)
        mine = [self.places[id_] for ids in self.known.values() for id_ in ids]
        self.home: dict[tuple[str, str, int], list[tuple[Span, str]]] = defaultdict(list)
        """(term, whom or what, weekday) -> hours of ordinary timetables, each with its school."""
        for term, hour in await store.hours_beside(session, SYSTEM, mine):
            for need in needs_of(hour):
                self.home[term, need.key, hour.weekday].append((_span("", hour), hour.school))
        self.schools = {one.id for one in await store.schools(session, scope)}

    async def load_shown(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.twice = Twice()
        self.places = await store.classroom_places(session, scope, city_date(now))
        self.seen = mine = await store.classrooms_seen(session, scope)
        self.known: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for id_, one in self.places.items():
            if id_ in mine and allows(scope, self.action, one.part):
                self.known[one.term, one.name, one.room_code].append(id_)
        self.slots = {slot.id: slot for slot in await store.weekly_slots(session, scope, self.places)}
        self.at = {(one.classroom_id, one.weekday, one.period): one for one in self.slots.values()}
        self.spans = {id_: _span(slot.classroom_id, slot) for id_, slot in self.slots.items()}
        self.named: set[str] = set()
        """Slots that a row named by their number: another row may take the place they leave."""
        self.rows: dict[str, int] = {}
        """Slots that this file puts somewhere, and in which row."""

    def export(self) -> list[dict[str, Any]]:
        named = {id_: key for key, ids in self.known.items() for id_ in ids}
        return [
            {
                "term": named[slot.classroom_id][0],
                "classroom": named[slot.classroom_id][1],
                "room_code": named[slot.classroom_id][2],
                "weekday": str(slot.weekday),
                "period": slot.period,
                "starts": f"{slot.starts:%H:%M}",
                "minutes": slot.minutes,
                "weeks": slot.weeks,
                "follows_bell": "yes" if slot.follows_bell else "no",
                "slot": slot.id,
            }
            for slot in self.slots.values()
            if slot.classroom_id in named
        ]

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        id_ = self._classroom(row)
        part = self.places[id_].part
        number, removed = row.pop("slot", None), row.pop("action", None) == "remove"
        row["starts"] = clock_time("starts", row["starts"])
        row |= {"weekday": int(row["weekday"]), "follows_bell": row.get("follows_bell") == "yes"}
        body = checked(SlotBody, {**row, "weeks": row.get("weeks") or "all"})
        held = self._held(id_, number, body)
        key: Any = held.id if held else (id_, body.weekday, body.starts)
        self.twice.once("slot" if number else "period", key, "slot_twice" if number else "twice")
        at = (part.school, part.district)
        if removed:
            return self._removed(held, plan, at)
        slot = held.id if held else new_id()
        new = {name: value for name, value in body.model_dump().items() if getattr(held, name, None) != value}
        if held is not None and not new:
            return "same"
        self.spans[slot], self.rows[slot] = _span(id_, body), plan.row
        if held is None:
            plan.insert(WeeklySlot, {"id": slot, "classroom_id": id_, **body.model_dump()}, at)
            return "new"
        (plan.replace if {"weekday", "starts"} & set(new) else plan.change)(WeeklySlot, held, new, at)
        return "changed"

    def _held(self, classroom: str, number: str | None, body: SlotBody) -> WeeklySlot | None:
        if not number:
            there = self.at.get((classroom, body.weekday, body.period))
            return None if there is None or there.id in self.named else there
        held = self.slots.get(number)
        if held is None or held.classroom_id != classroom:
            raise Fault("slot", "no_slot")
        self.named.add(number)
        return held

    def _removed(self, held: WeeklySlot | None, plan: Plan, at: tuple[str | None, str | None]) -> Effect:
        if held is None:
            raise Fault("action", "no_slot")
        del self.spans[held.id]
        plan.remove(WeeklySlot, held, at)
        return "changed"

    def late(self) -> Iterator[Late]:
        """Of two rows that stand in each other's way the lower is wrong; what the file leaves alone is right."""
        taken: dict[tuple[str, str, int], list[str]] = defaultdict(list)
        for slot, span in self.spans.items():
            for one in self._needs(span):
                taken[one].append(slot)
        for slot, row in self.rows.items():
            span = self.spans[slot]
            beside = {other for one in self._needs(span) for other in taken[one] if self.rows.get(other, 0) < row}
            found = next((other for other in sorted(beside) if span.meets(self.spans[other])), None)
            if found is not None:
                yield Late(row, self._busy(self.spans[found].classroom), _clock(span))
                continue
            home = next((school for one in self._needs(span) for at, school in self.home[one] if span.meets(at)), None)
            if home is not None:
                yield Late(row, self._at_home(home), _clock(span))

    def _at_home(self, school: str) -> Fault:
        """Who cannot see that school's timetable learns that something is there."""
        return Fault("starts", "slot_ordinary" if school in self.schools else "errors.classroom_taken")

    def _busy(self, classroom: str) -> Fault:
        """Names the classroom in the way to whoever may see it."""
        if classroom not in self.seen:
            return Fault("starts", "errors.classroom_taken")
        return Fault("starts", "errors.classroom_busy", name=self.places[classroom].name)

    def _needs(self, span: Span) -> Iterator[tuple[str, str, int]]:
        place = self.places[span.classroom]
        return ((place.term, resource, span.weekday) for resource in place.needs)

    def _classroom(self, row: dict[str, Any]) -> str:
        found = self.known.get((row.pop("term"), row.pop("classroom"), row.pop("room_code")), [])
        if len(found) != 1:
            raise Fault("classroom", "several_classrooms" if found else "no_classroom")
        return found[0]


def _clock(span: Span) -> str:
    return f"{span.starts // 60:02}:{span.starts % 60:02}"
