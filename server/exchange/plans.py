"""Calendar days, enrolment and the weekly timetable as rows of a file: it adds and changes; what it does not name
stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms.schemas import SlotBody
from server.clock import city_date
from server.exchange import store
from server.exchange.register import Effect, Plan, Twice, checked, open_school
from server.exchange.sheets import Fault
from server.ids import new_id
from server.schools import history, service
from server.schools.models import Enrolment
from server.schools.schemas import EnrolmentBody
from server.scope import Action, Part, Scope, allows
from server.timetable.models import CalendarDay, WeeklySlot
from server.timetable.schemas import DayBody


class Calendar:
    """节假日与调休, known by the day; what is typed in a file counts as typed by hand."""

    action: Action = "calendar.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope = scope
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
    starts: int
    ends: int
    weeks: str

    def meets(self, other: Span) -> bool:
        if self.weekday != other.weekday or {self.weeks, other.weeks} == {"odd", "even"}:
            return False
        return self.starts < other.ends and other.starts < self.ends


def _span(classroom: str, slot: Any) -> Span:
    start = slot.starts.hour * 60 + slot.starts.minute
    return Span(classroom, slot.weekday, start, start + slot.minutes, slot.weeks or "all")


def _time(column: str, text: str) -> time:
    """8:00, 08:00, 08:00:00 as Excel gives it."""
    hour, _, rest = text.partition(":")
    try:
        return time(int(hour), int(rest[:2]))
    except ValueError as error:
        raise Fault(column, "common.wrong.time") from error


class Slots:
    """课表: the weekly slots of classrooms, known by classroom, weekday and 节次. No room and nobody twice at once."""

    action: Action = "classroom.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, self.twice = scope, Twice()
        self.places = await store.classroom_places(session, scope, city_date(now))
        mine = await store.classrooms_seen(session, scope)
        self.known: dict[tuple[str, str, str], list[str]] = defaultdict(list)
        for id_, one in self.places.items():
            if id_ in mine:
                self.known[one.term, one.name, one.room_code].append(id_)
        self.slots: dict[tuple[str, int, int], WeeklySlot] = {}
        self.spans: dict[tuple[str, str], dict[str, Span]] = defaultdict(dict)
        for slot in await store.weekly_slots(session, scope, self.places):
            self.slots[slot.classroom_id, slot.weekday, slot.period] = slot
            self._take(slot.classroom_id, slot.id, _span(slot.classroom_id, slot))

    def _take(self, classroom: str, slot: str, span: Span) -> None:
        one = self.places[classroom]
        for resource in one.needs:
            self.spans[one.term, resource][slot] = span

    def export(self) -> list[dict[str, Any]]:
        named = {id_: key for key, ids in self.known.items() for id_ in ids}
        return [
            {
                "term": named[id_][0],
                "classroom": named[id_][1],
                "room_code": named[id_][2],
                "weekday": str(weekday),
                "period": period,
                "starts": f"{slot.starts:%H:%M}",
                "minutes": slot.minutes,
                "weeks": slot.weeks,
                "follows_bell": "yes" if slot.follows_bell else "no",
            }
            for (id_, weekday, period), slot in self.slots.items()
            if id_ in named
        ]

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        id_ = self._classroom(row)
        place, part = self.places[id_], self.places[id_].part
        if not allows(self.scope, self.action, part):
            raise Fault("classroom", "no_classroom")
        row["starts"] = _time("starts", row["starts"])
        row |= {"weekday": int(row["weekday"]), "follows_bell": row.get("follows_bell") == "yes"}
        body = checked(SlotBody, {**row, "weeks": row.get("weeks") or "all"})
        key = (id_, body.weekday, body.period)
        self.twice.once("period", key)
        held, span = self.slots.get(key), _span(id_, body)
        slot = held.id if held else new_id()
        for resource in place.needs:
            for other, taken in self.spans[place.term, resource].items():
                if other != slot and span.meets(taken):
                    raise Fault("starts", "errors.classroom_busy", name=self.places[taken.classroom].name)
        self._take(id_, slot, span)
        at = (part.school, part.district)
        if held is None:
            plan.insert(WeeklySlot, {"id": slot, "classroom_id": id_, **body.model_dump()}, at)
            return "new"
        new = {name: value for name, value in body.model_dump().items() if getattr(held, name) != value}
        if new:
            plan.change(WeeklySlot, held, new, at)
        return "changed" if new else "same"

    def _classroom(self, row: dict[str, Any]) -> str:
        found = self.known.get((row.pop("term"), row.pop("classroom"), row.pop("room_code")), [])
        if len(found) != 1:
            raise Fault("classroom", "several_classrooms" if found else "no_classroom")
        return found[0]
