"""Giving a code, entering with it, taking it back. It holds for one lesson, one teacher, one computer, until the end.

Who came in by a code is a stranger everywhere but on that lesson's teaching page (``OPENS``): what else the teacher may
do with a password, a code read out over the telephone does not open.
"""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import service as accounts
from server.accounts.service import Identity
from server.audit import store as audit
from server.audit.watch import Actor, entry_of
from server.database import Database
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.lessons import service, store
from server.lessons.changes import store as changes
from server.lessons.codes import store as codes
from server.lessons.lifecycle import OPEN
from server.lessons.models import Lesson, LessonChange, LessonCode
from server.notices import service as notices
from server.scope import SYSTEM, Scope
from server.security import token_hash

DIGITS = 8
"""Read out over a telephone and typed at a strange keyboard; one of 10^8, and it lives an hour."""
EARLY = timedelta(minutes=15)
"""Opens so long before the bell, as long as its computer needs for its tests."""
GIVEN_AHEAD = timedelta(hours=12)
"""Given out on the day itself: who has days to go gets a new password."""
OVERTIME = timedelta(minutes=10)
"""A lesson that runs over is not cut off by a page that is loaded again."""
TRIES = 4
OPENS = re.compile(
    r"GET /live/(?P<page>[0-9a-z]+)/teach|POST /api/v1/lessons/(?P<seat>[0-9a-z]+)/seat"
    r"|GET /api/v1/lessons/(?P<decks>[0-9a-z]+)/decks(/[0-9a-z]+(/[0-9]+\.webp)?)?"
)
"""All that a code opens: the page, its seat, its slides."""


def lesson_of(request: str) -> str | None:
    """The lesson whose teaching page needs this request ("GET /path"); None for all that a code does not open."""
    found = OPENS.fullmatch(request)
    return next((one for one in found.group("page", "seat", "decks") if one), None) if found else None


def digest(secret: bytes, code: str) -> str:
    """Keyed: eight digits alone are guessed from a plain hash in a second."""
    return hmac.digest(secret, f"lesson|{code}".encode(), "sha256").hex()


def plain(typed: str) -> str:
    """As typed, with spaces or dashes between."""
    return re.sub(r"[\s-]", "", typed)


def may_give(scope: Scope, lesson: Lesson) -> bool:
    return service.may(scope, "lesson.code", lesson) and not scope.readonly


def open_until(lesson: Lesson) -> datetime:
    return lesson.ends_at + OVERTIME


# --- giving and taking back -------------------------------------------------------------------------------------------


async def give(
    session: AsyncSession, scope: Scope, lesson_id: str, secret: bytes, now: datetime
) -> tuple[Lesson, str, bool]:
    """(lesson, code, whether an older code had been used: then its computer must be thrown out).

    Any older code of the lesson stops."""
    lesson = await _for_giving(session, scope, lesson_id, now)
    used = await _revoke(session, scope, lesson, now)
    code = await _new(session, scope, lesson, secret, now)
    await _note(session, scope, lesson, "code", now)
    words = {"title": lesson.title, "starts_at": lesson.starts_at.isoformat()}
    await notices.tell(session, scope, [lesson.teacher_id], "code", words, f"/lessons/{lesson.id}", now, lesson)
    return lesson, code, used


