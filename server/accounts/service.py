"""Signing in and out, who a request speaks for, passwords. Every sign-in is a row that can be listed and revoked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import cast, get_args

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import store
from server.accounts.models import Person, PostHeld, SignIn
from server.accounts.schemas import SignInSeen
from server.audit.watch import acting
from server.clock import city_date
from server.database import Database
from server.errors import ForbiddenError, InvalidError, NotFoundError, SignInNeededError
from server.rates import Rates
from server.scope import SYSTEM, Held, Post, Scope
from server.security import MIN_PASSWORD_CHARS, Passwords, new_token, token_hash

TOUCH_AFTER = timedelta(minutes=5)  # a sign-in's use is written down this often, not with every request
ID_CHARS = 16

POSTS: tuple[Post, ...] = get_args(Post)
READING: frozenset[str] = frozenset({"inspector", "evaluator", "area_head", "certifier"})
OF_SCHOOL: frozenset[str] = frozenset({"school_admin", "dean", "technician"})
"""Posts of a school: of the one they name, else of the one where the person works."""
REACHING: frozenset[str] = frozenset({"district_admin", "city_admin"}) | OF_SCHOOL | READING


@dataclass(frozen=True, slots=True)
class Identity:
    """What the cookies of one request add up to."""

    scope: Scope
    name: str | None
    locale: str | None
    sign_in: str | None
    """SHA-256 of the person's session token: which of my sign-ins is this one."""


# --- scope ------------------------------------------------------------------------------------------------------------


def held_posts(person: Person, today: date) -> list[PostHeld]:
    return [
        p
        for p in person.posts
        if p.post in POSTS and p.starts_on <= today and (p.ends_on is None or today <= p.ends_on)
    ]


def scope_of(person: Person, today: date) -> Scope:
    """The scope of a person's posts today. A ``Scope`` has one reach for reading and writing: who administers a part
    and inspects a larger one gets the smaller reach only; nobody may change what they were given to look at."""
    if person.password_given:
        return Scope(person=person.id, password_given=True)
    held = held_posts(person, today)
    if any(p.post in REACHING - READING for p in held):
        held = [p for p in held if p.post not in READING]
    places = frozenset(_place(person, p) for p in held)
    reaching = [one for one in places if one.post in REACHING]
    return Scope(
        person=person.id,
        school=person.school_id,
        posts=frozenset(one.post for one in places),
        city=any(one.city for one in reaching),
        districts=frozenset(one.district for one in reaching if one.district),
        schools=frozenset(one.school for one in reaching if one.school),
        studios=frozenset(one.studio for one in places if one.studio),
        readonly=bool(reaching) and all(one.post in READING for one in reaching),
        held=places,
    )


def _place(person: Person, post: PostHeld) -> Held:
    name = cast(Post, post.post)
    if name in OF_SCHOOL:
        return Held(name, school=post.school_id or person.school_id)
    if name not in REACHING:
        return Held(name, studio=post.studio_id)
    whole = name == "city_admin" or (name in READING and not (post.district_id or post.school_id))
    return Held(name, city=whole, district=post.district_id, school=post.school_id)


async def identify(database: Database, tokens: list[str], now: datetime, session_hours: int) -> Identity | None:
    """The scope that these cookies' tokens open together; None when none of them is good."""
    hashes = [token_hash(token) for token in tokens]
    async with database.reading() as session:
        rows = await store.open_sign_ins(session, SYSTEM, hashes, now)
        identity = await _merge(session, rows, now)
    stale = [row.token_sha256 for row, _ in rows if now - row.seen_at > TOUCH_AFTER]
    if stale:
        async with database.transaction() as session:
            await store.touch(session, SYSTEM, stale, now, now + timedelta(hours=session_hours))
    return identity


async def _merge(session: AsyncSession, rows: list[tuple[SignIn, Person | None]], now: datetime) -> Identity | None:
    scope, name, locale, sign_in = Scope(), None, None, None
    device, lesson, rooms = None, None, set[str]()
    for row, person in rows:
        if row.kind == "person":
            if person is None or person.disabled_at is not None:
                continue
            scope, name, locale = scope_of(person, city_date(now)), person.name, person.locale
            sign_in = row.token_sha256
        elif row.kind == "device" and row.device_id:
            bound = await store.device(session, SYSTEM, row.device_id)
            if bound is not None and bound.revoked_at is None:
                device = bound.id
                rooms |= {bound.room_id} if bound.room_id else set()
        elif row.kind == "companion" and row.lesson_id and row.room_id:
            lesson = row.lesson_id
            rooms.add(row.room_id)
    if scope.person is None and device is None and lesson is None:
        return None
    merged = Scope(
        person=scope.person,
        school=scope.school,
        posts=scope.posts,
        city=scope.city,
        districts=scope.districts,
        schools=scope.schools,
        rooms=frozenset(rooms),
        lesson=lesson,
        device=device,
        readonly=scope.readonly,
        studios=scope.studios,
        held=scope.held,
        password_given=scope.password_given,
    )
    return Identity(merged, name, locale, sign_in)


