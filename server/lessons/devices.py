"""Kiosks: a device shows a code, an administrator binds it to a room, and from then on it opens the right lesson alone.

The code on the screen is derived, not stored: only its hash lies in the database, and every poll can show it again.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import service as accounts
from server.clock import to_ms
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.lessons import store
from server.lessons.companion import SIGN_IN_EARLY, code_of, code_until
from server.lessons.models import Lesson
from server.lessons.schemas import KioskLesson, KioskOut, KioskRoom
from server.lessons.seating import UNDO
from server.lessons.service import lead_part
from server.schools.models import Device, Room
from server.scope import SYSTEM, Scope, allows

CODE_LIFE = timedelta(minutes=10)
DEVICE_LIFE = timedelta(days=400)
"""As long as browsers keep a cookie at most; renewed whenever the kiosk page is opened."""
TAKES_OVER = timedelta(minutes=2)
"""The next lesson takes the screen so long before its bell."""
OVERTIME = timedelta(minutes=30)
LOOK_AHEAD = timedelta(days=7)
TRIES = 8


def _code(secret: bytes, device: str, until: datetime, attempt: int) -> str:
    digest = hmac.digest(secret, f"device|{device}|{to_ms(until)}|{attempt}".encode(), "sha256")
    return f"{int.from_bytes(digest[:8]) % 10**6:06d}"


def code_hash(code: str) -> str:
    return hashlib.sha256(f"device|{code}".encode()).hexdigest()


async def register(session: AsyncSession, now: datetime, user_agent: str) -> str:
    """A device that nobody has bound yet; returns the token of its cookie."""
    device = Device(id=new_id(), created_at=now)
    await store.add(session, SYSTEM, device)
    return await accounts.open_session(
        session, now, DEVICE_LIFE, kind="device", device=device.id, user_agent=user_agent
    )


async def show_code(session: AsyncSession, device: Device, secret: bytes, now: datetime) -> str:
    """The code on the screen; a new one when the old has run out. Two screens never show the same."""
    if device.code_expires_at is not None and device.code_expires_at > now:
        for attempt in range(TRIES):
            code = _code(secret, device.id, device.code_expires_at, attempt)
            if code_hash(code) == device.code_sha256:
                return code
    device.code_expires_at = now + CODE_LIFE
    for attempt in range(TRIES):
        code = _code(secret, device.id, device.code_expires_at, attempt)
        try:
            async with session.begin_nested():
                device.code_sha256 = code_hash(code)
                await session.flush()
        except IntegrityError:
            continue
        return code
    raise ConflictError


async def bind(session: AsyncSession, scope: Scope, code: str, room_id: str, now: datetime) -> Device:
    """An administrator types the code of a screen and names its room."""
    room = (await store.rooms(session, scope, [room_id])).get(room_id)
    if room is None or not allows(scope, "device.bind"):
        raise NotFoundError if room is None else ForbiddenError
    if not allows(scope, "device.bind", lead_part(room)):
        raise NotFoundError
    device = await store.device_by_code(session, SYSTEM, code_hash(code), now)
    if device is None:
        raise InvalidError("device_code")
    device.room_id, device.bound_at, device.bound_by = room.id, now, scope.person
    device.code_sha256 = device.code_expires_at = None
    await session.flush()
    return device


# --- what the screen shows --------------------------------------------------------------------------------------------


def current(lessons: list[Lesson], now: datetime) -> Lesson | None:
    """The lesson that has the screen now: the latest one that has begun to claim it. One that its teacher opened
    early has it at once, but takes it from no other that still runs."""
    claiming = [one for one in lessons if _claims(one, now)]
    return max(claiming, key=lambda one: (one.state == "live", _near(one, now), one.starts_at), default=None)


def _near(lesson: Lesson, now: datetime) -> bool:
    return now >= lesson.starts_at - TAKES_OVER


def _claims(lesson: Lesson, now: datetime) -> bool:
    if lesson.state == "live":
        return now < lesson.ends_at + OVERTIME
    if not _near(lesson, now):
        return False
    if lesson.state == "closed":
        return lesson.closed_at is not None and now < lesson.closed_at + UNDO
    return lesson.state in ("published", "waiting") and now < lesson.ends_at


def upcoming(lessons: list[Lesson], now: datetime) -> Lesson | None:
    later = [one for one in lessons if one.state in ("published", "waiting") and not _near(one, now)]
    return min(later, key=lambda one: one.starts_at, default=None)


def _seen_by(lesson: Lesson, room: str) -> KioskLesson:
    return KioskLesson(
        id=lesson.id,
        title=lesson.title,
        subject=lesson.subject,
        grade=lesson.grade,
        kind=lesson.kind,
        state=lesson.state,
        role="lead" if lesson.lead_room_id == room else "class",
        teacher=lesson.teacher.name,
        school=lesson.lead_room.school.short_name,
        starts_at_ms=to_ms(lesson.starts_at),
        ends_at_ms=to_ms(lesson.ends_at),
        url=f"/live/{lesson.id}/class",
    )


async def kiosk(session: AsyncSession, scope: Scope, secret: bytes, origin: str, now: datetime) -> KioskOut:
    """Everything a kiosk asks every five seconds."""
    device = await store.device(session, SYSTEM, scope.device) if scope.device else None
    if device is None:
        raise NotFoundError
    if device.seen_at is None or now - device.seen_at > timedelta(minutes=1):
        device.seen_at = now
    if device.room_id is None:
        code = await show_code(session, device, secret, now)
        return _waiting(code, to_ms(device.code_expires_at or now), now)
    room = (await store.rooms(session, scope, [device.room_id]))[device.room_id]
    lessons = await store.of_rooms(session, scope, now - OVERTIME - timedelta(hours=4), now + LOOK_AHEAD)
    return _bound(room, current(lessons, now), upcoming(lessons, now), secret, origin, now)


async def sign_in_url(session: AsyncSession, scope: Scope, code: str, origin: str, now: datetime) -> str:
    """What the QR code on the screen says. The code stands behind "#": it reaches no server's log."""
    if scope.device is None:
        raise NotFoundError
    lessons = await store.of_rooms(session, scope, now - OVERTIME - timedelta(hours=4), now + SIGN_IN_EARLY)
    here = current(lessons, now) or upcoming(lessons, now)
    if here is None:
        raise NotFoundError
    return f"{origin}/companion/{here.id}#{code}"


