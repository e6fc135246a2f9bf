"""All SQL of the indicators: the receipts they count, the roll-ups that reports read, the fill state between them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, exists, func, insert, literal, or_, select, true
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.accounts.models import Person
from server.clock import city_date
from server.errors import ForbiddenError
from server.indicators.formulas import ReceiptFigures
from server.indicators.models import FillState, RollUp
from server.lessons.models import Lesson, Receipt
from server.participation.models import Attendance
from server.schools.models import District, Past, Room, School, SettlementCode
from server.schools.store import past_at
from server.scope import Scope

Moments = tuple[datetime, datetime]
"""Half-open [from, to)."""


@dataclass(frozen=True, slots=True)
class CountedReceipt:
    """One receipt behind a figure: what it counts, and what to call it."""

    figures: ReceiptFigures
    title: str
    subject: str
    starts_at: datetime
    room_name: str
    school_name: str
    lead_school_name: str
    teacher: str
    heard_ms: int | None
    signed_in_at: datetime | None
    made_good_at: datetime | None
    reason: str | None
    """Why not effective; None when effective, cancelled, or not yet computed."""


@dataclass(frozen=True, slots=True)
class PartName:
    """How to call a part of the city. ``name_en`` where there is one; ``district`` its accountable district's id."""

    id: str
    name: str
    name_en: str | None = None
    above: str | None = None
    district: str | None = None


def _ours(scope: Scope) -> None:
    if not scope.system:
        raise ForbiddenError


async def due_receipts(session: AsyncSession, scope: Scope, month: Moments, until: datetime) -> list[ReceiptFigures]:
    """Receipts of 正式 lessons that start in the month and that are due, in a fixed order."""
    _ours(scope)
    statement = _counted(month, until).order_by(Lesson.id, Receipt.room_id)
    return [_figures(row[:13]) for row in await session.execute(statement)]


async def receipts_of(
    session: AsyncSession, scope: Scope, month: Moments, until: datetime, level: str, part: str
) -> list[CountedReceipt]:
    """The same receipts as far as they make one part's figures, with the names a reader needs; empty out of scope."""
    holder = {"room": _ROOM.id, "school": _SCHOOL.id, "lead": _LEAD.school_id, "district": _DISTRICT}
    statement = _counted(month, until).where(visible(scope, level, literal(part)))
    if level != "city":
        statement = statement.where(holder[level] == part)
    rows = await session.execute(statement.order_by(Lesson.starts_at, Lesson.id, Receipt.position))
    return [CountedReceipt(_figures(row[:13]), *row[13:]) for row in rows]


_ROOM, _LEAD, _SCHOOL, _LEAD_SCHOOL = aliased(Room), aliased(Room), aliased(School), aliased(School)
_WAS = aliased(Past)
_DISTRICT = case((_WAS.id.is_not(None), _WAS.district_id), else_=_SCHOOL.supervised_by)
"""The district that answered for the receiving school when the lesson began: a school that changes hands takes no
past month with it."""


def _counted(month: Moments, until: datetime) -> Any:
    return (
        select(
            Lesson.id,
            Receipt.room_id,
            _ROOM.school_id,
            _DISTRICT,
            _LEAD.school_id,
            Lesson.grade,
            Lesson.starts_at,
            Lesson.ends_at,
            Lesson.state,
            Lesson.cancel_reason,
            Attendance.delivered_ms,
            Attendance.online_ms,
            Attendance.effective,
            Lesson.title,
            Lesson.subject,
            Lesson.starts_at.label("bell"),
            _ROOM.name,
            _SCHOOL.short_name,
            _LEAD_SCHOOL.short_name,
            Person.name,
            Attendance.heard_ms,
            Attendance.signed_in_at,
            Attendance.made_good_at,
            Attendance.reason,
        )
        .join(Receipt, Receipt.lesson_id == Lesson.id)
        .join(_ROOM, _ROOM.id == Receipt.room_id)
        .join(_SCHOOL, _SCHOOL.id == _ROOM.school_id)
        .outerjoin(_WAS, _WAS.id == past_at(_SCHOOL, Lesson.starts_at))
        .join(_LEAD, _LEAD.id == Lesson.lead_room_id)
        .join(_LEAD_SCHOOL, _LEAD_SCHOOL.id == _LEAD.school_id)
        .join(Person, Person.id == Lesson.teacher_id)
        .outerjoin(Attendance, and_(Attendance.lesson_id == Lesson.id, Attendance.room_id == Receipt.room_id))
        .where(Lesson.kind == "formal", Lesson.starts_at >= month[0], Lesson.starts_at < month[1], _due(until))
        .where(~_repaid(until))
    )


