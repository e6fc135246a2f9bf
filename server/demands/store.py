"""SQL of demands and offers. Open needs are for everybody who may teach; what became of one is for those concerned."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.demands.models import Demand, Offer
from server.paging import Paging
from server.schools.models import Gap, Pairing, Room, School
from server.schools.store import runs_on
from server.schools.store import visible as visible_school
from server.scope import Scope
from server.studios.models import Studio


@dataclass(frozen=True, slots=True)
class DemandFilter:
    subject: str = ""
    term: str = ""
    district: str = ""
    school: str = ""
    grade: str = ""
    state: str = "open"
    """open | agreed | withdrawn | "" all"""
    mine: str = ""
    """"1": posted or answered by the asker's schools"""


def _mine(scope: Scope) -> ColumnElement[bool]:
    schools = select(School.id).where(visible_school(scope))
    offered = exists().where(Offer.demand_id == Demand.id, _offered_here(scope))
    return or_(Demand.school_id.in_(schools), offered)


def _offered_here(scope: Scope) -> ColumnElement[bool]:
    schools = select(School.id).where(visible_school(scope))
    return or_(Offer.school_id.in_(schools), Offer.studio_id.in_(scope.studios))


def visible(scope: Scope) -> ColumnElement[bool]:
    return true() if scope.city or scope.system else or_(Demand.state == "open", _mine(scope))


def _filtered(query: Select[Any], scope: Scope, wanted: DemandFilter) -> Select[Any]:
    query = query.join(School, School.id == Demand.school_id).where(visible(scope))
    if wanted.mine:
        query = query.where(_mine(scope))
    if wanted.district:
        query = query.where(School.supervised_by == wanted.district)
    if wanted.grade:
        query = query.where(Demand.grade == int(wanted.grade))
    columns = (Demand.subject, wanted.subject), (Demand.term, wanted.term), (Demand.school_id, wanted.school)
    for column, value in (*columns, (Demand.state, wanted.state)):
        if value:
            query = query.where(column == value)
    return query


async def list_demands(
    session: AsyncSession, scope: Scope, wanted: DemandFilter, page: int, size: int
) -> tuple[list[Demand], Paging]:
    """The newest first."""
    count = await session.scalar(_filtered(select(func.count()).select_from(Demand), scope, wanted))
    paging = Paging(page, count or 0, size)
    query = _filtered(select(Demand), scope, wanted).order_by(Demand.posted_at.desc(), Demand.id)
    return list((await session.scalars(query.offset(paging.offset).limit(size))).unique()), paging


async def demand(session: AsyncSession, scope: Scope, demand_id: str, *, lock: bool = False) -> Demand | None:
    """``lock``: two administrators never accept two offers (PostgreSQL; SQLite has one writer anyway)."""
    query = select(Demand).where(Demand.id == demand_id, visible(scope))
    return await session.scalar(query.with_for_update(of=Demand) if lock else query)


_POSTED = aliased(Gap)
_SAME_GAP = and_(*(getattr(_POSTED, name) == getattr(Gap, name) for name in ("school_id", "term", "grade", "subject")))
"""A gap that was withdrawn and declared anew is another row with the same need."""


async def open_of_gap(session: AsyncSession, scope: Scope, gap_id: str) -> Demand | None:
    query = select(Demand).join(_POSTED, _POSTED.id == Demand.gap_id).join(Gap, _SAME_GAP)
    return await session.scalar(query.where(Gap.id == gap_id, Demand.state == "open").limit(1))


async def count_open(session: AsyncSession, scope: Scope, school_id: str) -> int:
    query = select(func.count()).select_from(Demand).where(Demand.school_id == school_id, Demand.state == "open")
    return await session.scalar(query) or 0


async def open_gaps(session: AsyncSession, scope: Scope, gaps: list[str]) -> dict[str, str]:
    """gap -> its open demand, for gaps the asker sees."""
    query = select(Gap.id, Demand.id).join(_POSTED, _SAME_GAP).join(Demand, Demand.gap_id == _POSTED.id)
    rows = await session.execute(query.where(Gap.id.in_(gaps), Demand.state == "open"))
    return {row[0]: row[1] for row in rows}


async def room(session: AsyncSession, scope: Scope, room_id: str) -> Room | None:
    """Any open room of the city: an offer names rooms of two schools that need not be paired."""
    found = await session.get(Room, room_id)
    return found if found is not None and found.closed_on is None and found.school.closed_on is None else None


async def receiving_room(session: AsyncSession, scope: Scope, school_id: str) -> Room | None:
    """The school's first."""
    query = select(Room).where(Room.school_id == school_id, Room.kind == "receiving", Room.closed_on.is_(None))
    return await session.scalar(query.order_by(Room.name, Room.id).limit(1))


async def lead_schools(session: AsyncSession, scope: Scope, school_id: str, day: date) -> list[str]:
    """Lead schools paired with this one."""
    query = select(Pairing.lead_school_id).where(Pairing.village_school_id == school_id, runs_on(day))
    return list(await session.scalars(query.distinct()))


async def studio(session: AsyncSession, scope: Scope, studio_id: str) -> Studio | None:
    return await session.get(Studio, studio_id)


async def studios_of(session: AsyncSession, scope: Scope) -> list[Studio]:
    """Studios the asker hosts."""
    return list((await session.scalars(select(Studio).where(Studio.id.in_(scope.studios)))).unique())


async def studio_hosts(session: AsyncSession, scope: Scope, subject: str, phase: str, day: date) -> list[str]:
    """Who hosts a studio of this subject, wherever in the city."""
    query = select(PostHeld.person_id).join(Studio, Studio.id == PostHeld.studio_id)
    query = query.join(Person, Person.id == PostHeld.person_id).where(Person.disabled_at.is_(None))
    query = query.where(PostHeld.post == "studio_host", held_on(day), Studio.subject == subject, Studio.phase == phase)
    return sorted(set(await session.scalars(query)))


async def add(session: AsyncSession, scope: Scope, row: Demand | Offer) -> None:
    session.add(row)
    await session.flush()
