"""SQL of codes. They are seen by who sees the lesson; what stands in a code nobody sees."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import SignIn
from server.errors import ForbiddenError
from server.lessons import store as lessons
from server.lessons.models import Lesson, LessonCode
from server.scope import Scope


async def add(session: AsyncSession, scope: Scope, row: LessonCode) -> None:
    session.add(row)
    await session.flush()


async def standing(session: AsyncSession, scope: Scope, lesson_id: str) -> list[LessonCode]:
    """Codes of a lesson that have not been revoked, the newest first."""
    query = select(LessonCode).join(Lesson, Lesson.id == LessonCode.lesson_id)
    query = query.where(LessonCode.lesson_id == lesson_id, LessonCode.revoked_at.is_(None), lessons.visible(scope))
    return list(await session.scalars(query.order_by(LessonCode.issued_at.desc(), LessonCode.id)))


async def by_digest(session: AsyncSession, scope: Scope, sha256: str) -> LessonCode | None:
    """Whoever has the code has the row: who types it is nobody yet. Locked, for it opens once."""
    if not scope.system:
        raise ForbiddenError
    query = select(LessonCode).where(LessonCode.code_sha256 == sha256, LessonCode.revoked_at.is_(None))
    return await session.scalar(query.with_for_update())


async def opened(session: AsyncSession, scope: Scope, token_sha256: str) -> tuple[SignIn, LessonCode] | None:
    """The sign-in that a code opened, and the code. ``SignIn.room_id`` holds the code's id: there is no room."""
    if not scope.system:
        raise ForbiddenError
    query = select(SignIn, LessonCode).join(LessonCode, LessonCode.id == SignIn.room_id)
    query = query.where(SignIn.token_sha256 == token_sha256, SignIn.kind == "code", SignIn.revoked_at.is_(None))
    row = (await session.execute(query.where(LessonCode.revoked_at.is_(None)))).first()
    return (row[0], row[1]) if row else None
