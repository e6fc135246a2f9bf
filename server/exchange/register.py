"""Schools, rooms and classes as rows of a file: what is there, what a row would change, and how it is written.

``Kind`` is what every kind of sheet answers. Rule: ``plan`` writes nothing and says no by raising ``Fault``; ``write``
takes what was planned, all of it, in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from server.classes import service as classes
from server.classes.schemas import ClassBody
from server.clock import city_date
from server.errors import TongtangError
from server.exchange import store
from server.exchange.sheets import Fault
from server.forms import faults
from server.ids import new_id
from server.schools import history, service
from server.schools.models import District, Past, Room, School, SchoolClass, SettlementCode
from server.schools.schemas import RoomBody, SchoolBody, SettlementBody
from server.scope import Action, Part, Scope, allows

Effect = Literal["new", "changed", "same"]
M = TypeVar("M", bound=BaseModel)


@dataclass
class Plan:
    """Rows to insert and to change, by table, in the order of planning; and what to tell the audit log."""

    now: datetime
    effects: dict[Effect, int] = field(default_factory=lambda: {"new": 0, "changed": 0, "same": 0})
    inserts: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)
    updates: dict[Any, list[dict[str, Any]]] = field(default_factory=dict)
    removals: dict[Any, list[str]] = field(default_factory=dict)
    """Ids; removed before anything is inserted."""
    row: int = 0
    """The file's row that is being planned."""
    told: list[tuple[str, str, str, dict[str, Any], tuple[str | None, str | None]]] = field(default_factory=list)

    def insert(self, table: Any, row: dict[str, Any], place: tuple[str | None, str | None], key: str = "id") -> None:
        self.inserts.setdefault(table, []).append(row)
        said = {name: [None, _said(value)] for name, value in row.items() if value is not None and name != "created_at"}
        self.told.append(("create", table.__tablename__, str(row[key]), said, place))

    def change(
        self, table: Any, row: Any, values: dict[str, Any], place: tuple[str | None, str | None], key: str = "id"
    ) -> None:
        said = {name: [_said(getattr(row, name)), _said(value)] for name, value in values.items()}
        self.updates.setdefault(table, []).append({key: getattr(row, key), **values})
        self.told.append(("change", table.__tablename__, str(getattr(row, key)), said, place))

    def remove(self, table: Any, row: Any, place: tuple[str | None, str | None]) -> None:
        self.removals.setdefault(table, []).append(row.id)
        said = {column.key: [_said(getattr(row, column.key)), None] for column in table.__table__.columns}
        self.told.append(("delete", table.__tablename__, row.id, said, place))

    def replace(self, table: Any, row: Any, values: dict[str, Any], place: tuple[str | None, str | None]) -> None:
        """A change of what must be unique: two rows may swap it, so the old go before the new come."""
        said = {name: [_said(getattr(row, name)), _said(value)] for name, value in values.items()}
        held = {column.key: getattr(row, column.key) for column in table.__table__.columns}
        self.removals.setdefault(table, []).append(row.id)
        self.inserts.setdefault(table, []).append({**held, **values})
        self.told.append(("change", table.__tablename__, row.id, said, place))

    def keep(
        self,
        kind: str,
        row: Any,
        names: tuple[str, ...],
        scope: Scope,
        *,
        school: str,
        district: str | None = None,
        is_open: bool = True,
    ) -> None:
        """What the row said until today, if it was there before today."""
        past = {
            "id": new_id(),
            "kind": kind,
            "row_id": row.id,
            "until": history.midnight(city_date(self.now)),
            "school_id": school,
            "district_id": district,
            "open": is_open,
            "was": {name: _said(getattr(row, name)) for name in names},
            "changed_by": scope.person,
            "changed_at": self.now,
        }
        self.inserts.setdefault(Past, []).append(past)


def _said(value: Any) -> Any:
    return value if value is None or isinstance(value, (bool, int)) else str(value)[:500]


class Kind(Protocol):
    """One kind of sheet, for one asker, with everything it needs to know already read."""

    action: Action

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None: ...

    def export(self) -> list[dict[str, Any]]: ...

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect: ...


class Late(NamedTuple):
    """What only the whole file shows to be wrong: the row that says it, and what stands in its cell."""

    row: int
    fault: Fault
    value: str


@runtime_checkable
class Whole(Protocol):
    """A kind that judges its rows together, once all are planned: two rows may change places."""

    def late(self) -> Iterator[Late]: ...


def checked(schema: type[M], values: dict[str, Any]) -> M:
    """Through the same schema as pages and JSON."""
    try:
        return schema.model_validate(values, strict=False)
    except ValidationError as error:
        column, key, params = faults(error)[0]
        raise Fault(column, f"common.wrong.{key}", **params) from error


