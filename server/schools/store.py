"""SQL of districts, schools, rooms, devices and pairings. Every function narrows by scope; ``visible`` is the one rule.

A school is visible to those who see the city, its accountable district, or itself (``scope.within`` in SQL).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, selectinload

from server.database import Base
from server.paging import MOST, Paging
from server.schools.models import Device, District, Enrolment, Pairing, Past, Room, School, SettlementCode
from server.scope import Scope

TOWN = ("111", "112")
TOWNSHIP = ("121", "122", "123")
VILLAGE = ("210", "220")
WHOLE = (selectinload(School.settlement), selectinload(School.enrolment))
"""A school with its years."""
SETTLEMENTS = {"town": TOWN, "township": TOWNSHIP, "village": VILLAGE}


@dataclass(frozen=True, slots=True)
class SchoolFilter:
    q: str = ""
    district: str = ""
    phase: str = ""
    settlement: str = ""
    mark: str = ""
    """key | weak | unpaired | closed"""
    sort: str = "code"


@dataclass(frozen=True, slots=True)
class RoomFilter:
    q: str = ""
    school: str = ""
    district: str = ""
    kind: str = ""
    state: str = ""
    """"" open | closed"""


def visible(scope: Scope) -> ColumnElement[bool]:
    if scope.city or scope.system:
        return true()
    mine = scope.schools | ({scope.school} if scope.school else frozenset())
    if not scope.districts:  # with an empty list beside it no database uses an index
        return School.id.in_(mine)
    of_districts = School.supervised_by.in_(scope.districts)
    return or_(of_districts, School.id.in_(mine)) if mine else of_districts


def settlement_on(day: date) -> Any:
    """The 城乡 code of a school on a day, as a correlated scalar."""
    return (
        select(SettlementCode.code)
        .where(SettlementCode.school_id == School.id, SettlementCode.starts_on <= day)
        .where(or_(SettlementCode.ends_on.is_(None), SettlementCode.ends_on > day))
        .order_by(SettlementCode.starts_on.desc())
        .limit(1)
        .correlate(School)
        .scalar_subquery()
    )


def pupils_now() -> Any:
    """Pupils of the latest school year on record, all phases together."""
    later = aliased(Enrolment)
    latest = select(func.max(later.school_year)).where(later.school_id == School.id).correlate(School).scalar_subquery()
    total = select(func.coalesce(func.sum(Enrolment.pupils), 0))
    return (
        total.where(Enrolment.school_id == School.id, Enrolment.school_year == latest)
        .correlate(School)
        .scalar_subquery()
    )


def runs_on(day: date) -> ColumnElement[bool]:
    """Of a pairing: half-open."""
    return and_(Pairing.starts_on <= day, or_(Pairing.ends_on.is_(None), Pairing.ends_on > day))


def paired_on(day: date) -> ColumnElement[bool]:
    return exists().where(Pairing.village_school_id == School.id, runs_on(day)).correlate(School)


def like(text: str) -> str:
    """A LIKE pattern that finds the text anywhere and takes its % and _ literally (escape "\\")."""
    return "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


async def districts(session: AsyncSession, scope: Scope) -> list[District]:
    """All of them: the map of the city is no secret."""
    return list(await session.scalars(select(District).order_by(District.id)))


async def district(session: AsyncSession, scope: Scope, district_id: str) -> District | None:
    return await session.get(District, district_id)


async def my_districts(session: AsyncSession, scope: Scope) -> list[District]:
    """Districts with a school that the scope sees."""
    seen = select(School.supervised_by).where(visible(scope))
    return list(await session.scalars(select(District).where(District.id.in_(seen)).order_by(District.id)))


def _filtered(query: Select[Any], scope: Scope, wanted: SchoolFilter, today: date) -> Select[Any]:
    query = query.where(visible(scope))
    query = query.where(School.closed_on.is_not(None) if wanted.mark == "closed" else School.closed_on.is_(None))
    if wanted.q:
        pattern = like(wanted.q.strip())
        names = (School.name, School.short_name, School.code)
        query = query.where(or_(*(name.like(pattern, escape="\\") for name in names)))
    if wanted.district:
        direct = wanted.district == "city"
        query = query.where(School.supervised_by.is_(None) if direct else School.supervised_by == wanted.district)
    if wanted.phase:
        query = query.where(School.phase == wanted.phase)
    if wanted.settlement in SETTLEMENTS:
        query = query.where(settlement_on(today).in_(SETTLEMENTS[wanted.settlement]))
    if wanted.mark == "key":
        query = query.where(School.key_school)
    if wanted.mark == "weak":
        query = query.where(School.weak)
    if wanted.mark == "unpaired":
        query = query.where(settlement_on(today).in_(VILLAGE), ~paired_on(today))
    return query


def _order(sort: str, today: date) -> list[ColumnElement[Any]]:
    settled = settlement_on(today)
    columns: dict[str, Any] = {
        "code": School.code,
        "name": School.name,
        "district": func.coalesce(School.supervised_by, "0"),
        "phase": case({"primary": 1, "junior": 2, "nine_year": 3}, value=School.phase),
        "settlement": func.coalesce(settled, "999"),
        "pupils": pupils_now(),
    }
    down, key = sort.startswith("-"), sort.lstrip("-")
    column = columns.get(key, School.code)
    return [column.desc() if down else column.asc(), School.code.asc()]


def count(scope: Scope, wanted: SchoolFilter, today: date) -> Select[Any]:
    return _filtered(select(func.count()).select_from(School), scope, wanted, today)


async def list_schools(
    session: AsyncSession, scope: Scope, wanted: SchoolFilter, today: date, page: int, size: int
) -> tuple[list[tuple[School, str | None, int]], Paging]:
    """Schools with their 城乡 code of today and their pupils."""
    paging = Paging(page, await session.scalar(count(scope, wanted, today)) or 0, size)
    query = _filtered(select(School, settlement_on(today), pupils_now()), scope, wanted, today)
    rows = await session.execute(query.order_by(*_order(wanted.sort, today)).offset(paging.offset).limit(size))
    return [(row[0], row[1], int(row[2] or 0)) for row in rows], paging


async def school(session: AsyncSession, scope: Scope, school_id: str) -> School | None:
    return await session.scalar(select(School).options(*WHOLE).where(School.id == school_id, visible(scope)))


async def schools_named(session: AsyncSession, scope: Scope) -> list[School]:
    """Open schools for choosing from."""
    query = select(School).where(visible(scope), School.closed_on.is_(None)).order_by(School.supervised_by, School.code)
    return list(await session.scalars(query))


async def schools_by_id(session: AsyncSession, scope: Scope, ids: Collection[str]) -> dict[str, School]:
    found = await session.scalars(select(School).where(School.id.in_(ids), visible(scope)))
    return {one.id: one for one in found}


async def school_of_city(session: AsyncSession, scope: Scope, school_id: str) -> School | None:
    """Any school, for those who may write somewhere: a pairing crosses districts."""
    return await session.get(School, school_id)


async def code_taken(session: AsyncSession, scope: Scope, code: str, but: str | None = None) -> bool:
    """Codes are unique beyond every scope."""
    query = select(exists().where(School.code == code, School.id != (but or "")))
    return bool(await session.scalar(query))


async def rooms(session: AsyncSession, scope: Scope, school_id: str) -> list[Room]:
    query = (
        select(Room).join(Room.school).where(Room.school_id == school_id, visible(scope)).order_by(Room.kind, Room.name)
    )
    return list(await session.scalars(query))


async def room(session: AsyncSession, scope: Scope, room_id: str) -> Room | None:
    return await session.scalar(select(Room).join(Room.school).where(Room.id == room_id, visible(scope)))


async def room_code_taken(session: AsyncSession, scope: Scope, code: str, but: str = "") -> bool:
    """Codes are unique beyond every scope."""
    return bool(await session.scalar(select(exists().where(Room.code == code, Room.id != but))))


def _rooms(query: Select[Any], scope: Scope, wanted: RoomFilter) -> Select[Any]:
    query = query.join(School, School.id == Room.school_id).where(visible(scope))
    closed = Room.closed_on.is_not(None)
    query = query.where(closed if wanted.state == "closed" else ~closed)
    if wanted.q:
        pattern = like(wanted.q.strip())
        query = query.where(or_(*(name.like(pattern, escape="\\") for name in (Room.name, Room.code))))
    if wanted.district:
        query = query.where(School.supervised_by == wanted.district)
    for column, value in ((Room.school_id, wanted.school), (Room.kind, wanted.kind)):
        if value:
            query = query.where(column == value)
    return query


async def list_rooms(
    session: AsyncSession, scope: Scope, wanted: RoomFilter, page: int, size: int
) -> tuple[list[Room], Paging]:
    count = await session.scalar(_rooms(select(func.count()).select_from(Room), scope, wanted))
    paging = Paging(page, count or 0, size)
    query = _rooms(select(Room), scope, wanted).order_by(School.code, Room.kind, Room.name, Room.id)
    return list(await session.scalars(query.offset(paging.offset).limit(size))), paging


async def rooms_of(session: AsyncSession, scope: Scope, kind: str, beside: Sequence[str] = ()) -> list[Room]:
    """Rooms for choosing from: those the scope sees, and those of the schools named (paired ones)."""
    query = (
        select(Room).join(Room.school).where(Room.kind == kind, School.closed_on.is_(None), Room.closed_on.is_(None))
    )
    query = query.where(or_(visible(scope), School.id.in_(beside)))
    return list(await session.scalars(query.order_by(School.supervised_by, School.code, Room.name)))


async def devices(session: AsyncSession, scope: Scope, school_id: str) -> list[Device]:
    query = select(Device).join(Room, Room.id == Device.room_id).join(School, School.id == Room.school_id)
    query = query.where(School.id == school_id, Device.revoked_at.is_(None), visible(scope))
    return list(await session.scalars(query.order_by(Device.bound_at)))


async def device(session: AsyncSession, scope: Scope, device_id: str) -> tuple[Device, Room] | None:
    query = select(Device, Room).join(Room, Room.id == Device.room_id).join(School, School.id == Room.school_id)
    row = (await session.execute(query.where(Device.id == device_id, visible(scope)))).first()
    return (row[0], row[1]) if row else None


async def pairings(session: AsyncSession, scope: Scope, school_id: str) -> list[tuple[Pairing, School, School]]:
    """Pairings of a visible school with both schools."""
    lead, village = aliased(School), aliased(School)
    query = (
        select(Pairing, lead, village)
        .join(lead, lead.id == Pairing.lead_school_id)
        .join(village, village.id == Pairing.village_school_id)
        .join(School, School.id == school_id)
        .where(or_(Pairing.lead_school_id == school_id, Pairing.village_school_id == school_id), visible(scope))
        .order_by(Pairing.ends_on.is_not(None), Pairing.starts_on)
    )
    return [(row[0], row[1], row[2]) for row in await session.execute(query)]


async def pairings_led(session: AsyncSession, scope: Scope, leads: Sequence[str]) -> list[tuple[Pairing, str]]:
    """All that these schools lead, each with what the school it helps is called."""
    query = select(Pairing, School.short_name).join(School, School.id == Pairing.village_school_id)
    rows = await session.execute(query.where(Pairing.lead_school_id.in_(leads)).order_by(Pairing.starts_on, Pairing.id))
    return [(row[0], row[1]) for row in rows]


async def pairing(session: AsyncSession, scope: Scope, pairing_id: str) -> Pairing | None:
    """Seen by whoever sees one of the two schools."""
    query = select(Pairing).join(
        School, or_(School.id == Pairing.lead_school_id, School.id == Pairing.village_school_id)
    )
    return await session.scalar(query.where(Pairing.id == pairing_id, visible(scope)).limit(1))


async def paired_with(
    session: AsyncSession, scope: Scope, lead_school_ids: Sequence[str] | None, day: date
) -> list[str]:
    """Ids of schools helped on a day by the lead schools named, or by any the scope sees."""
    query = select(Pairing.village_school_id).join(School, School.id == Pairing.lead_school_id)
    query = query.where(visible(scope), runs_on(day))
    if lead_school_ids is not None:
        query = query.where(Pairing.lead_school_id.in_(lead_school_ids))
    return list(await session.scalars(query.distinct()))


async def pairs_on(session: AsyncSession, scope: Scope, leads: Sequence[str], day: date) -> list[tuple[str, str]]:
    """(lead school, helped school) of the lead schools named, as far as the scope sees them."""
    query = select(Pairing.lead_school_id, Pairing.village_school_id)
    query = query.join(School, School.id == Pairing.lead_school_id).where(visible(scope), runs_on(day))
    query = query.where(Pairing.lead_school_id.in_(leads))
    return [(row[0], row[1]) for row in await session.execute(query)]


# --- what was so before -----------------------------------------------------------------------------------------------


async def latest_past(session: AsyncSession, scope: Scope, kind: str, row_id: str) -> Past | None:
    """The caller has checked the right to the row itself."""
    query = select(Past).where(Past.kind == kind, Past.row_id == row_id).order_by(Past.until.desc()).limit(1)
    return await session.scalar(query)


async def pasts_of(session: AsyncSession, scope: Scope, school_id: str) -> list[Past]:
    """A visible school's history (沿革), latest first; of its rooms, classes and enrolment too."""
    query = select(Past).join(School, School.id == Past.school_id)
    query = query.where(School.id == school_id, visible(scope)).order_by(Past.until.desc(), Past.kind, Past.row_id)
    return list(await session.scalars(query.limit(MOST)))


def past_at(school: Any, moment: Any) -> Any:
    """Id of the row that says what a school was at a moment, as a correlated scalar; NULL: what it is now."""
    query = select(Past.id).where(Past.kind == "school", Past.row_id == school.id, Past.until > moment)
    return query.order_by(Past.until).limit(1).correlate_except(Past).scalar_subquery()


async def add(session: AsyncSession, scope: Scope, row: Base) -> None:
    """The service has checked the right and the part of the city the row belongs to."""
    session.add(row)
    await session.flush()
