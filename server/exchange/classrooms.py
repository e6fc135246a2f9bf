"""同步课堂 as rows of a file, known by term, name and lead room. Rule: a file makes classrooms and mends what they are
called; who is taught where by whom is changed on the page, which looks at their times. A cell of 课堂类型 or of a class
that is empty says nothing; lessons that are published follow it when the timetable is published again.

A class is named as its school calls it or as the register does (2024级1班); its school is the room's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms.models import Classroom, Receiver
from server.classrooms.schemas import FORMS, MOST_RECEIVERS, ClassroomBody
from server.clock import city_date
from server.exchange import store
from server.exchange.register import Effect, Plan, Twice, checked
from server.exchange.sheets import Fault
from server.ids import new_id
from server.schools.models import Room, SchoolClass, class_called
from server.schools.service import part_of
from server.scope import Action, Scope, allows, within
from server.timetable.bells import phase_of

PLACES = tuple((f"room_{n}", f"assistant_{n}", f"class_{n}") for n in range(1, MOST_RECEIVERS + 1))
LOGINS = ("teacher", *(assistant for _, assistant, _ in PLACES))
FIXED = ("teacher", *(one for room, assistant, _ in PLACES for one in (room, assistant)))
CLASSES = ("lead_class", *(class_ for *_, class_ in PLACES))
PLAIN = ("subject", "grade", "accepted_on")


class Classrooms:
    action: Action = "classroom.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, self.now, self.twice = scope, now, Twice()
        today = city_date(now)
        self.terms = await store.terms_ahead(session, scope, today)
        self.rooms = {one.code: one for one in await store.rooms_reached(session, scope, today) if one.code}
        self.staff = await store.staff_reached(session, scope, today)
        self.classes = _named(await store.classes_reached(session, scope, today))
        self.pairs = await store.pairs(session, scope, today)
        self.held: dict[tuple[str, str, str], list[Classroom]] = defaultdict(list)
        for one in await store.classrooms(session, scope, today):
            if allows(scope, self.action, part_of(one.lead_room.school)):
                self.held[one.term, one.name, one.lead_room_id].append(one)

    def export(self) -> list[dict[str, Any]]:
        return [self._said(one) for several in self.held.values() for one in several]

    def _said(self, one: Classroom) -> dict[str, Any]:
        row: dict[str, Any] = {"term": one.term, "classroom": one.name, "room_code": one.lead_room.code}
        row |= {"teacher": one.lead_teacher.login, **{name: getattr(one, name) for name in (*PLAIN, "form")}}
        row["lead_class"] = _plain(one.lead_class) if one.lead_class else None
        for (room, assistant, class_), held in zip(PLACES, one.receivers, strict=False):
            row |= {room: held.room.code, assistant: held.assistant.login if held.assistant else None}
            row[class_] = _plain(held.school_class) if held.school_class else None
        return row

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        row |= {one: row[one].lower() for one in LOGINS if row.get(one)}
        lead = self._room("room_code", row["room_code"], "lead")
        if not allows(self.scope, self.action, part_of(lead.school)):
            raise Fault("room_code", "no_room")
        key = (row["term"], row["classroom"], lead.id)
        self.twice.once("classroom", key)
        if len(self.held[key]) > 1:
            raise Fault("classroom", "several_classrooms")
        at = (lead.school_id, lead.school.supervised_by)
        if self.held[key]:
            return self._changed(self.held[key][0], row, plan, at)
        body = self._body(row, lead)
        if body.term not in self.terms:
            raise Fault("term", "errors.classroom_term")
        id_ = new_id()
        plain = {**body.model_dump(exclude={"receivers", "slots"}), "form": row.get("form") or FORMS[0]}
        plan.insert(Classroom, {"id": id_, "created_at": self.now, "demo": False, **plain}, at)
        for position, one in enumerate(body.receivers, 1):
            values = {"id": new_id(), "classroom_id": id_, "position": position, **one.model_dump()}
            plan.insert(Receiver, values, at)
        return "new"

    def _body(self, row: dict[str, Any], lead: Room) -> ClassroomBody:
        receivers: list[dict[str, Any]] = []
        taught = [self._class("lead_class", row, lead)]
        for column, assistant, class_ in PLACES:
            if not row.get(column):
                if row.get(assistant) or row.get(class_):
                    raise Fault(column, "required")
                continue
            room = self._room(column, row[column], "receiving")
            if room.id in [one["room_id"] for one in receivers]:
                raise Fault(column, "errors.classroom_rooms_twice")
            if (lead.school_id, room.school_id) not in self.pairs and not within(self.scope, part_of(room.school)):
                raise Fault(column, "errors.classroom_unpaired", school=room.school.short_name)
            person = self._person(assistant, row[assistant], "assistant", room) if row.get(assistant) else None
            sits = self._class(class_, row, room)
            if sits and sits in taught:
                raise Fault(class_, "errors.classroom_class_twice")
            taught.append(sits)
            receivers.append({"room_id": room.id, "assistant_id": person, "class_id": sits})
        values = {name: row.get(name) for name in (*PLAIN, "term")} | {"lead_class_id": taught[0]}
        values |= {"lead_room_id": lead.id, "lead_teacher_id": self._person("teacher", row["teacher"], "teacher", lead)}
        return checked(ClassroomBody, {**values, "name": row["classroom"], "receivers": receivers})

    def _room(self, column: str, code: str, kind: str) -> Room:
        room = self.rooms.get(code)
        if room is None or room.kind != kind:
            raise Fault(column, "no_room")
        return room

    def _class(self, column: str, row: dict[str, Any], room: Room) -> str | None:
        """One of the room's school, where several have the name of the phase that is taught."""
        if not row.get(column):
            return None
        found = self.classes[room.school_id, _bare(row[column])]
        some = [one for one in found if one.phase == phase_of(row["grade"])] or found
        if len(some) != 1:
            raise Fault(column, "errors.classroom_class", school=room.school.short_name)
        return some[0].id

    def _person(self, column: str, login: str, post: str, room: Room) -> str:
        """Who holds the post at the room's school."""
        person, school = self.staff.get((login, post), ("", None))
        if school != room.school_id:
            raise Fault(column, f"errors.classroom_{post}", school=room.school.short_name)
        return person

    def _changed(self, held: Classroom, row: dict[str, Any], plan: Plan, at: tuple[str, str | None]) -> Effect:
        """Who and where is compared, not judged: a pairing that has lapsed is no mistake of this file."""
        said = self._said(held)
        for column in FIXED:
            if (row.get(column) or None) != said.get(column):
                raise Fault(column, "on_the_page")
        self._check_classes(held, row, said)
        plain = {name: getattr(held, name) for name in ("name", "term", "lead_room_id", "lead_teacher_id")}
        rooms = [{"room_id": one.room_id} for one in held.receivers]
        body = checked(ClassroomBody, {**plain, "receivers": rooms, **{name: row.get(name) for name in PLAIN}})
        values = {name: getattr(body, name) for name in PLAIN} | {"form": row.get("form") or held.form}
        new = {name: value for name, value in values.items() if getattr(held, name) != value}
        if new:
            plan.change(Classroom, held, new, at)
        return "changed" if new else "same"

    def _check_classes(self, held: Classroom, row: dict[str, Any], said: dict[str, Any]) -> None:
        places = [(held.lead_room.school_id, held.lead_class_id)]
        places += [(one.room.school_id, one.class_id) for one in held.receivers]
        for number, column in enumerate(CLASSES):
            if not row.get(column) or row[column] == said.get(column):
                continue
            school, class_id = places[number] if number < len(places) else ("", None)
            if class_id not in [one.id for one in self.classes[school, _bare(row[column])]]:
                raise Fault(column, "on_the_page")


def _bare(text: str) -> str:
    return "".join(text.split())


def _plain(one: SchoolClass) -> str:
    return class_called(None, one.entry_year, one.number)


def _named(classes: Iterable[SchoolClass]) -> dict[tuple[str, str], list[SchoolClass]]:
    """(school, either name) -> the classes called so: two phases of a school may have the same year and number."""
    found: dict[tuple[str, str], list[SchoolClass]] = defaultdict(list)
    for one in classes:
        for name in {_bare(one.called), _plain(one)}:
            found[one.school_id, name].append(one)
    return found