class Twice:
    """The same row twice in one file is a mistake, whichever is meant."""

    def __init__(self) -> None:
        self._seen: dict[Any, int] = {}
        self._row = 1

    def once(self, column: str, key: Any, said: str = "twice") -> None:
        self._row += 1
        if key in self._seen:
            raise Fault(column, said)
        self._seen[key] = self._row


def open_school(schools: dict[str, School], column: str, code: str) -> School:
    """A school of the asker's part by its code."""
    school = schools.get(code)
    if school is None:
        raise Fault(column, "no_school")
    if school.closed_on is not None:
        raise Fault(column, "closed_school")
    return school


class Schools:
    action: Action = "school.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, self.now, self.today = scope, now, city_date(now)
        self.districts: list[District] = await store.districts(session, scope)
        self.names = {one.name: one.id for one in self.districts} | {one.name_en: one.id for one in self.districts}
        self.names |= {one.id: one.id for one in self.districts}
        self.by_code = {one.code: one for one in await store.schools(session, scope)}
        self.taken = await store.school_codes(session, scope)
        self.kept = await store.kept_today(session, scope, "school", history.midnight(self.today))
        self.twice = Twice()

    def export(self) -> list[dict[str, Any]]:
        named = {one.id: one.name for one in self.districts}
        return [self._said(one, named) for one in self.by_code.values() if one.closed_on is None]

    def _said(self, one: School, named: dict[str, str]) -> dict[str, Any]:
        held = service.settlement_now(one, self.today)
        return {
            "code": one.code,
            "name": one.name,
            "short_name": one.short_name,
            "phase": one.phase,
            "located_in": named[one.located_in],
            "supervised_by": named[one.supervised_by] if one.supervised_by else CITY_DIRECT[0],
            "settlement": held.code if held else None,
            "key_school": "yes" if one.key_school else "no",
            "weak": "yes" if one.weak else "no",
            "phone": one.phone,
        }

    def _district(self, column: str, name: str) -> str | None:
        if column == "supervised_by" and name in CITY_DIRECT:
            return None
        if name not in self.names:
            raise Fault(column, "no_district")
        return self.names[name]

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        self.twice.once("code", row["code"])
        settlement = row.pop("settlement", None)
        row["located_in"] = self._district("located_in", row["located_in"])
        row["supervised_by"] = self._district("supervised_by", row["supervised_by"])
        row["key_school"], row["weak"] = row.get("key_school") == "yes", row.get("weak") == "yes"
        body = checked(SchoolBody, row)
        try:
            service.check_code(body)
        except TongtangError as error:
            raise Fault("code", f"errors.{error.key}", **error.params) from error
        if body.key_school and body.weak:
            raise Fault("weak", "errors.school_marks")
        if not allows(self.scope, "school.write", Part(district=body.supervised_by)):
            raise Fault("supervised_by", "errors.school_district_foreign")
        held = self.by_code.get(body.code)
        if held is None:
            return self._new(body, settlement, plan)
        return self._changed(held, body, settlement, plan)

    def _new(self, body: SchoolBody, settlement: str | None, plan: Plan) -> Effect:
        if body.code in self.taken:
            raise Fault("code", "errors.school_code_taken")
        id_, place = new_id(), body.supervised_by
        row = {"id": id_, "created_at": self.now, "demo": False, **body.model_dump()}
        plan.insert(School, row, (id_, place))
        if settlement:
            self._settle(id_, place, settlement, plan)
        return "new"

    def _settle(self, school: str, district: str | None, code: str, plan: Plan) -> None:
        row = {"id": new_id(), "school_id": school, "code": code, "starts_on": self.today, "ends_on": None}
        plan.insert(SettlementCode, row, (school, district))

    def _changed(self, held: School, body: SchoolBody, settlement: str | None, plan: Plan) -> Effect:
        if held.closed_on is not None:
            raise Fault("code", "closed_school")
        if not allows(self.scope, "school.write", service.part_of(held)):
            raise Fault("code", "no_school")
        place = (held.id, body.supervised_by)
        values = {name: value for name, value in body.model_dump().items() if getattr(held, name) != value}
        now = service.settlement_now(held, self.today)
        moved = settlement is not None and (now is None or now.code != settlement)
        if values:
            before_today = city_date(held.created_at) < self.today and held.id not in self.kept
            if before_today and any(name in history.SCHOOL for name in values):
                plan.keep("school", held, history.SCHOOL, self.scope, school=held.id, district=held.supervised_by)
            plan.change(School, held, values, place)
        if moved and settlement is not None:
            checked(SettlementBody, {"code": settlement, "starts_on": self.today})
            if now is not None and now.starts_on >= self.today:
                raise Fault("settlement", "errors.settlement_order", date=now.starts_on.isoformat())
            if now is not None:
                plan.change(SettlementCode, now, {"ends_on": self.today}, place)
            self._settle(held.id, held.supervised_by, settlement, plan)
        return "changed" if values or moved else "same"


