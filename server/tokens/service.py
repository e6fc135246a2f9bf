"""Rules of machine tokens: who may make one, what it opens, when it stops by itself.

A token reads what an evaluator of its place reads: no pupil, no picture, and it changes nothing. It
holds only while whoever made it still administers the place.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import store as accounts
from server.accounts.service import scope_of
from server.clock import city_date
from server.database import Database
from server.errors import ConflictError, ForbiddenError, NotFoundError
from server.ids import new_id
from server.schools import places
from server.scope import SYSTEM, Held, Scope, allows
from server.security import token_hash
from server.tokens import store
from server.tokens.models import MachineToken
from server.tokens.schemas import MOST_TOKENS, TokenBody

PREFIX = "tt-"
TOUCH_AFTER = timedelta(minutes=5)

_NOUNS = (
    "districts|schools|rooms|classes|people|pairings|groups|gaps|classrooms|terms|calendar|lessons|invitations|notices|"
    "demands|studios|indicators"
)
READABLE = re.compile(
    rf"^/api/v1/(openapi\.json|({_NOUNS})(/[^/]+)?|schools/[^/]+/(rooms|pairings|bells|history|settlements|enrolments)|lessons/[^/]+/changes|"
    r"classrooms/[^/]+/progress|spans(/[^/]+)?|reports/[^/]+/[^/]+)$"
)
"""The city's objects and figures; no recording, no slide, no seat."""


def is_token(text: str) -> bool:
    return text.startswith(PREFIX)


async def mine(session: AsyncSession, scope: Scope) -> list[MachineToken]:
    if not allows(scope, "token.write"):
        raise ForbiddenError
    return await places.writable(session, scope, "token.write", await store.tokens(session, scope))


async def make(session: AsyncSession, scope: Scope, body: TokenBody, now: datetime) -> tuple[MachineToken, str]:
    """The row, and the token itself: the only moment anybody sees it."""
    school, district = places.split(body.place)
    if scope.person is None or not allows(scope, "token.write", await places.part(session, scope, school, district)):
        raise ForbiddenError
    if await store.at_place(session, SYSTEM, school, district, now) >= MOST_TOKENS:
        raise ConflictError("token_many", most=MOST_TOKENS)
    shown = PREFIX + secrets.token_urlsafe(32)
    row = MachineToken(
        id=new_id(),
        name=body.name,
        token_sha256=token_hash(shown),
        school_id=school,
        district_id=district,
        made_by=scope.person,
        created_at=now,
        expires_at=now + timedelta(days=body.days),
    )
    await store.add(session, scope, row)
    return row, shown


async def revoke(session: AsyncSession, scope: Scope, token_id: str, now: datetime) -> None:
    if not allows(scope, "token.write"):
        raise ForbiddenError
    row = await store.token(session, scope, token_id)
    if row is None:
        raise NotFoundError
    if not allows(scope, "token.write", await places.part(session, scope, row.school_id, row.district_id)):
        raise ForbiddenError
    row.revoked_at = now


# --- reading with one -------------------------------------------------------------------------------------------------


async def opens(database: Database, shown: str, now: datetime) -> Scope | None:
    """The scope that a token opens today; None for one that is wrong, revoked, run out, or whose maker has left."""
    async with database.reading() as session:
        row = await store.by_hash(session, SYSTEM, token_hash(shown), now)
        scope = await _scope(session, row, now) if row else None
    if row is not None and scope is not None and (row.seen_at is None or now - row.seen_at > TOUCH_AFTER):
        async with database.transaction() as session:
            await store.touch(session, SYSTEM, row.id, now)
    return scope


async def _scope(session: AsyncSession, row: MachineToken, now: datetime) -> Scope | None:
    maker = await accounts.person(session, SYSTEM, row.made_by)
    if maker is None or maker.disabled_at is not None:
        return None
    part = await places.part(session, SYSTEM, row.school_id, row.district_id)
    if not allows(scope_of(maker, city_date(now)), "token.write", part):
        return None
    city = row.school_id is None and row.district_id is None
    place = Held("evaluator", city=city, district=row.district_id, school=row.school_id)
    return Scope(
        posts=frozenset({"evaluator"}),
        city=city,
        districts=frozenset({row.district_id} - {None}),  # type: ignore[arg-type]
        schools=frozenset({row.school_id} - {None}),  # type: ignore[arg-type]
        held=frozenset({place}),
        readonly=True,
        token=row.id,
    )
