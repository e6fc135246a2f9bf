"""SQL of machine tokens. Seen by who sees their place; whether they may be written is the rights table's word."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from server.schools.models import School
from server.schools.store import visible as visible_school
from server.scope import Scope
from server.tokens.models import MachineToken


def visible(scope: Scope) -> ColumnElement[bool]:
    if scope.city or scope.system:
        return true()
    schools = select(School.id).where(visible_school(scope))
    return or_(MachineToken.school_id.in_(schools), MachineToken.district_id.in_(scope.districts))


async def tokens(session: AsyncSession, scope: Scope) -> list[MachineToken]:
    query = select(MachineToken).where(visible(scope), MachineToken.revoked_at.is_(None))
    return list(await session.scalars(query.order_by(MachineToken.created_at, MachineToken.id)))


async def token(session: AsyncSession, scope: Scope, token_id: str) -> MachineToken | None:
    query = select(MachineToken).where(MachineToken.id == token_id, MachineToken.revoked_at.is_(None))
    return await session.scalar(query.where(visible(scope)))


async def by_hash(session: AsyncSession, scope: Scope, sha256: str, now: datetime) -> MachineToken | None:
    query = select(MachineToken).where(MachineToken.token_sha256 == sha256, MachineToken.revoked_at.is_(None))
    return await session.scalar(query.where(MachineToken.expires_at > now))


async def at_place(session: AsyncSession, scope: Scope, school: str | None, district: str | None, now: datetime) -> int:
    query = select(func.count()).select_from(MachineToken).where(MachineToken.revoked_at.is_(None))
    query = query.where(MachineToken.expires_at > now)
    query = query.where(MachineToken.school_id == school, MachineToken.district_id == district)
    return await session.scalar(query) or 0


async def touch(session: AsyncSession, scope: Scope, token_id: str, now: datetime) -> None:
    held = await session.get(MachineToken, token_id)
    if held is not None:
        held.seen_at = now


async def add(session: AsyncSession, scope: Scope, row: MachineToken) -> None:
    session.add(row)
    await session.flush()
