"""Rules of people administration. Rule: nobody gives a post, or touches an account, above their own reach.

Whoever resets a password can sign in as that person: so a person may be managed only by one who could have given them
every post they hold or will hold.
"""

from __future__ import annotations

import secrets
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import store as accounts
from server.accounts.admin import store
from server.accounts.admin.moving import move
from server.accounts.admin.schemas import PersonBody, PersonCreate, PersonEdit, PostBody
from server.accounts.models import Person, PostHeld
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.schools import history
from server.schools import store as schools
from server.scope import SYSTEM, Part, Post, Scope, allows
from server.security import Passwords

_BY_SCHOOL: tuple[Post, ...] = ("teacher", "assistant", "class_teacher", "dean", "technician", "pupil")
_BY_DISTRICT: tuple[Post, ...] = (
    *_BY_SCHOOL,
    "studio_host",
    "studio_member",
    "school_admin",
    "inspector",
    "area_head",
    "certifier",
)
_BY_CITY: tuple[Post, ...] = (*_BY_DISTRICT, "district_admin", "city_admin", "evaluator")

GIVES: dict[Post, tuple[Post, ...]] = {
    "school_admin": _BY_SCHOOL,
    "district_admin": _BY_DISTRICT,
    "city_admin": _BY_CITY,
}
"""Which posts each administrator gives."""

OF_STUDIO: frozenset[Post] = frozenset({"studio_host", "studio_member"})
"""Posts that follow from a studio: they are given and ended with its host and members (``studios.admin``)."""
OF_SCHOOL: frozenset[Post] = frozenset({"school_admin"})
OF_DISTRICT: frozenset[Post] = frozenset({"district_admin"})
"""Posts that say of what: without it they would reach nothing."""
WHOLE_CITY: frozenset[Post] = frozenset({"inspector", "evaluator", "area_head", "certifier"})
"""Posts that read the whole city when they do not say of what."""

# No letter or digit that a teacher would mistake for another when it is read out over the telephone.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def one_time_password() -> str:
    """Ten letters in two groups: 49 random bits, enough for a name that is locked after a few guesses."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"{letters[:5]}-{letters[5:]}"


def posts_given(scope: Scope) -> list[Post]:
    """Posts the asker may give, in the table's order."""
    if scope.system:
        return list(_BY_CITY)
    mine = {given for post, posts in GIVES.items() if scope.has(post) for given in posts}
    return [post for post in _BY_CITY if post in mine]


def posts_offered(scope: Scope) -> list[Post]:
    """Those a form about people offers."""
    return [post for post in posts_given(scope) if post not in OF_STUDIO]


async def _reach(session: AsyncSession, scope: Scope, person: Person, post: PostHeld | PostBody) -> list[Part]:
    """The parts of the city a post reaches: what it is of, else where the person works."""
    parts = [Part(district=post.district_id)] if post.district_id is not None else []
    if post.school_id is not None or not parts:
        found = await schools.school_of_city(session, SYSTEM, post.school_id or person.school_id or "")
        parts.append(Part(school=found.id, district=found.supervised_by) if found else Part())
    return parts


async def may_give(session: AsyncSession, scope: Scope, person: Person, post: PostHeld | PostBody) -> bool:
    if post.post not in posts_given(scope):
        return False
    if scope.city or scope.system:
        return True
    if post.post in WHOLE_CITY and post.school_id is None and post.district_id is None:
        return False
    return all(allows(scope, "person.write", part) for part in await _reach(session, scope, person, post))


async def may_manage(session: AsyncSession, scope: Scope, person: Person, today: date) -> bool:
    """Whether every post of today and later is one the asker could give. Oneself is managed by others."""
    if scope.readonly or person.id == scope.person or not allows(scope, "person.write"):
        return False
    open_posts = [post for post in person.posts if post.ends_on is None or post.ends_on >= today]
    if not open_posts and not (scope.city or scope.system):
        return person.school_id is not None and await store.school(session, scope, person.school_id) is not None
    return all([await may_give(session, scope, person, post) for post in open_posts])


STANDS = ("teacher", "assistant")
"""Posts by which somebody stands in a lesson."""


def stands_until(person: Person, today: date) -> date | None:
    """The first day on which they lead and assist no more: disabled, or no such post is left. None: no such day."""
    if person.disabled_at is not None:
        return today
    ends = [post.ends_on for post in person.posts if post.post in STANDS]
    return None if None in ends else max([today, *(one + timedelta(days=1) for one in ends if one)])


async def get(session: AsyncSession, scope: Scope, person_id: str) -> Person:
    person = await store.person(session, scope, person_id)
    if person is None:
        raise NotFoundError
    return person


async def managed(session: AsyncSession, scope: Scope, person_id: str, now: datetime) -> Person:
    person = await get(session, scope, person_id)
    if not await may_manage(session, scope, person, city_date(now)):
        raise ForbiddenError("person_above")
    return person


# --- people -----------------------------------------------------------------------------------------------------------