def _repaid(until: datetime) -> ColumnElement[bool]:
    """停课 whose 补课 is due: the pair counts once, as the lesson that repays (domain.md section 9)."""
    other = aliased(Lesson)
    repays = exists().where(other.repays_id == Lesson.id, other.state != "cancelled", other.ends_at <= until)
    return and_(Lesson.state == "cancelled", repays)


def _due(until: datetime) -> ColumnElement[bool]:
    """Over by its plan, or closed before: a lesson counts as soon as its teacher has ended it."""
    closed = and_(Lesson.state.in_(("closed", "registered", "archived")), Lesson.closed_at <= until)
    return or_(Lesson.ends_at <= until, closed)


def _figures(row: Any) -> ReceiptFigures:
    (lesson, room, school, district, lead_school, grade, starts_at, ends_at, state, reason, *counted) = row
    delivered_ms, online_ms, effective = counted
    return ReceiptFigures(
        lesson=lesson,
        room=room,
        school=school,
        district=district,
        lead_school=lead_school,
        grade=grade,
        planned_ms=round((ends_at - starts_at).total_seconds() * 1000),
        delivered_ms=delivered_ms or 0,
        online_ms=online_ms or 0,
        effective=bool(effective),
        cancel_reason=(reason or "unknown") if state == "cancelled" else None,
    )


async def ledger_edge(session: AsyncSession, scope: Scope, lessons: Iterable[str]) -> int:
    """Facts that the attendance of some lessons rests on."""
    _ours(scope)
    total = 0
    ids = sorted(lessons)
    for start in range(0, len(ids), 500):
        counts = (
            select(func.max(Attendance.fact_count).label("facts"))
            .where(Attendance.lesson_id.in_(ids[start : start + 500]))
            .group_by(Attendance.lesson_id)
            .subquery()
        )
        total += await session.scalar(select(func.coalesce(func.sum(counts.c.facts), 0))) or 0
    return total


async def parts(session: AsyncSession, scope: Scope, month: Moments) -> dict[str, set[str]]:
    """Every part of the city that must have figures, also those without a single lesson, by level. A school that was
    open on any day of the month is one, whatever became of it since."""
    _ours(scope)
    rooms = (await session.execute(select(Room.id, Room.kind))).all()
    first, after = city_date(month[0]), city_date(month[1])
    there = and_(
        or_(School.closed_on.is_(None), School.closed_on > first),
        or_(School.opened_on.is_(None), School.opened_on < after),
    )
    schools = (await session.scalars(select(School.id).where(there))).all()
    leads = (await session.scalars(select(Room.school_id).where(Room.kind == "lead").distinct())).all()
    districts = (await session.scalars(select(District.id))).all()
    return {
        "room": {id_ for id_, kind in rooms if kind == "receiving"},
        "school": set(schools),
        "lead": set(leads),
        "district": set(districts),
        "city": {"city"},
    }


async def replace_roll_ups(session: AsyncSession, scope: Scope, period: str, rows: list[dict[str, Any]]) -> None:
    _ours(scope)
    await session.execute(delete(RollUp).where(RollUp.period == period))
    if rows:
        await session.execute(insert(RollUp), rows)


async def fill_states(session: AsyncSession, scope: Scope) -> Sequence[FillState]:
    return (await session.scalars(select(FillState).order_by(FillState.period))).all()


async def fill_state(session: AsyncSession, scope: Scope, period: str) -> FillState | None:
    return await session.get(FillState, period)


