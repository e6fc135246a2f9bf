"""SQL of channels and deliveries. A channel is seen by who administers its place; the worker sees all."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import selectinload

from server.accounts.models import Person, PostHeld
from server.accounts.store import held_on
from server.outbox.models import Channel, Delivery
from server.paging import Paging
from server.schools.models import School
from server.schools.store import visible as visible_school
from server.scope import Scope


@dataclass(frozen=True, slots=True)
class Places:
    """Parts of the city that are concerned."""

    schools: frozenset[str] = frozenset()
    districts: frozenset[str] = frozenset()
    city: bool = False


def _of_city() -> ColumnElement[bool]:
    return and_(Channel.school_id.is_(None), Channel.district_id.is_(None))


def visible(scope: Scope) -> ColumnElement[bool]:
    """Which of them may be written is asked of the rights table, place by place."""
    if scope.city or scope.system:
        return true()
    schools = select(School.id).where(visible_school(scope))
    return or_(Channel.school_id.in_(schools), Channel.district_id.in_(scope.districts))


async def channels(session: AsyncSession, scope: Scope) -> list[Channel]:
    query = select(Channel).where(visible(scope), Channel.removed_at.is_(None))
    return list(await session.scalars(query.order_by(Channel.created_at, Channel.id)))


async def channel(session: AsyncSession, scope: Scope, channel_id: str) -> Channel | None:
    query = select(Channel).where(Channel.id == channel_id, visible(scope), Channel.removed_at.is_(None))
    return await session.scalar(query)


async def at_place(session: AsyncSession, scope: Scope, school: str | None, district: str | None) -> int:
    query = select(func.count()).select_from(Channel).where(Channel.removed_at.is_(None))
    return await session.scalar(query.where(Channel.school_id == school, Channel.district_id == district)) or 0


async def listening(session: AsyncSession, scope: Scope, places: Places, *, webhooks: bool) -> list[Channel]:
    """Channels of these places that are on."""
    at: list[ColumnElement[bool]] = [
        Channel.school_id.in_(places.schools),
        Channel.district_id.in_(places.districts),
    ]
    at += [_of_city()] if places.city else []
    kind = Channel.kind == "webhook" if webhooks else Channel.kind != "webhook"
    query = select(Channel).where(or_(*at), kind, Channel.off_at.is_(None), Channel.removed_at.is_(None))
    return list(await session.scalars(query.order_by(Channel.id)))


async def any_on(session: AsyncSession, scope: Scope) -> bool:
    query = select(Channel.id).where(Channel.off_at.is_(None), Channel.removed_at.is_(None)).limit(1)
    return await session.scalar(query) is not None


async def people(session: AsyncSession, scope: Scope, ids: Collection[str]) -> list[Person]:
    return list(await session.scalars(select(Person).options(selectinload(Person.posts)).where(Person.id.in_(ids))))


async def holders(session: AsyncSession, scope: Scope, channel: Channel, day: date) -> list[str]:
    """Who answers for a channel: who made it, and the administrators of its place."""
    if channel.school_id:
        where: ColumnElement[bool] = and_(PostHeld.post == "school_admin", PostHeld.school_id == channel.school_id)
    elif channel.district_id:
        where = and_(PostHeld.post == "district_admin", PostHeld.district_id == channel.district_id)
    else:
        where = PostHeld.post == "city_admin"
    query = select(PostHeld.person_id).where(where, held_on(day))
    return [one for one in [channel.created_by, *sorted(set(await session.scalars(query)))] if one]


async def add(session: AsyncSession, scope: Scope, *rows: Channel | Delivery) -> None:
    session.add_all(rows)
    await session.flush()


# --- deliveries -------------------------------------------------------------------------------------------------------


async def told_already(session: AsyncSession, scope: Scope, subjects: Collection[str]) -> set[tuple[str, str]]:
    """(channel, subject) that stand in the outbox."""
    query = select(Delivery.channel_id, Delivery.subject).where(Delivery.subject.in_(subjects))
    return {(row.channel_id, row.subject) for row in await session.execute(query)}


async def waiting(session: AsyncSession, scope: Scope, channels: Iterable[str]) -> dict[str, int]:
    query = select(Delivery.channel_id, func.count()).where(
        Delivery.channel_id.in_(list(channels)), Delivery.state == "waiting"
    )
    return {row[0]: row[1] for row in await session.execute(query.group_by(Delivery.channel_id))}


async def deliveries(
    session: AsyncSession, scope: Scope, channel_id: str, page: int, size: int
) -> tuple[list[Delivery], Paging]:
    """Of a channel that the asker was let at, the newest first."""
    count = select(func.count()).select_from(Delivery).where(Delivery.channel_id == channel_id)
    paging = Paging(page, await session.scalar(count) or 0, size)
    query = select(Delivery).where(Delivery.channel_id == channel_id)
    query = query.order_by(Delivery.created_at.desc(), Delivery.id).offset(paging.offset).limit(size)
    return list(await session.scalars(query)), paging


async def delivery(session: AsyncSession, scope: Scope, channel_id: str, delivery_id: str) -> Delivery | None:
    return await session.scalar(
        select(Delivery).where(Delivery.id == delivery_id, Delivery.channel_id == channel_id).with_for_update()
    )


async def claim(
    session: AsyncSession, scope: Scope, now: datetime, lease: timedelta, most: int
) -> list[tuple[Channel, list[Delivery]]]:
    """What is due, at most ``most`` a channel, the oldest first. Nobody else takes it until the lease is over."""
    due = and_(Delivery.state == "waiting", Delivery.due_at <= now)
    on = select(Channel).where(Channel.off_at.is_(None), Channel.removed_at.is_(None))
    found = []
    for row in await session.scalars(on.where(Channel.id.in_(select(Delivery.channel_id).where(due).distinct()))):
        query = select(Delivery).where(due, Delivery.channel_id == row.id).order_by(Delivery.created_at, Delivery.id)
        held = list(await session.scalars(query.limit(most).with_for_update(skip_locked=True)))
        for one in held:
            one.due_at = now + lease
        if held:
            found.append((row, held))
    await session.flush()
    return found


async def by_id(session: AsyncSession, scope: Scope, ids: Collection[str]) -> dict[str, Delivery]:
    query = select(Delivery).where(Delivery.id.in_(ids)).with_for_update()
    return {one.id: one for one in await session.scalars(query)}


async def drop_waiting(session: AsyncSession, scope: Scope, channel_id: str, now: datetime) -> None:
    """The channel is off: what waits for it is of no use later."""
    query = update(Delivery).where(Delivery.channel_id == channel_id, Delivery.state == "waiting")
    await session.execute(query.values(state="dropped", done_at=now))


async def forget(session: AsyncSession, scope: Scope, before: datetime) -> None:
    await session.execute(delete(Delivery).where(Delivery.state != "waiting", Delivery.created_at < before))
