"""Rules of setting up studios. Who administers the home school's district, or the city, founds a studio and names its
host; the host keeps its members.

Rule: a post follows from the studio. Who is named host or member holds the post of this studio from that day; who is
not any more, held it until the day before.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.admin import service as people
from server.accounts.admin import store as registered
from server.accounts.admin.schemas import PostBody
from server.accounts.models import Person, PostHeld
from server.accounts.service import held_posts
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.schools import store as schools
from server.schools.history import not_closed
from server.schools.service import part_of
from server.scope import SYSTEM, Post, Scope, allows
from server.studios import store
from server.studios.activities.service import studio_for
from server.studios.admin.schemas import MemberBody, StudioBody
from server.studios.models import Studio, StudioMember


def may_keep(scope: Scope, studio: Studio) -> bool:
    return allows(scope, "studio.keep", part_of(studio.school))


# --- the studio -------------------------------------------------------------------------------------------------------


async def create(session: AsyncSession, scope: Scope, body: StudioBody, now: datetime) -> Studio:
    if not allows(scope, "studio.keep"):
        raise ForbiddenError
    await _check(session, scope, body)
    await _check_host(session, scope, body, now)
    row = Studio(id=new_id(), created_at=now, members=[], **body.model_dump())
    await store.add(session, scope, row)
    await _give(session, scope, row.id, row.host_id, "studio_host", city_date(now))
    await session.refresh(row, ["school", "host"])
    return row


async def edit(session: AsyncSession, scope: Scope, studio_id: str, body: StudioBody, now: datetime) -> Studio:
    row = await studio_for(session, scope, studio_id)
    if not may_keep(scope, row):
        raise ForbiddenError
    await _check(session, scope, body, row.id)
    today = city_date(now)
    if body.host_id != row.host_id:
        await _check_host(session, scope, body, now)
        await _end(session, scope, row.id, row.host_id, "studio_host", today)
        for member in _open(row, body.host_id, today):
            member.left_on = max(today, member.joined_on)
            await _end(session, scope, row.id, body.host_id, "studio_member", today)
    for name, value in body.model_dump().items():
        setattr(row, name, value)
    await session.flush()
    await _give(session, scope, row.id, row.host_id, "studio_host", today)
    await session.refresh(row, ["school", "host"])
    return row


async def _check(session: AsyncSession, scope: Scope, body: StudioBody, but: str = "") -> None:
    school = await schools.school_of_city(session, SYSTEM, body.school_id)
    if school is None or school.closed_on is not None or not allows(scope, "studio.keep", part_of(school)):
        raise InvalidError("person_school", field="school_id")
    if await store.name_taken(session, scope, body.name, but):
        raise ConflictError("studio_name", field="name")


async def _check_host(session: AsyncSession, scope: Scope, body: StudioBody, now: datetime) -> None:
    """The host gets a post, so that it must be one the asker could give."""
    person = await _teacher(session, body.host_id, city_date(now))
    post = PostBody(post="studio_host", starts_on=city_date(now))
    if person is None or not await people.may_give(session, scope, person, post):
        raise InvalidError("studio_host", field="host_id")


async def _teacher(session: AsyncSession, person_id: str, today: date) -> Person | None:
    person = await registered.person(session, SYSTEM, person_id)
    if person is None or person.disabled_at is not None:
        return None
    return person if any(post.post == "teacher" for post in held_posts(person, today)) else None


# --- members ----------------------------------------------------------------------------------------------------------


def _open(studio: Studio, person_id: str, day: date) -> list[StudioMember]:
    """Stays of a person that reach beyond ``day``; there is one at most."""
    return [one for one in studio.members if one.person_id == person_id and (one.left_on is None or one.left_on > day)]


async def join(session: AsyncSession, scope: Scope, studio_id: str, body: MemberBody, now: datetime) -> Studio:
    """A teacher of any school; named again with another role, they change it that day."""
    studio = await studio_for(session, scope, studio_id)
    not_closed(body.joined_on, city_date(now), "joined_on")
    if await _teacher(session, body.person_id, city_date(now)) is None:
        raise InvalidError("studio_member", field="person_id")
    held = _open(studio, body.person_id, body.joined_on)
    if body.person_id == studio.host_id or any(one.role == body.role for one in held):
        raise ConflictError("studio_member_twice", field="person_id")
    for one in held:
        if one.joined_on >= body.joined_on:
            raise ConflictError("studio_member_twice", field="person_id")
        one.left_on = body.joined_on
    await store.add(session, scope, StudioMember(id=new_id(), studio_id=studio.id, **body.model_dump()))
    await _give(session, scope, studio.id, body.person_id, "studio_member", body.joined_on)
    await session.refresh(studio, ["members"])
    return studio


async def leave(
    session: AsyncSession, scope: Scope, studio_id: str, member_id: str, left_on: date, now: datetime
) -> Studio:
    studio = await studio_for(session, scope, studio_id)
    row = next((one for one in studio.members if one.id == member_id), None)
    if row is None:
        raise NotFoundError
    if left_on < row.joined_on:
        raise InvalidError("post_dates", field="left_on")
    not_closed(left_on, city_date(now), "left_on")
    if row.left_on is not None:
        not_closed(row.left_on, city_date(now), "left_on")
    row.left_on = left_on
    await _end(session, scope, studio.id, row.person_id, "studio_member", left_on)
    return studio


# --- the posts that follow --------------------------------------------------------------------------------------------


async def _give(session: AsyncSession, scope: Scope, studio: str, person: str, post: Post, day: date) -> None:
    if any(one.ends_on is None for one in await store.posts(session, scope, studio, person, post)):
        return
    row = PostHeld(id=new_id(), person_id=person, post=post, studio_id=studio, starts_on=day)
    await store.add(session, scope, row)


async def _end(session: AsyncSession, scope: Scope, studio: str, person: str, post: Post, day: date) -> None:
    """Not held on ``day`` any more: the host who goes plans nothing from this moment on. Of a post that would have been
    held for no day the audit log tells."""
    for row in await store.posts(session, scope, studio, person, post):
        if row.starts_on >= day:
            await session.delete(row)
        elif row.ends_on is None or row.ends_on >= day:
            row.ends_on = day - timedelta(days=1)
    await session.flush()