async def _for_giving(session: AsyncSession, scope: Scope, lesson_id: str, now: datetime) -> Lesson:
    lesson = await store.lesson(session, scope, lesson_id, lock=True)
    if lesson is None:
        raise NotFoundError
    if not may_give(scope, lesson):
        raise ForbiddenError
    if lesson.state not in OPEN or now > lesson.ends_at:
        raise ConflictError("lesson_state", state=lesson.state)
    if now < lesson.starts_at - GIVEN_AHEAD:
        raise ConflictError("code_ahead", hours=int(GIVEN_AHEAD.total_seconds()) // 3600)
    return lesson


async def _new(session: AsyncSession, scope: Scope, lesson: Lesson, secret: bytes, now: datetime) -> str:
    for _ in range(TRIES):
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"
        row = LessonCode(
            id=new_id(),
            lesson_id=lesson.id,
            person_id=lesson.teacher_id,
            code_sha256=digest(secret, code),
            issued_at=now,
            issued_by=scope.person,
        )
        try:
            async with session.begin_nested():
                await codes.add(session, scope, row)
        except IntegrityError:  # a code of long ago: another one
            continue
        return code
    raise ConflictError


async def revoke(session: AsyncSession, scope: Scope, lesson_id: str, now: datetime) -> tuple[Lesson, bool]:
    """Take it back; the flag says whether a computer came in by it."""
    lesson = await store.lesson(session, scope, lesson_id, lock=True)
    if lesson is None:
        raise NotFoundError
    if not may_give(scope, lesson):
        raise ForbiddenError
    if not await codes.standing(session, scope, lesson.id):
        raise ConflictError("code_none")
    used = await _revoke(session, scope, lesson, now)
    await _note(session, scope, lesson, "code_revoked", now)
    return lesson, used


async def _revoke(session: AsyncSession, scope: Scope, lesson: Lesson, now: datetime) -> bool:
    used = False
    for row in await codes.standing(session, SYSTEM, lesson.id):
        row.revoked_at, row.revoked_by = now, scope.person
        used = used or row.opened_at is not None
    await session.flush()
    return used


async def _note(session: AsyncSession, scope: Scope, lesson: Lesson, kind: str, now: datetime, name: str = "") -> None:
    """A line of the lesson's history. The plan has not changed: its number stays, nobody's calendar hears of it."""
    if not name and scope.person:
        person = await store.person(session, SYSTEM, scope.person)
        name = person.name if person else ""
    row = LessonChange(
        id=new_id(),
        batch=new_id(),
        lesson_id=lesson.id,
        kind=kind,
        at=now,
        by=scope.person,
        by_name=name,
        note="",
        before={},
        after={},
    )
    await changes.add(session, scope, row)


# --- entering ---------------------------------------------------------------------------------------------------------


async def enter(
    session: AsyncSession, typed: str, secret: bytes, now: datetime, address: str, user_agent: str
) -> tuple[Lesson, str, timedelta]:
    """The lesson, the token of the computer's cookie, and how long it lasts. The code is spent."""
    row = await codes.by_digest(session, SYSTEM, digest(secret, plain(typed)))
    lesson = await store.lesson(session, SYSTEM, row.lesson_id) if row else None
    if row is None or lesson is None or lesson.teacher_id != row.person_id or lesson.teacher.disabled_at is not None:
        raise InvalidError("code_wrong", field="code")
    if lesson.state not in OPEN or now > lesson.ends_at:
        raise ConflictError("code_over")
    if now < lesson.starts_at - EARLY:
        raise ConflictError("code_early", minutes=int(EARLY.total_seconds()) // 60)
    if row.opened_at is not None:
        raise ConflictError("code_used")
    row.opened_at = now
    lifetime = open_until(lesson) - now
    token = await accounts.open_session(
        session,
        now,
        lifetime,
        kind="code",
        person=lesson.teacher_id,
        lesson=lesson.id,
        room=row.id,
        user_agent=user_agent,
    )
    actor, place = Actor(lesson.teacher_id, None, address), service.lead_part(lesson.lead_room)
    told = {"lesson": lesson.id}
    entry = entry_of(actor, now, "sign_in", "lesson_code", row.id, told, (place.school, place.district))
    await audit.add(session, SYSTEM, entry)
    await _note(session, Scope(person=lesson.teacher_id), lesson, "code_used", now, lesson.teacher.name)
    return lesson, token, lifetime


async def identify(database: Database, token: str, request: str, now: datetime) -> Identity | None:
    """Who came in by a code, where it opens something; anywhere else they are a stranger."""
    lesson_id = lesson_of(request)
    if lesson_id is None:
        return None
    async with database.reading() as session:
        found = await codes.opened(session, SYSTEM, token_hash(token))
        lesson = await store.lesson(session, SYSTEM, lesson_id) if found else None
    if found is None or lesson is None:
        return None
    sign_in, code = found
    good = sign_in.lesson_id == lesson.id and code.person_id == lesson.teacher_id and now <= open_until(lesson)
    if not good or lesson.teacher.disabled_at is not None:
        return None
    scope = Scope(person=lesson.teacher_id, posts=frozenset({"teacher"}), by_code=True)
    return Identity(scope, lesson.teacher.name, lesson.teacher.locale, None)


def offered(scope: Scope, lesson: Lesson, now: datetime) -> bool:
    """Whether the lesson's page offers to give one now."""
    ahead = lesson.starts_at - GIVEN_AHEAD <= now <= lesson.ends_at
    return ahead and lesson.state in OPEN and not lesson.robots and may_give(scope, lesson)


def seat_of(lesson: Lesson) -> str:
    return f"t-{lesson.teacher_id}"
