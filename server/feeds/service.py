"""Making and revoking secret calendar addresses; what stands in them."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import ForbiddenError, InvalidError, NotFoundError
from server.feeds import store
from server.feeds.models import Feed
from server.ids import new_id
from server.lessons import store as lessons
from server.lessons.models import Lesson
from server.schools.service import part_of
from server.scope import SYSTEM, Scope, allows
from server.studios.activities import store as activities
from server.studios.activities.models import Activity

BACK = timedelta(days=60)
AHEAD = timedelta(days=240)
"""A term and what is left of the one before."""


def hashed(secret: str) -> str:
    return hashlib.sha256(f"feed|{secret}".encode()).hexdigest()


async def standing(session: AsyncSession, scope: Scope, room_id: str | None) -> list[Feed]:
    """The address in use of the asker's own lessons, or of a room they administer."""
    if scope.person is None:
        raise ForbiddenError
    if room_id is not None:
        room = (await lessons.rooms(session, SYSTEM, [room_id])).get(room_id)
        if room is None or not allows(scope, "room.write", part_of(room.school)):
            raise InvalidError("feed_room", field="room")
    return await store.standing(session, scope, scope.person, room_id)


async def make(session: AsyncSession, scope: Scope, room_id: str | None, now: datetime) -> str:
    """A new secret for the asker's own lessons, or for a room they administer. The old address stops."""
    await revoke(session, scope, room_id, now)
    secret = secrets.token_urlsafe(24)
    row = Feed(
        id=new_id(),
        secret_sha256=hashed(secret),
        person_id=None if room_id else scope.person,
        room_id=room_id,
        created_by=scope.person,
        created_at=now,
    )
    await store.add(session, scope, row)
    return secret


async def revoke(session: AsyncSession, scope: Scope, room_id: str | None, now: datetime) -> None:
    """The address stops at once: of the asker's own feed, or of a room they administer."""
    for row in await standing(session, scope, room_id):
        row.revoked_at = now


async def read(session: AsyncSession, secret: str, now: datetime) -> tuple[list[Lesson], list[Activity]]:
    feed = await store.by_secret(session, SYSTEM, hashed(secret))
    if feed is None:
        raise NotFoundError
    first, last = now - BACK, now + AHEAD
    return (
        await store.lessons(session, SYSTEM, feed, first, last),
        await activities.in_feed(session, SYSTEM, feed, first, last),
    )
