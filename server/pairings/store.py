"""SQL of lists of pairings. Seen by whoever sees one of the two schools."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.paging import Paging
from server.schools.models import Pairing, School
from server.schools.store import runs_on, visible
from server.scope import Scope


@dataclass(frozen=True, slots=True)
class PairingFilter:
    school: str = ""
    district: str = ""
    state: str = ""
    """"" all | running | ended"""


def _filtered(query: Select[Any], scope: Scope, wanted: PairingFilter, today: date) -> Select[Any]:
    seen = select(School.id).where(visible(scope))
    query = query.where(or_(Pairing.lead_school_id.in_(seen), Pairing.village_school_id.in_(seen)))
    if wanted.school:
        query = query.where(or_(Pairing.lead_school_id == wanted.school, Pairing.village_school_id == wanted.school))
    if wanted.district:
        there = select(School.id).where(School.supervised_by == wanted.district)
        query = query.where(or_(Pairing.lead_school_id.in_(there), Pairing.village_school_id.in_(there)))
    if wanted.state == "running":
        query = query.where(runs_on(today))
    return query.where(Pairing.ends_on <= today) if wanted.state == "ended" else query


async def list_pairings(
    session: AsyncSession, scope: Scope, wanted: PairingFilter, today: date, page: int, size: int
) -> tuple[list[Pairing], Paging]:
    count = await session.scalar(_filtered(select(func.count()).select_from(Pairing), scope, wanted, today))
    paging = Paging(page, count or 0, size)
    query = _filtered(select(Pairing), scope, wanted, today).order_by(Pairing.starts_on, Pairing.id)
    return list(await session.scalars(query.offset(paging.offset).limit(size))), paging
