"""SQL of groups. Seen by who sees one of their schools, or the district that keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from server.groups.models import Group, Membership
from server.paging import Paging
from server.schools.models import School
from server.schools.store import like
from server.schools.store import visible as visible_school
from server.scope import Scope


@dataclass(frozen=True, slots=True)
class GroupFilter:
    q: str = ""
    kind: str = ""
    school: str = ""
    state: str = ""
    """"" running | ended"""


def visible(scope: Scope) -> ColumnElement[bool]:
    if scope.city or scope.system:
        return true()
    schools = select(School.id).where(visible_school(scope))
    member = exists().where(Membership.group_id == Group.id, Membership.school_id.in_(schools))
    return or_(Group.district_id.in_(scope.districts), member)


def _filtered(query: Select[Any], scope: Scope, wanted: GroupFilter) -> Select[Any]:
    query = query.where(visible(scope))
    ended = Group.ends_on.is_not(None)
    query = query.where(ended if wanted.state == "ended" else ~ended)
    if wanted.q:
        query = query.where(Group.name.like(like(wanted.q.strip()), escape="\\"))
    if wanted.kind:
        query = query.where(Group.kind == wanted.kind)
    if wanted.school:
        query = query.where(exists().where(Membership.group_id == Group.id, Membership.school_id == wanted.school))
    return query


async def list_groups(
    session: AsyncSession, scope: Scope, wanted: GroupFilter, page: int, size: int
) -> tuple[list[Group], Paging]:
    count = await session.scalar(_filtered(select(func.count()).select_from(Group), scope, wanted))
    paging = Paging(page, count or 0, size)
    query = _filtered(select(Group), scope, wanted).order_by(Group.kind, Group.name, Group.id)
    return list(await session.scalars(query.offset(paging.offset).limit(size))), paging


async def group(session: AsyncSession, scope: Scope, group_id: str) -> Group | None:
    return await session.scalar(select(Group).where(Group.id == group_id, visible(scope)))


async def name_taken(session: AsyncSession, scope: Scope, name: str, but: str = "") -> bool:
    """Names are unique beyond every scope."""
    return bool(await session.scalar(select(exists().where(Group.name == name, Group.id != but))))


async def add(session: AsyncSession, scope: Scope, row: Group | Membership) -> None:
    session.add(row)
    await session.flush()
