"""SQL of famous-teacher studios. They exist to be found by the whole city: every scope sees them; members' lessons
are narrowed by ``server.lessons.store.visible`` like all lessons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person, PostHeld
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


def _kept(scope: Scope) -> ColumnElement[bool]:
    """Those the asker hosts, or administers from above."""
    if any(one.city for one in scope.of("city_admin")) or scope.system:
        return true()
    districts = {one.district for one in scope.of("district_admin") if one.district and scope.has("district_admin")}
    hosted = {one.studio for one in scope.of("studio_host") if one.studio and scope.has("studio_host")}
    above = select(School.id).where(School.supervised_by.in_(districts))
    return or_(Studio.id.in_(hosted), Studio.school_id.in_(above))


async def count_kept(session: AsyncSession, scope: Scope) -> int:
    return await session.scalar(select(func.count()).select_from(Studio).where(_kept(scope))) or 0


async def list_kept(
    session: AsyncSession, scope: Scope, wanted: StudioFilter, page: int, size: int
) -> tuple[list[Studio], Paging]:
    """What the asker may change."""
    query = _filtered(select(func.count()).select_from(Studio), wanted).where(_kept(scope))
    paging = Paging(page, await session.scalar(query) or 0, size)
    query = _filtered(select(Studio), wanted).where(_kept(scope)).order_by(Studio.name)
    return list((await session.scalars(query.offset(paging.offset).limit(size))).unique()), paging


async def studio(session: AsyncSession, scope: Scope, studio_id: str) -> Studio | None:
    return await session.get(Studio, studio_id)


async def name_taken(session: AsyncSession, scope: Scope, name: str, but: str = "") -> bool:
    """Names are unique beyond every scope."""
    return bool(await session.scalar(select(exists().where(Studio.name == name, Studio.id != but))))


async def posts(session: AsyncSession, scope: Scope, studio_id: str, person_id: str, post: str) -> list[PostHeld]:
    """A person's posts of a studio that the service has checked."""
    query = select(PostHeld).where(PostHeld.studio_id == studio_id, PostHeld.person_id == person_id)
    return list(await session.scalars(query.where(PostHeld.post == post)))


async def add(session: AsyncSession, scope: Scope, row: Studio | StudioMember | PostHeld) -> None:
    session.add(row)
    await session.flush()


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
