"""Rules of groups: kept by a district or the city, schools of any district in them, one lead at a time, dates kept.

An 学区 lies in one district; the others cross districts. Members are added by whoever keeps the group.
"""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.groups import store
from server.groups.models import Group, Membership
from server.groups.schemas import GroupBody, GroupEdit, MemberBody
from server.ids import new_id
from server.schools import store as schools
from server.schools.history import not_closed
from server.scope import Action, Part, Scope, allows


def part_of(group: Group) -> Part:
    return Part(district=group.district_id)


def may(scope: Scope, action: Action, group: Group) -> bool:
    return allows(scope, action, part_of(group))


async def get(session: AsyncSession, scope: Scope, group_id: str) -> Group:
    row = await store.group(session, scope, group_id)
    if row is None:
        raise NotFoundError
    return row


async def get_for(session: AsyncSession, scope: Scope, group_id: str) -> Group:
    """A group that the asker keeps."""
    row = await get(session, scope, group_id)
    if not may(scope, "group.write", row):
        raise ForbiddenError
    return row


async def create(session: AsyncSession, scope: Scope, body: GroupBody, now: datetime) -> Group:
    if not allows(scope, "group.write", Part(district=body.district_id)):
        raise ForbiddenError
    if body.district_id is not None and body.district_id not in {
        one.id for one in await schools.districts(session, scope)
    }:
        raise InvalidError("school_district", field="district_id")
    if body.kind == "area" and body.district_id is None:
        raise InvalidError("group_area", field="district_id")
    if await store.name_taken(session, scope, body.name):
        raise ConflictError("group_name", field="name")
    row = Group(id=new_id(), created_at=now, members=[], **body.model_dump())
    await store.add(session, scope, row)
    return row


async def edit(session: AsyncSession, scope: Scope, group_id: str, body: GroupEdit) -> Group:
    row = await get_for(session, scope, group_id)
    if await store.name_taken(session, scope, body.name, row.id):
        raise ConflictError("group_name", field="name")
    row.name, row.about = body.name, body.about
    await session.flush()
    return row


def _open(member: Membership, day: date) -> bool:
    return member.ends_on is None or member.ends_on > day


async def join(session: AsyncSession, scope: Scope, group_id: str, body: MemberBody, now: datetime) -> Group:
    """A school joins; a new lead takes over from the old one that day, who stays as a member."""
    group = await get_for(session, scope, group_id)
    school = await schools.school_of_city(session, scope, body.school_id)
    if school is None or school.closed_on is not None:
        raise InvalidError("group_school", field="school_id")
    if group.kind == "area" and school.supervised_by != group.district_id:
        raise InvalidError("group_area_school", field="school_id")
    if group.ends_on is not None or body.starts_on < group.starts_on:
        raise InvalidError("group_dates", field="starts_on", date=group.starts_on.isoformat())
    not_closed(body.starts_on, city_date(now), entered=group.created_at)
    held = [one for one in group.members if one.school_id == school.id and _open(one, body.starts_on)]
    if held and (held[0].role == body.role or body.role == "member"):
        raise ConflictError("group_member_twice", field="school_id")
    if body.role == "lead":
        await _hand_over(session, scope, group, body.starts_on, held)
    row = Membership(id=new_id(), group_id=group.id, **body.model_dump())
    await store.add(session, scope, row)
    await session.refresh(group, ["members"])
    return group


async def _hand_over(session: AsyncSession, scope: Scope, group: Group, day: date, leaving: list[Membership]) -> None:
    for old in [one for one in group.members if one.role == "lead" and _open(one, day)]:
        if old.starts_on >= day:
            raise ConflictError("group_lead_twice", field="starts_on", date=old.starts_on.isoformat())
        old.ends_on = day
        stays = Membership(id=new_id(), group_id=group.id, school_id=old.school_id, role="member", starts_on=day)
        await store.add(session, scope, stays)
    for held in leaving:
        if held.role == "member":
            held.ends_on = max(day, held.starts_on)
            if held.ends_on == held.starts_on:
                raise ConflictError("group_member_twice", field="school_id")


def _check_end(starts_on: date, ends_on: date, held: date | None, today: date) -> None:
    closed = today.replace(day=1)
    if ends_on <= starts_on:
        raise InvalidError("pairing_dates", field="ends_on")
    if ends_on < closed or (held is not None and held < closed):
        raise InvalidError("effective_closed", field="ends_on", date=closed.isoformat())


async def leave(
    session: AsyncSession, scope: Scope, group_id: str, member_id: str, ends_on: date, now: datetime
) -> Group:
    group = await get_for(session, scope, group_id)
    row = next((one for one in group.members if one.id == member_id), None)
    if row is None:
        raise NotFoundError
    _check_end(row.starts_on, ends_on, row.ends_on, city_date(now))
    row.ends_on = ends_on
    await session.flush()
    return group


async def end(session: AsyncSession, scope: Scope, group_id: str, ends_on: date, now: datetime) -> Group:
    """The group and every membership in it."""
    group = await get_for(session, scope, group_id)
    _check_end(group.starts_on, ends_on, group.ends_on, city_date(now))
    group.ends_on = ends_on
    for member in group.members:
        if member.ends_on is None and member.starts_on < ends_on:
            member.ends_on = ends_on
    await session.flush()
    return group