CITY_DIRECT = ("市直属", "City", "city")


class Rooms:
    action: Action = "room.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, self.now = scope, now
        self.schools = {one.code: one for one in await store.schools(session, scope)}
        self.rooms = {one.code: one for one in await store.rooms(session, scope)}
        self.names = {(one.school_id, one.name): one.code for one in self.rooms.values()}
        self.taken = await store.room_codes(session, scope)
        self.kept = await store.kept_today(session, scope, "room", history.midnight(city_date(now)))
        self.twice, self.named = Twice(), Twice()

    def export(self) -> list[dict[str, Any]]:
        codes = {one.id: one for one in self.schools.values()}
        return [
            {
                "school_code": codes[one.school_id].code,
                "code": one.code,
                "name": one.name,
                "kind": one.kind,
                "pupils": one.pupils,
                "equipment": one.equipment,
            }
            for one in self.rooms.values()
            if one.closed_on is None and codes[one.school_id].closed_on is None
        ]

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        self.twice.once("code", row["code"])
        school = open_school(self.schools, "school_code", row.pop("school_code"))
        if not allows(self.scope, self.action, service.part_of(school)):
            raise Fault("school_code", "no_school")
        body = checked(RoomBody, {**row, "equipment": row.get("equipment") or []})
        self.named.once("name", (school.id, body.name))
        if self.names.get((school.id, body.name), body.code) != body.code:
            raise Fault("name", "errors.room_name_taken")
        place, held = (school.id, school.supervised_by), self.rooms.get(body.code or "")
        values = {**body.model_dump(), "equipment": list(body.equipment)}
        if held is None:
            if body.code in self.taken:
                raise Fault("code", "errors.room_code_taken")
            plan.insert(Room, {"id": new_id(), "school_id": school.id, **values}, place)
            return "new"
        if held.school_id != school.id:
            raise Fault("school_code", "room_moved")
        if held.kind != body.kind:
            raise Fault("kind", "errors.room_kind")
        if set(held.equipment) == set(body.equipment):
            values["equipment"] = held.equipment  # a list in another order is the same equipment
        new = {name: value for name, value in values.items() if getattr(held, name) != value}
        if new:
            if held.id not in self.kept:
                plan.keep("room", held, ("name", "pupils", "equipment"), self.scope, school=school.id)
            plan.change(Room, held, new, place)
        return "changed" if new else "same"


class Classes:
    action: Action = "class.write"

    async def load(self, session: AsyncSession, scope: Scope, now: datetime) -> None:
        self.scope, self.now = scope, now
        self.schools = {one.code: one for one in await store.schools(session, scope)}
        held = await store.classes(session, scope)
        self.classes = {(one.school_id, one.phase, one.entry_year, one.number): one for one in held}
        self.kept = await store.kept_today(session, scope, "class", history.midnight(city_date(now)))
        self.twice = Twice()

    def export(self) -> list[dict[str, Any]]:
        codes = {one.id: one for one in self.schools.values()}
        names = ("phase", "entry_year", "number", "name", "pupils")
        return [
            {"school_code": codes[one.school_id].code, **{name: getattr(one, name) for name in names}}
            for one in self.classes.values()
            if one.closed_on is None and codes[one.school_id].closed_on is None
        ]

    def plan(self, row: dict[str, Any], plan: Plan) -> Effect:
        school = open_school(self.schools, "school_code", row.pop("school_code"))
        if not allows(self.scope, self.action, service.part_of(school)):
            raise Fault("school_code", "no_school")
        body = checked(ClassBody, row)
        try:
            classes.check(school, body, city_date(self.now))
        except TongtangError as error:
            raise Fault(str(error.params.get("field", "number")), f"errors.{error.key}", **error.params) from error
        key = (school.id, body.phase, body.entry_year, body.number)
        self.twice.once("number", key)
        place, held = (school.id, school.supervised_by), self.classes.get(key)
        if held is None:
            plan.insert(
                SchoolClass, {"id": new_id(), "school_id": school.id, "demo": False, **body.model_dump()}, place
            )
            return "new"
        new = {name: value for name, value in body.model_dump().items() if getattr(held, name) != value}
        if held.closed_on is not None:
            new["closed_on"] = None
        if new:
            if held.id not in self.kept:
                is_open = held.closed_on is None
                plan.keep("class", held, classes.KEPT, self.scope, school=school.id, is_open=is_open)
            plan.change(SchoolClass, held, new, place)
        return "changed" if new else "same"