async def lock_state(session: AsyncSession, scope: Scope, period: str) -> FillState:
    """The row of a month that was begun, locked where rows can be: one roll-up of a month at a time."""
    _ours(scope)
    return await session.get_one(FillState, period, with_for_update=True, populate_existing=True)


async def set_state(session: AsyncSession, scope: Scope, periods: Collection[str], state: str) -> None:
    _ours(scope)
    dialect = session.get_bind().dialect.name
    for period in sorted(periods):
        upsert = (sqlite_insert if dialect == "sqlite" else postgresql_insert)(FillState).values(
            period=period, state=state, fact_count=0
        )
        await session.execute(upsert.on_conflict_do_update(index_elements=["period"], set_={"state": state}))


async def roll_ups(
    session: AsyncSession, scope: Scope, periods: Collection[str], level: str, parts: Collection[str] | None = None
) -> Sequence[RollUp]:
    """Figures of one level, of the parts the asker may see (all of them: ``parts`` None)."""
    statement = (
        select(RollUp)
        .where(RollUp.period.in_(periods), RollUp.level == level, visible(scope, level, RollUp.part))
        .order_by(RollUp.part, RollUp.code, RollUp.period)
    )
    if parts is not None:
        statement = statement.where(RollUp.part.in_(parts))
    return (await session.scalars(statement)).all()


def visible(scope: Scope, level: str, part: Any) -> ColumnElement[bool]:
    """Which parts of a level lie in the scope: a school's own figures, a district's and those of its schools, the
    city's.
    """
    if scope.city or scope.system:
        return true()
    if level == "city":
        return ~true()
    if level == "district":
        return part.in_(scope.districts)  # type: ignore[no-any-return]
    schools = select(School.id).where(schools_in(scope))
    if level == "room":
        return part.in_(select(Room.id).where(Room.school_id.in_(schools)))  # type: ignore[no-any-return]
    return part.in_(schools)  # type: ignore[no-any-return]


def schools_in(scope: Scope, school: Any = School) -> ColumnElement[bool]:
    if scope.city or scope.system:
        return true()
    mine = scope.schools | ({scope.school} if scope.school else frozenset())
    return or_(school.id.in_(mine), school.supervised_by.in_(scope.districts))


async def names(session: AsyncSession, scope: Scope, level: str, most: int | None = None) -> dict[str, PartName]:
    """Parts of a level in the scope, in the order of districts and names; "city" has none but itself.
    ``most``: of a level that is only asked whether it has any."""
    if level == "city":
        return {"city": PartName("city", "")} if scope.city or scope.system else {}
    if level == "district":
        rows = await session.execute(
            select(District.id, District.name, District.name_en)
            .where(visible(scope, "district", District.id))
            .order_by(District.id)
            .limit(most)
        )
        return {row.id: PartName(row.id, row.name, row.name_en, None, row.id) for row in rows}
    if level == "room":
        rows = await session.execute(
            select(Room.id, Room.name, School.short_name, School.supervised_by)
            .join(School, School.id == Room.school_id)
            .where(Room.kind == "receiving", schools_in(scope))
            .order_by(School.supervised_by, School.code, Room.name)
            .limit(most)
        )
        return {row.id: PartName(row.id, row.name, None, row.short_name, row.supervised_by) for row in rows}
    rows = await session.execute(
        select(School.id, School.name, School.supervised_by)
        .where(schools_in(scope), _leads() if level == "lead" else _receives())
        .order_by(School.supervised_by, School.code)
        .limit(most)
    )
    return {row.id: PartName(row.id, row.name, None, None, row.supervised_by) for row in rows}


def _leads() -> ColumnElement[bool]:
    return exists().where(Room.school_id == School.id, Room.kind == "lead")


def _receives() -> ColumnElement[bool]:
    """Schools with a receiving room, and every village school: who receives nothing must be seen to receive nothing."""
    room = exists().where(Room.school_id == School.id, Room.kind == "receiving")
    village = exists().where(
        SettlementCode.school_id == School.id, SettlementCode.code.startswith("2"), SettlementCode.ends_on.is_(None)
    )
    return or_(room, village)
