"""SQL of recordings. Who sees a lesson sees its replay: the one rule of ``lessons.store.visible``."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.lessons.models import Lesson, Placement
from server.lessons.store import among, visible
from server.recordings.models import Recording
from server.recordings.schemas import ReplayFilter
from server.schools.models import Room, School
from server.scope import Scope


async def recording(session: AsyncSession, scope: Scope, lesson_id: str, *, lock: bool = False) -> Recording | None:
    query = select(Recording).join(Lesson, Lesson.id == Recording.lesson_id)
    query = query.where(Recording.lesson_id == lesson_id, visible(scope))
    return await session.scalar(query.with_for_update(of=Recording) if lock else query)


async def lesson_exists(session: AsyncSession, scope: Scope, lesson_id: str) -> bool:
    return await session.scalar(select(Lesson.id).where(Lesson.id == lesson_id, visible(scope))) is not None


async def keep(session: AsyncSession, scope: Scope, row: Recording) -> None:
    session.add(row)
    await session.flush()


async def last_epoch(session: AsyncSession, scope: Scope, lesson_id: str) -> int:
    """The highest epoch anything was recorded in: facts may still be under way when the replay is asked for."""
    recorded = select(func.max(Recording.last_epoch)).where(Recording.lesson_id == lesson_id)
    placed = select(func.max(Placement.epoch)).where(Placement.lesson_id == lesson_id)
    return max(await session.scalar(recorded) or 0, await session.scalar(placed) or 0)


async def person_names(session: AsyncSession, scope: Scope, ids: Collection[str]) -> dict[str, str]:
    rows = await session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {row.id: row.name for row in rows}


async def room_names(session: AsyncSession, scope: Scope, ids: Collection[str]) -> dict[str, str]:
    query = select(Room.id, Room.name, School.short_name).join(School, Room.school_id == School.id)
    rows = await session.execute(query.where(Room.id.in_(ids)))
    return {row.id: f"{row.short_name} {row.name}" for row in rows}


def _recorded(scope: Scope) -> Select[Lesson]:
    query = select(Lesson).join(Recording, Recording.lesson_id == Lesson.id)
    return query.where(among(scope), Recording.duration_ms > 0)


def _narrowed(scope: Scope, wanted: ReplayFilter) -> Select[Lesson]:
    query = _recorded(scope)
    if wanted.grade is not None:
        query = query.where(Lesson.grade == wanted.grade)
    if wanted.subject:
        query = query.where(Lesson.subject == wanted.subject)
    if wanted.school:
        led = select(Room.id).where(Room.school_id == wanted.school)
        query = query.where(Lesson.lead_room_id.in_(led))
    if wanted.teacher:
        query = query.where(Lesson.teacher_id == wanted.teacher)
    if words := wanted.q.strip():
        named = select(Person.id).where(Person.name.contains(words, autoescape=True))
        query = query.where(or_(Lesson.title.contains(words, autoescape=True), Lesson.teacher_id.in_(named)))
    return query


async def count(session: AsyncSession, scope: Scope, wanted: ReplayFilter) -> int:
    ids = _narrowed(scope, wanted).with_only_columns(Lesson.id).subquery()
    return await session.scalar(select(func.count()).select_from(ids)) or 0


async def replays(session: AsyncSession, scope: Scope, wanted: ReplayFilter, offset: int, limit: int) -> list[Lesson]:
    """Newest first."""
    query = _narrowed(scope, wanted).order_by(Lesson.starts_at.desc(), Lesson.id).offset(offset).limit(limit)
    return list((await session.scalars(query)).unique())


async def durations(session: AsyncSession, scope: Scope, ids: Collection[str]) -> dict[str, Recording]:
    found = await session.scalars(select(Recording).where(Recording.lesson_id.in_(ids)))
    return {row.lesson_id: row for row in found}


async def choices(session: AsyncSession, scope: Scope) -> dict[str, list[tuple[str, str]]]:
    """What the filters offer: only what some replay has."""
    ids = _recorded(scope).with_only_columns(Lesson.id)
    lessons = select(Lesson.subject).where(Lesson.id.in_(ids)).distinct()
    people = select(Person.id, Person.name).where(Person.id.in_(_recorded(scope).with_only_columns(Lesson.teacher_id)))
    rooms = select(Room.school_id).where(Room.id.in_(_recorded(scope).with_only_columns(Lesson.lead_room_id)))
    schools = select(School.id, School.short_name).where(School.id.in_(rooms)).order_by(School.short_name)
    return {
        "subjects": [(subject, subject) for subject in await session.scalars(lessons.order_by(Lesson.subject))],
        "teachers": [(row.id, row.name) for row in await session.execute(people.order_by(Person.name))],
        "schools": [(row.id, row.short_name) for row in await session.execute(schools)],
    }