async def create(
    session: AsyncSession, scope: Scope, body: PersonCreate, passwords: Passwords, now: datetime
) -> tuple[Person, str]:
    """A person with a first post and a password that is shown once."""
    if not allows(scope, "person.write"):
        raise ForbiddenError
    if body.school_id is not None and await store.school(session, scope, body.school_id) is None:
        raise InvalidError("person_school", field="school_id")
    if body.school_id is None and not (scope.city or scope.districts):
        raise InvalidError("person_school", field="school_id")
    if await store.login_taken(session, scope, body.login):
        raise InvalidError("person_login_taken", field="login")
    plain = PersonBody(**body.model_dump(include=set(PersonBody.model_fields)))
    person = Person(id=new_id(), created_at=now, locale="zh-CN", posts=[], **plain.model_dump())
    post = PostBody(
        post=body.post,
        school_id=body.school_id if body.post in OF_SCHOOL else None,
        district_id=body.district_id,
        starts_on=city_date(now),
    )
    await _check_post(session, scope, person, post)
    password = one_time_password()
    person.password_hash, person.password_given = await passwords.hash(password), True
    await store.add(session, scope, person)
    await _hold(session, scope, person, post)
    return person, password


async def edit(session: AsyncSession, scope: Scope, person_id: str, body: PersonEdit, now: datetime) -> Person:
    person = await managed(session, scope, person_id, now)
    today, moves = city_date(now), body.school_id not in (None, person.school_id)
    if (moves or body.subject != person.subject) and city_date(person.created_at) < today:
        names = ("school_id", "subject")
        await history.keep(session, scope, "person", person, names, today, now, school_id=person.school_id)
    if moves and body.school_id is not None:
        await move(session, scope, person, body.school_id, now)
    person.name, person.phone, person.subject = body.name, body.phone, body.subject
    await session.flush()
    return person


async def reset_password(
    session: AsyncSession, scope: Scope, person_id: str, passwords: Passwords, now: datetime
) -> tuple[Person, str]:
    """A new one-time password; every sign-in of the person ends."""
    person = await managed(session, scope, person_id, now)
    if person.demo:
        raise ForbiddenError("demo_account")
    password = one_time_password()
    person.password_hash, person.password_given = await passwords.hash(password), True
    person.failures, person.locked_at = 0, None
    await accounts.revoke_of(session, SYSTEM, now, person_id=person.id)
    return person, password


async def disable(session: AsyncSession, scope: Scope, person_id: str, now: datetime) -> None:
    person = await managed(session, scope, person_id, now)
    person.disabled_at = person.disabled_at or now
    await accounts.revoke_of(session, SYSTEM, now, person_id=person.id)


async def enable(session: AsyncSession, scope: Scope, person_id: str, now: datetime) -> None:
    person = await managed(session, scope, person_id, now)
    person.disabled_at = None


# --- posts ------------------------------------------------------------------------------------------------------------


async def _check_post(session: AsyncSession, scope: Scope, person: Person, body: PostBody) -> None:
    if body.post in OF_SCHOOL and body.school_id is None:
        raise InvalidError("post_school", field="school_id")
    if body.post in OF_DISTRICT and body.district_id is None:
        raise InvalidError("post_district", field="district_id")
    if body.post in WHOLE_CITY and not (body.school_id or body.district_id or scope.city or scope.system):
        raise InvalidError("post_district", field="district_id")
    if body.post in ("teacher", "assistant", "pupil") and person.school_id is None:
        raise InvalidError("person_school", field="school_id")
    if body.ends_on is not None and body.ends_on < body.starts_on:
        raise InvalidError("post_dates", field="ends_on")
    if not await may_give(session, scope, person, body):
        raise InvalidError("post_above", field="post")
    if body.post in OF_STUDIO:
        raise InvalidError("post_studio", field="post")


async def _hold(session: AsyncSession, scope: Scope, person: Person, body: PostBody) -> PostHeld:
    row = PostHeld(id=new_id(), person_id=person.id, **body.model_dump())
    await store.add(session, scope, row)
    await session.refresh(person, ["posts"])
    return row


async def give_post(session: AsyncSession, scope: Scope, person_id: str, body: PostBody, now: datetime) -> PostHeld:
    person = await managed(session, scope, person_id, now)
    await _check_post(session, scope, person, body)
    for held in person.posts:
        same = (held.post, held.school_id, held.district_id) == (body.post, body.school_id, body.district_id)
        if same and (held.ends_on is None or held.ends_on >= body.starts_on):
            raise ConflictError("post_twice", field="post")
    history.not_closed(body.starts_on, city_date(now), entered=person.created_at)
    return await _hold(session, scope, person, body)


async def end_post(
    session: AsyncSession, scope: Scope, person_id: str, post_id: str, ends_on: date, now: datetime
) -> None:
    """A post ends; it is never deleted: what was done under it stays explained. No month that is over loses one."""
    person = await managed(session, scope, person_id, now)
    row = next((post for post in person.posts if post.id == post_id), None)
    if row is None:
        raise NotFoundError
    if row.studio_id is not None:
        raise InvalidError("post_studio", field="post")
    if ends_on < row.starts_on:
        raise InvalidError("post_dates", field="ends_on")
    closed = city_date(now).replace(day=1)
    before = closed - timedelta(days=1)  # the last day is part of a post
    if ends_on < before or (row.ends_on is not None and row.ends_on < before):
        raise InvalidError("effective_closed", field="ends_on", date=closed.isoformat())
    row.ends_on = ends_on
    await session.flush()
