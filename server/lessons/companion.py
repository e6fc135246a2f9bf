"""Signing in on site: an assistant's phone proves that it stands before the room's screen by the code shown there.

Codes are HMAC(secret, lesson|room|minute): they change every minute, nothing is stored, the last one still holds.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import service as accounts
from server.clock import from_ms, to_ms
from server.errors import ConflictError, InvalidError, NotFoundError
from server.lessons import store
from server.lessons.models import Lesson, Receipt
from server.scope import SYSTEM, Scope

MINUTE_MS = 60_000
SIGN_IN_EARLY = timedelta(minutes=30)
AFTER_END = timedelta(minutes=30)


def _at(secret: bytes, lesson: str, room: str, minute: int) -> str:
    digest = hmac.digest(secret, f"companion|{lesson}|{room}|{minute}".encode(), "sha256")
    return f"{int.from_bytes(digest[:8]) % 10**6:06d}"


def code_of(secret: bytes, lesson: str, room: str, now: datetime) -> str:
    return _at(secret, lesson, room, to_ms(now) // MINUTE_MS)


def code_until(now: datetime) -> datetime:
    """When the screen changes to the next code."""
    return from_ms((to_ms(now) // MINUTE_MS + 1) * MINUTE_MS)


def room_by_code(secret: bytes, lesson: Lesson, code: str, now: datetime) -> Receipt | None:
    """The receiving room whose screen shows this code now or showed it a minute ago. Looks at all of them, always."""
    minute = to_ms(now) // MINUTE_MS
    found = None
    for receipt in lesson.receipts:
        for when in (minute, minute - 1):
            if hmac.compare_digest(_at(secret, lesson.id, receipt.room_id, when), code):
                found = receipt
    return found


def open_for_sign_in(lesson: Lesson, now: datetime) -> bool:
    if lesson.state == "live":
        return True
    in_time = lesson.starts_at - SIGN_IN_EARLY <= now <= lesson.ends_at
    return lesson.state in ("published", "waiting") and in_time


async def public_lesson(session: AsyncSession, lesson_id: str) -> Lesson:
    """The lesson a stranger's phone names; it gets to see the title, as everybody does."""
    lesson = await store.lesson(session, SYSTEM, lesson_id)
    if lesson is None:
        raise NotFoundError
    return lesson


async def sign_in(
    session: AsyncSession, scope: Scope, lesson: Lesson, code: str, secret: bytes, now: datetime, user_agent: str
) -> tuple[Receipt, str, timedelta]:
    """The room the phone speaks for from now on, the token of its cookie, and how long that lasts."""
    if not open_for_sign_in(lesson, now):
        raise ConflictError("companion_closed", minutes=int(SIGN_IN_EARLY.total_seconds()) // 60)
    receipt = room_by_code(secret, lesson, code, now)
    if receipt is None:
        raise InvalidError("companion_code")
    lifetime = max(lesson.ends_at, now) + AFTER_END - now
    token = await accounts.open_session(
        session,
        now,
        lifetime,
        kind="companion",
        person=scope.person,
        lesson=lesson.id,
        room=receipt.room_id,
        user_agent=user_agent,
    )
    return receipt, token, lifetime