# --- signing in and out -----------------------------------------------------------------------------------------------


async def open_session(
    session: AsyncSession,
    now: datetime,
    lifetime: timedelta,
    *,
    kind: str,
    person: str | None = None,
    device: str | None = None,
    lesson: str | None = None,
    room: str | None = None,
    user_agent: str = "",
) -> str:
    """A new sign-in row; returns the token for the cookie, which is kept nowhere."""
    token = new_token()
    row = SignIn(
        token_sha256=token_hash(token),
        kind=kind,
        person_id=person,
        device_id=device,
        lesson_id=lesson,
        room_id=room,
        created_at=now,
        seen_at=now,
        expires_at=now + lifetime,
        user_agent=user_agent[:200],
    )
    await store.add_sign_in(session, SYSTEM, row)
    return token


LOCK_AFTER = 10
"""Wrong passwords in a row. Rates already let nobody try faster than thirty an hour."""
LOCK = timedelta(minutes=15)
"""Long enough for a guesser, short enough for a teacher before the bell; a new password opens at once."""


async def check_password(
    database: Database, passwords: Passwords, rates: Rates, login: str, password: str, address: str, now: datetime
) -> Person:
    """The person whose name and password these are. Counted before looking, so that guessing is slow for every name."""
    name = login.strip().lower()
    await rates.hit("login", name, address)
    await rates.hit("login_account", name)
    async with database.reading() as session:
        person = await store.person_by_login(session, SYSTEM, name)
    if person is not None and person.locked_at is not None and now - person.locked_at < LOCK:
        raise InvalidError("locked", minutes=LOCK.seconds // 60)
    good = await passwords.verify(person.password_hash if person else None, password)
    if not good or person is None or person.disabled_at is not None:
        if person is not None:
            await _count_failure(database, person.id, now, address)
        raise InvalidError("wrong_password")
    await rates.forget("login", name, address)
    await rates.forget("login_account", name)
    return person


async def _count_failure(database: Database, person_id: str, now: datetime, address: str) -> None:
    async with database.transaction() as session:
        acting(session, Scope(), address)
        person = await store.person(session, SYSTEM, person_id)
        if person is not None:
            person.failures += 1
            if person.failures % LOCK_AFTER == 0:
                person.locked_at = now


async def sign_out(session: AsyncSession, scope: Scope, sign_in: str | None, now: datetime) -> None:
    if sign_in is not None:
        await store.revoke(session, scope, now, prefix=sign_in)


async def sign_out_everywhere(session: AsyncSession, scope: Scope, now: datetime, keep: str | None = None) -> int:
    return await store.revoke(session, scope, now, keep=keep)


async def my_sign_ins(session: AsyncSession, scope: Scope, sign_in: str | None, now: datetime) -> list[SignInSeen]:
    return [
        SignInSeen(
            id=row.token_sha256[:ID_CHARS],
            current=row.token_sha256 == sign_in,
            created_at=row.created_at,
            seen_at=row.seen_at,
            expires_at=row.expires_at,
            user_agent=row.user_agent,
        )
        for row in await store.my_sign_ins(session, scope, now)
    ]


async def revoke_sign_in(session: AsyncSession, scope: Scope, sign_in_id: str, now: datetime) -> None:
    if len(sign_in_id) != ID_CHARS or not await store.revoke(session, scope, now, prefix=sign_in_id):
        raise NotFoundError


async def me(session: AsyncSession, scope: Scope) -> Person:
    if scope.person is None:
        raise SignInNeededError
    person = await store.person(session, scope, scope.person)
    if person is None:
        raise SignInNeededError
    return person


def check_new_password(person: Person, password: str) -> None:
    if len(password) < MIN_PASSWORD_CHARS:
        raise InvalidError("password_short", least=MIN_PASSWORD_CHARS)
    if password.strip().lower() in {person.login, person.name, "12345678", "password", person.phone or ""}:
        raise InvalidError("password_plain")


async def change_password(
    session: AsyncSession,
    scope: Scope,
    passwords: Passwords,
    current: str,
    new: str,
    sign_in: str | None,
    now: datetime,
) -> None:
    """Ends every other sign-in: whoever else knew the old password is out."""
    person = await me(session, scope)
    if person.demo:
        raise ForbiddenError("demo_account")
    if not await passwords.verify(person.password_hash, current):
        raise InvalidError("wrong_password")
    check_new_password(person, new)
    if new == current:
        raise InvalidError("password_same")
    person.password_hash, person.password_given = await passwords.hash(new), False
    await sign_out_everywhere(session, scope, now, keep=sign_in)
