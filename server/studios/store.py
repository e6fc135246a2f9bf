"""SQL of famous-teacher studios. They exist to be found by the whole city: every scope sees them; members' lessons
are narrowed by ``server.lessons.store.visible`` like all lessons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.lessons.models import Lesson
from server.lessons.store import visible
from server.paging import Paging
from server.schools.models import School
from server.scope import Scope
from server.studios.models import Studio, StudioMember


@dataclass(frozen=True, slots=True)
class StudioFilter:
    q: str = ""
    subject: str = ""
    phase: str = ""
    district: str = ""


def _filtered(query: Select[Any], wanted: StudioFilter) -> Select[Any]:
    if wanted.subject:
        query = query.where(Studio.subject == wanted.subject)
    if wanted.phase:
        query = query.where(Studio.phase == wanted.phase)
    if wanted.district:
        query = query.where(Studio.school_id.in_(select(School.id).where(School.supervised_by == wanted.district)))
    if wanted.q:
        words = wanted.q.strip()
        hosts = select(Person.id).where(Person.name.contains(words, autoescape=True))
        schools = select(School.id).where(School.name.contains(words, autoescape=True))
        named = Studio.name.contains(words, autoescape=True)
        query = query.where(or_(named, Studio.host_id.in_(hosts), Studio.school_id.in_(schools)))
    return query


async def list_studios(
    session: AsyncSession, scope: Scope, wanted: StudioFilter, page: int, size: int
) -> tuple[list[Studio], Paging]:
    count = await session.scalar(_filtered(select(func.count()).select_from(Studio), wanted))
    paging = Paging(page, count or 0, size)
    query = _filtered(select(Studio), wanted).order_by(Studio.phase.desc(), Studio.subject, Studio.name)
    return list((await session.scalars(query.offset(paging.offset).limit(size))).unique()), paging


async def studio(session: AsyncSession, scope: Scope, studio_id: str) -> Studio | None:
    return await session.get(Studio, studio_id)


async def subjects(session: AsyncSession, scope: Scope) -> list[str]:
    return list(await session.scalars(select(Studio.subject).distinct().order_by(Studio.subject)))


async def schools_of(session: AsyncSession, scope: Scope, ids: Sequence[str]) -> dict[str, School]:
    found = await session.scalars(select(School).where(School.id.in_(ids)))
    return {school.id: school for school in found}


def members_on(studio: Studio, day: date) -> list[StudioMember]:
    return [m for m in studio.members if m.joined_on <= day and (m.left_on is None or day < m.left_on)]


async def lessons_led(session: AsyncSession, scope: Scope, people: Sequence[str], most: int) -> list[Lesson]:
    """Formal lessons led by the studio's people that the asker may see, newest first."""
    query = select(Lesson).where(Lesson.teacher_id.in_(people), Lesson.kind == "formal", visible(scope))
    query = query.where(Lesson.state != "cancelled").order_by(Lesson.starts_at.desc()).limit(most)
    return list((await session.scalars(query)).unique())


async def count_led(session: AsyncSession, scope: Scope, people: Sequence[str]) -> int:
    """How many formal lessons they have held: a number, open to all like the studio itself."""
    held = Lesson.state.in_(("closed", "registered", "archived"))
    query = select(func.count()).select_from(Lesson).where(Lesson.teacher_id.in_(people), Lesson.kind == "formal", held)
    return await session.scalar(query) or 0
