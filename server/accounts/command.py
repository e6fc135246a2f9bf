"""What ``tongtang user …`` does: one transaction each, as our own job."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import people
from server.audit.watch import watch
from server.clock import Clock, SystemClock
from server.config import WebSettings
from server.database import Database, make_engine
from server.errors import InvalidError
from server.schools.models import District, School
from server.scope import SYSTEM
from server.security import Passwords


@dataclass(frozen=True, slots=True)
class Add:
    login: str
    name: str
    post: str
    school: str
    district: str
    password: str


@dataclass(frozen=True, slots=True)
class Password:
    login: str
    password: str


@dataclass(frozen=True, slots=True)
class Disable:
    login: str


async def account(settings: WebSettings, work: object, clock: Clock | None = None) -> str:
    """Returns the line to print."""
    clock = clock or SystemClock()
    database = Database(make_engine(settings.database_url))
    watch(database, clock)
    try:
        async with database.transaction() as session:
            return await _do(session, work, clock)
    finally:
        await database.dispose()


async def _do(session: AsyncSession, work: object, clock: Clock) -> str:
    now, passwords = clock.now(), Passwords()
    if isinstance(work, Add):
        return await _add(session, work, clock)
    if isinstance(work, Password):
        person = await people.set_password(session, SYSTEM, passwords, work.login, work.password, now)
        return f"{person.login}: new password"
    if isinstance(work, Disable):
        person = await people.disable(session, SYSTEM, work.login, now)
        return f"{person.login}: disabled"
    raise TypeError(work)


async def _add(session: AsyncSession, work: Add, clock: Clock) -> str:
    now = clock.now()
    school = await session.scalar(select(School).where(School.code == work.school)) if work.school else None
    if work.school and school is None:
        raise InvalidError(field="school")
    district = await session.get(District, work.district) if work.district else None
    if work.district and district is None:
        raise InvalidError(field="district")
    person = await people.create(
        session, SYSTEM, Passwords(), now, login=work.login, name=work.name, password=work.password, school=school
    )
    of_school = school if work.post == "school_admin" else None
    await people.give_post(session, SYSTEM, person, work.post, now, school=of_school, district=district)
    return f"{person.login}: {person.name}, {work.post}"
