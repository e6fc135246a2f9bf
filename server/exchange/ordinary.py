"""本校课表 as rows of a file, known by their own number or by term, school, whose hour it is, weekday, 节次 and 单双周.
A row may take its hour away. Nobody in two hours at once, as the whole file leaves them: rows may change places.

What lies upon a synchronous lesson is no mistake of a file: the page lists it afterwards (``ordinary.beside``). Who has
left since is judged only where the row changes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date
from server.exchange import store
from server.exchange.plans import clock_time
from server.exchange.register import Effect, Late, Plan, Twice, checked, open_school
from server.exchange.sheets import Fault
from server.ids import new_id
from server.ordinary.falls import Hour, in_the_way, needs_of
from server.ordinary.models import OrdinarySlot
from server.ordinary.schemas import HourBody
from server.ordinary.service import STAFF, phase_of
from server.schools.models import School, SchoolClass, class_called
from server.schools.service import part_of
from server.scope import Action, Scope, allows
from server.timetable import service as timetable
from server.timetable.bells import bell, in_force

PHASES = {"primary": "小学", "junior": "初中"}
"""Before the name of a class of a school that has another of the same year and number."""
Key = tuple[Any, ...]


class Ordinary:
    action: Action = "ordinary.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, today = scope, city_date(now)
        self.twice = Twice()
        held = await store.schools(session, scope)
        self.schools = {one.code: one for one in held if allows(scope, self.action, part_of(one))}
        self.by_id = {one.id: one for one in self.schools.values()}
        self.terms = {one.id: one for one in await store.terms_to_come(session, scope, today)}
        self.bells = await timetable.bells_of(session, scope, sorted(self.by_id))
        self.classes = {one.id: one for one in await store.classes(session, scope)}
        self.class_named = self._named()
        self.rooms = {one.id: one for one in await store.rooms(session, scope)}
        self.room_coded = {one.code: one for one in self.rooms.values() if one.closed_on is None}
        self.staff = {one.id: one for one in await store.staff_with_posts(session, scope, STAFF, today)}
        self.staff_called = {one.login: one for one in self.staff.values() if one.works}
        slots = await store.ordinary_slots(session, scope, self.terms)
        self.slots = {one.id: one for one in slots if one.school_id in self.by_id}
        self.at = {self._key(one): one for one in self.slots.values()}
        self.hours = {id_: self._hour(id_, one.school_id, one.term, _values(one)) for id_, one in self.slots.items()}
        self.of_term = {id_: one.term for id_, one in self.slots.items()}
        self.named: set[str] = set()
        """Hours that a row named by their number: another row may take the place they leave."""
        self.placed: dict[str, int] = {}
        """Hours that this file puts somewhere, and in which row."""

    def _named(self) -> dict[tuple[str, str], list[SchoolClass]]:
        """(school, a name) -> its open classes called so: as the school does, as the register does, with the phase."""
        found: dict[tuple[str, str], list[SchoolClass]] = defaultdict(list)
        for one in self.classes.values():
            plain = class_called(None, one.entry_year, one.number)
            for name in {_bare(one.called), plain, PHASES[one.phase] + plain} if one.closed_on is None else ():
                found[one.school_id, name].append(one)
        return found

    def _hour(self, id_: str, school: str, term: str, values: dict[str, Any]) -> Hour:
        held = self.classes.get(values["class_id"] or "")
        plain = {name: value for name, value in values.items() if name not in ("subject", "term")}
        of, phase = self.terms[term], phase_of(self.by_id[school], held)
        return Hour(id=id_, school=school, phase=phase, first=of.starts_on, last=of.ends_on, **plain)

    # --- out ----------------------------------------------------------------------------------------------------------

    def export(self) -> list[dict[str, Any]]:
        """Class by class, then the hours of teachers and rooms alone; each as the week goes."""
        rows = [self._said(one) for one in self.slots.values() if self.by_id[one.school_id].closed_on is None]
        whose = ("class", "staff", "room")
        when = ("weekday", "period", "weeks")
        return sorted(
            rows,
            key=lambda row: (
                row["term"],
                row["school_code"],
                next(f"{n} {row[name]}" for n, name in enumerate(whose) if row[name]),
                *(row[name] for name in when),
            ),
        )

    def _said(self, one: OrdinarySlot) -> dict[str, Any]:
        pupils = self.classes.get(one.class_id or "")
        teacher, room = self.staff.get(one.teacher_id or ""), self.rooms.get(one.room_id or "")
        return {
            "term": one.term,
            "school_code": self.by_id[one.school_id].code,
            "class": self._class_name(pupils) if pupils else None,
            "staff": teacher.login if teacher else None,
            "room": room.code if room else None,
            "weekday": str(one.weekday),
            "period": one.period,
            "weeks": one.weeks,
            "subject": one.subject,
            "follows_bell": "yes" if one.follows_bell else "no",
            "starts": f"{one.starts:%H:%M}",
            "minutes": one.minutes,
            "slot": one.id,
        }

    def _class_name(self, one: SchoolClass) -> str:
        plain = class_called(None, one.entry_year, one.number)
        alone = len(self.class_named[one.school_id, plain]) < 2
        return plain if alone else PHASES[one.phase] + plain

    # --- in -----------------------------------------------------------------------------------------------------------

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        school = open_school(self.schools, "school_code", row["school_code"])
        number, removed = row.pop("slot", None), row.pop("action", None) == "remove"
        at, held = (school.id, school.supervised_by), self._numbered(number, row, school)
        if held is not None and not removed and self._is(held, row):
            self.twice.once("slot", held.id, "slot_twice")
            return "same"
        if row["term"] not in self.terms:
            raise Fault("term", "errors.ordinary_term")
        values = _values(held) if removed and held else self._values(row, school)
        key = self._key_of(school.id, values)
        if held is None and (there := self.at.get(key)) is not None and there.id not in self.named:
            held = there
        self.twice.once("slot" if number else "period", held.id if held else key, "slot_twice" if number else "twice")
        if removed:
            return self._removed(held, plan, at)
        return self._put(held, values, school, plan)

    def _numbered(self, number: str | None, row: dict[str, Any], school: School) -> OrdinarySlot | None:
        if not number:
            return None
        held = self.slots.get(number)
        if held is None or held.school_id != school.id:
            raise Fault("slot", "no_hour")
        if held.term != row["term"]:
            raise Fault("term", "hour_term")
        self.named.add(number)
        return held

    def _is(self, held: OrdinarySlot, row: dict[str, Any]) -> bool:
        """Whether the row says what is there, all of it."""
        said = self._said(held)
        starts = row.get("starts")
        same = {**row, "starts": f"{clock_time('starts', starts):%H:%M}" if starts else None}
        return all(same.get(name) == value for name, value in said.items() if name != "slot")

    def _values(self, row: dict[str, Any], school: School) -> dict[str, Any]:
        """Columns of the table, every cell judged."""
        starts, said = row.get("starts"), row.get("follows_bell")
        body = checked(
            HourBody,
            {
                **{name: row[name] for name in ("term", "period", "subject")},
                "weekday": int(row["weekday"]),
                "weeks": row.get("weeks") or "all",
                "starts": clock_time("starts", starts) if starts else None,
                "minutes": row.get("minutes"),
                "follows_bell": said == "yes" or (said is None and not starts),
                **self._whose(row, school),
            },
        )
        values = body.model_dump()
        if body.starts is None or body.minutes is None:
            phase = phase_of(school, self.classes.get(body.class_id or ""))
            schedule = in_force(self.bells[school.id, phase], self.terms[body.term].starts_on)
            rung = bell(schedule, body.period)
            if rung is None:
                raise Fault("period", "errors.ordinary_bell", period=body.period)
            values |= {"starts": body.starts or rung.starts, "minutes": body.minutes or rung.minutes}
        return values

    def _whose(self, row: dict[str, Any], school: School) -> dict[str, str | None]:
        found: dict[str, str | None] = {"class_id": None, "teacher_id": None, "room_id": None}
        if row.get("class"):
            held = self.class_named.get((school.id, _bare(row["class"])), [])
            if len(held) != 1:
                raise Fault("class", "several_classes" if held else "errors.ordinary_school")
            found["class_id"] = held[0].id
        if row.get("staff"):
            person = self.staff_called.get(row["staff"].lower())
            if person is None or person.school_id != school.id:
                raise Fault("staff", "errors.ordinary_school")
            found["teacher_id"] = person.id
        if row.get("room"):
            room = self.room_coded.get(row["room"])
            if room is None or room.school_id != school.id:
                raise Fault("room", "errors.ordinary_school")
            found["room_id"] = room.id
        if not any(found.values()):
            raise Fault("class", "errors.ordinary_who")
        return found

    def _key(self, one: OrdinarySlot) -> Key:
        return self._key_of(one.school_id, _values(one))

    def _key_of(self, school: str, values: dict[str, Any]) -> Key:
        """Whose: the class, else the teacher, else the room."""
        whose = values["class_id"] or values["teacher_id"] or values["room_id"]
        return values["term"], school, whose, values["weekday"], values["period"], values["weeks"]

    def _put(self, held: OrdinarySlot | None, values: dict[str, Any], school: School, plan: Plan) -> Effect:
        at = (school.id, school.supervised_by)
        id_ = held.id if held else new_id()
        new = {name: value for name, value in values.items() if held is None or getattr(held, name) != value}
        if not new:
            return "same"
        self.hours[id_], self.of_term[id_] = self._hour(id_, school.id, values["term"], values), values["term"]
        self.placed[id_] = plan.row
        if held is None:
            plan.insert(OrdinarySlot, {"id": id_, "school_id": school.id, **values}, at)
            return "new"
        plan.change(OrdinarySlot, held, new, at)
        return "changed"

    def _removed(self, held: OrdinarySlot | None, plan: Plan, at: tuple[str, str | None]) -> Effect:
        if held is None:
            raise Fault("action", "no_hour")
        del self.hours[held.id]
        plan.remove(OrdinarySlot, held, at)
        return "changed"

    # --- the file as a whole ------------------------------------------------------------------------------------------

    def late(self) -> Iterator[Late]:
        """Of two rows that stand in each other's way the lower is wrong; what the file leaves alone is right."""
        taken: dict[Key, list[Hour]] = defaultdict(list)
        for id_, hour in self.hours.items():
            for need in needs_of(hour):
                taken[self.of_term[id_], need, hour.weekday].append(hour)
        for id_, row in self.placed.items():
            hour = self.hours[id_]
            for need in sorted(needs_of(hour)):
                others = taken[self.of_term[id_], need, hour.weekday]
                before = (one for one in others if one.id != id_ and self.placed.get(one.id, 0) < row)
                found = next((one for one in before if in_the_way(hour, one)), None)
                if found is not None:
                    yield Late(row, self._busy(need.kind, need.id, found), str(hour.period))
                    break

    def _busy(self, kind: str, id_: str, other: Hour) -> Fault:
        names: dict[str, Any] = {"class": self.classes, "person": self.staff, "room": self.rooms}
        held = names[kind].get(id_)
        name = held.called if isinstance(held, SchoolClass) else held.name if held else ""
        words = {"name": name, "weekday_key": f"common.weekday.{other.weekday}", "period": other.period}
        if other.id in self.placed:
            return Fault("period", "hour_of_row", row=self.placed[other.id], **words)
        return Fault("period", "hour_taken", subject_key=f"common.subject.{self.slots[other.id].subject}", **words)


COLUMNS = (
    "term", "weekday", "period", "weeks", "subject", "class_id", "teacher_id", "room_id", "starts", "minutes",
    "follows_bell",
)  # fmt: skip


def _values(one: OrdinarySlot) -> dict[str, Any]:
    return {name: getattr(one, name) for name in COLUMNS}


def _bare(text: str) -> str:
    return "".join(text.split())
