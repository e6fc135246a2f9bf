"""Making accounts: by administrators for their part of the city, and from the command line."""

from __future__ import annotations

import re
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import service, store
from server.accounts.models import Person, PostHeld
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.schools.models import District, School
from server.scope import SYSTEM, Part, Scope, allows
from server.security import Passwords

LOGIN = re.compile(r"^[a-z0-9][a-z0-9._@-]{1,63}$")


async def create(
    session: AsyncSession,
    scope: Scope,
    passwords: Passwords,
    now: datetime,
    *,
    login: str,
    name: str,
    password: str,
    school: School | None = None,
) -> Person:
    """A person without a post; ``school`` is where they work or learn."""
    login = login.strip().lower()
    if not LOGIN.match(login):
        raise InvalidError(field="login")
    part = Part(school.id, school.supervised_by) if school else Part()
    if not allows(scope, "person.write", part):
        raise ForbiddenError
    if await store.person_by_login(session, SYSTEM, login) is not None:
        raise ConflictError("login_taken", login=login)
    person = Person(id=new_id(), login=login, name=name, school_id=school.id if school else None, created_at=now)
    service.check_new_password(person, password)
    person.password_hash = await passwords.hash(password)
    session.add(person)
    await session.flush()
    return person


async def give_post(
    session: AsyncSession,
    scope: Scope,
    person: Person,
    post: str,
    now: datetime,
    *,
    school: School | None = None,
    district: District | None = None,
) -> PostHeld:
    """From today on. Nobody hands out a reach larger than their own."""
    if post not in service.POSTS:
        raise InvalidError(field="post")
    if not allows(scope, "person.write", Part(school.id if school else None, district.id if district else None)):
        raise ForbiddenError
    held = PostHeld(
        id=new_id(),
        person_id=person.id,
        post=post,
        school_id=school.id if school else None,
        district_id=district.id if district else None,
        starts_on=city_date(now),
    )
    session.add(held)
    await session.flush()
    return held


async def set_password(
    session: AsyncSession, scope: Scope, passwords: Passwords, login: str, password: str, now: datetime
) -> Person:
    """A forgotten password: every sign-in of that person ends."""
    person = await _found(session, scope, login)
    service.check_new_password(person, password)
    person.password_hash = await passwords.hash(password)
    await store.revoke_of(session, SYSTEM, now, person_id=person.id)
    return person


async def disable(session: AsyncSession, scope: Scope, login: str, now: datetime) -> Person:
    """Cannot sign in any more and is out at once; what they did stays on record."""
    person = await _found(session, scope, login)
    person.disabled_at = now
    await store.revoke_of(session, SYSTEM, now, person_id=person.id)
    return person


async def _found(session: AsyncSession, scope: Scope, login: str) -> Person:
    person = await store.person_by_login(session, SYSTEM, login)
    if person is None:
        raise NotFoundError
    school = await session.get(School, person.school_id) if person.school_id else None
    part = Part(school.id, school.supervised_by) if school else Part()
    if not allows(scope, "person.write", part):
        raise NotFoundError
    return person