def _waiting(code: str, until_ms: int, now: datetime) -> KioskOut:
    return KioskOut(
        bound=False,
        code=code,
        code_expires_ms=until_ms,
        room=None,
        lesson=None,
        next=None,
        signin_lesson=None,
        signin_code=None,
        signin_expires_ms=None,
        signin_url=None,
        signin_qr=None,
        now_ms=to_ms(now),
    )


def _bound(room: Room, here: Lesson | None, then: Lesson | None, secret: bytes, origin: str, now: datetime) -> KioskOut:
    soon = then if then is not None and now >= then.starts_at - SIGN_IN_EARLY else None
    signing = next((one for one in (here, soon) if one is not None and one.lead_room_id != room.id), None)
    code = code_of(secret, signing.id, room.id, now) if signing else None
    return KioskOut(
        bound=True,
        code=None,
        code_expires_ms=None,
        room=KioskRoom(id=room.id, name=room.name, school=room.school.short_name),
        lesson=_seen_by(here, room.id) if here else None,
        next=_seen_by(then, room.id) if then else None,
        signin_lesson=signing.id if signing else None,
        signin_code=code,
        signin_expires_ms=to_ms(code_until(now)) if signing else None,
        signin_url=f"{origin}/companion/{signing.id}" if signing else None,
        signin_qr=f"/api/v1/kiosk/qr.svg?code={code}" if signing else None,
        now_ms=to_ms(now),
    )
