"""SQL of people and sign-ins. Scope: a person reaches their own sign-ins; only ``SYSTEM`` looks people up by login."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import joinedload, selectinload

from server.accounts.models import Person, PostHeld, SignIn
from server.schools.models import Device
from server.scope import Scope

KEPT = timedelta(days=30)


class NotOursError(Exception):
    """A store function meant for our own jobs was called for somebody else: a bug."""


def _system(scope: Scope) -> None:
    if not scope.system:
        raise NotOursError


def held_on(day: date) -> ColumnElement[bool]:
    """A post is held on its last day too (``service.held_posts`` says the same of rows)."""
    return and_(PostHeld.starts_on <= day, or_(PostHeld.ends_on.is_(None), PostHeld.ends_on >= day))


async def person_by_login(session: AsyncSession, scope: Scope, login: str) -> Person | None:
    _system(scope)
    return await session.scalar(select(Person).where(Person.login == login.strip().lower()))


async def person(session: AsyncSession, scope: Scope, person_id: str) -> Person | None:
    if not scope.system and scope.person != person_id:
        return None
    query = select(Person).options(selectinload(Person.posts)).where(Person.id == person_id)
    return await session.scalar(query)


async def person_from_outside(session: AsyncSession, scope: Scope, issuer: str, subject: str) -> Person | None:
    _system(scope)
    query = select(Person).options(selectinload(Person.posts))
    return await session.scalar(query.where(Person.outside_issuer == issuer, Person.outside_subject == subject))


async def people_by(session: AsyncSession, scope: Scope, column: str, value: str) -> list[Person]:
    """Those with this sign-in name, or this telephone number; two are enough to know that it is not one."""
    _system(scope)
    held = Person.phone == value if column == "phone" else Person.login == value.lower()
    query = select(Person).options(selectinload(Person.posts)).where(held, Person.disabled_at.is_(None))
    return list(await session.scalars(query.limit(2)))


async def add_post(session: AsyncSession, scope: Scope, row: PostHeld) -> None:
    _system(scope)
    session.add(row)
    await session.flush()


async def has_demo(session: AsyncSession, scope: Scope) -> bool:
    _system(scope)
    return bool(await session.scalar(select(exists().where(Person.demo))))


async def demo_people(session: AsyncSession, scope: Scope, logins: Sequence[str]) -> list[Person]:
    _system(scope)
    found = await session.scalars(
        select(Person).where(Person.demo, Person.login.in_(logins), Person.disabled_at.is_(None))
    )
    return sorted(found, key=lambda one: logins.index(one.login))


async def open_sign_ins(
    session: AsyncSession, scope: Scope, hashes: Sequence[str], now: datetime
) -> list[tuple[SignIn, Person | None]]:
    """With the person and their posts in one statement: every request asks this first."""
    _system(scope)
    query = select(SignIn, Person).outerjoin(Person, Person.id == SignIn.person_id).options(joinedload(Person.posts))
    query = query.where(SignIn.token_sha256.in_(hashes), SignIn.revoked_at.is_(None), SignIn.expires_at > now)
    return [(row[0], row[1]) for row in (await session.execute(query)).unique()]


async def device(session: AsyncSession, scope: Scope, device_id: str) -> Device | None:
    _system(scope)
    return await session.get(Device, device_id)


async def my_sign_ins(session: AsyncSession, scope: Scope, now: datetime) -> list[SignIn]:
    query = (
        select(SignIn)
        .where(SignIn.person_id == scope.person, SignIn.kind == "person", SignIn.person_id.is_not(None))
        .where(SignIn.revoked_at.is_(None), SignIn.expires_at > now)
        .order_by(SignIn.seen_at.desc())
    )
    return list(await session.scalars(query))


async def add_sign_in(session: AsyncSession, scope: Scope, row: SignIn) -> None:
    _system(scope)
    session.add(row)
    await session.flush()


async def touch(
    session: AsyncSession, scope: Scope, hashes: Sequence[str], now: datetime, expires_at: datetime
) -> None:
    """Mark as used. Devices and companions keep the end they were given."""
    _system(scope)
    mine = SignIn.token_sha256.in_(hashes)
    await session.execute(update(SignIn).where(mine).values(seen_at=now))
    await session.execute(update(SignIn).where(mine, SignIn.kind == "person").values(expires_at=expires_at))


async def revoke(
    session: AsyncSession, scope: Scope, now: datetime, *, prefix: str | None = None, keep: str | None = None
) -> int:
    """Revoke the asker's own sign-ins: one by its hash's beginning, or all but ``keep``."""
    query = update(SignIn).where(
        SignIn.person_id == scope.person, SignIn.person_id.is_not(None), SignIn.revoked_at.is_(None)
    )
    if prefix is not None:
        query = query.where(SignIn.token_sha256.startswith(prefix, autoescape=True))
    if keep is not None:
        query = query.where(SignIn.token_sha256 != keep)
    done = await session.execute(query.values(revoked_at=now).execution_options(synchronize_session=False))
    return int(getattr(done, "rowcount", 0))


async def revoke_of(
    session: AsyncSession, scope: Scope, now: datetime, *, person_id: str = "", device_id: str = ""
) -> None:
    """Throw a person or a device out everywhere; the caller has checked the right to do so."""
    _system(scope)
    whose = or_(
        (SignIn.person_id == person_id) if person_id else SignIn.token_sha256.is_(None),
        (SignIn.device_id == device_id) if device_id else SignIn.token_sha256.is_(None),
    )
    await session.execute(
        update(SignIn)
        .where(whose, SignIn.revoked_at.is_(None))
        .values(revoked_at=now)
        .execution_options(synchronize_session=False)
    )


async def forget_expired(session: AsyncSession, scope: Scope, now: datetime) -> None:
    """Sign-ins that ended a month ago leave the list for good."""
    _system(scope)
    old = delete(SignIn).where(or_(SignIn.expires_at < now - KEPT, SignIn.revoked_at < now - KEPT))
    await session.execute(old.execution_options(synchronize_session=False))
