"""One-time passwords for people of a school who never signed in. Rule: shown on this answer and kept nowhere;
asking again makes new ones, and the old sheet is waste paper. Nobody's own password is ever replaced here.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.admin.service import may_manage, one_time_password
from server.accounts.first import store
from server.accounts.models import Person
from server.audit.watch import acting
from server.clock import city_date
from server.database import Database
from server.errors import ForbiddenError, NotFoundError
from server.schools import store as schools
from server.schools.models import School
from server.schools.service import part_of
from server.scope import Scope, allows
from server.security import Passwords

AT_ONCE = 100
"""Passwords a sheet: each takes 41 ms of a core, and a teacher's class waits for nobody's."""


@dataclass(frozen=True, slots=True)
class Slip:
    """One strip of the sheet."""

    login: str
    name: str
    password: str


async def school_for(session: AsyncSession, scope: Scope, school_id: str) -> School:
    school = await schools.school(session, scope, school_id)
    if school is None:
        raise NotFoundError
    if not allows(scope, "person.write", part_of(school)):
        raise ForbiddenError
    return school


async def waiting(session: AsyncSession, scope: Scope, school: School, now: datetime) -> list[Person]:
    """Who never signed in and whom the asker may manage, in the order of the alphabet."""
    found = await store.never_signed_in(session, scope, school.id)
    return [one for one in found if await may_manage(session, scope, one, city_date(now))]


async def make(
    database: Database, scope: Scope, passwords: Passwords, school_id: str, now: datetime, address: str | None
) -> tuple[School, list[Slip], int]:
    """The slips, and how many people still wait. Hashed before anything is locked: it takes seconds."""
    async with database.reading() as session:
        school = await school_for(session, scope, school_id)
        people = await waiting(session, scope, school, now)
    made = {one.id: one_time_password() for one in people[:AT_ONCE]}
    hashes = dict(zip(made, await asyncio.gather(*map(passwords.hash, made.values())), strict=True))
    slips = []
    async with database.transaction() as session:
        acting(session, scope, address)
        for person in await store.never_signed_in(session, scope, school.id):
            if person.id in made:  # who came in meanwhile keeps what they chose
                person.password_hash, person.password_given = hashes[person.id], True
                person.failures, person.locked_at = 0, None
                slips.append(Slip(person.login, person.name, made[person.id]))
    return school, slips, len(people) - len(made)
