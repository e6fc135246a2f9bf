"""Lessons as a timetable makes them: rows from a classroom and a time, the ones that were made before, and whether
these still say what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import lazyload, selectinload

from server.accounts.models import Person
from server.classrooms.models import Classroom
from server.clock import CITY, city_date
from server.errors import ForbiddenError
from server.ids import new_id
from server.lessons.changes import store as changes
from server.lessons.changes.record import snapshot
from server.lessons.models import Lesson, LessonChange, Receipt, receipts_of
from server.scope import Scope
from server.timetable.service import Dated

FOLLOWED = ("renew", "restore")
"""Changes by which a lesson followed its timetable: not by anybody's hand."""


Made = tuple[Lesson, list[Receipt]]


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), CITY)


async def by_origin(session: AsyncSession, scope: Scope, classrooms: Sequence[str], now: datetime) -> dict[str, Lesson]:
    """Lessons that came from these classrooms' slots of today and later, by origin; also those moved to another day,
    which may be over: what a slot has made once, it does not make again."""
    if not scope.system:
        raise ForbiddenError
    today = midnight(city_date(now))
    query = select(Lesson).where(Lesson.classroom_id.in_(classrooms), Lesson.origin.is_not(None))
    query = query.where(or_(Lesson.starts_at >= today, Lesson.moved_from >= today))
    query = query.options(lazyload("*"), selectinload(Lesson.receipts).lazyload("*"))
    return {lesson.origin or "": lesson for lesson in await session.scalars(query)}


async def by_hand(session: AsyncSession, scope: Scope, classrooms: Sequence[str]) -> set[str]:
    """Those of them whose last change was somebody's: they no longer follow their timetable by themselves."""
    followed = exists().where(
        LessonChange.lesson_id == Lesson.id, LessonChange.kind.in_(FOLLOWED), LessonChange.at == Lesson.changed_at
    )
    query = select(Lesson.id).where(Lesson.classroom_id.in_(classrooms), Lesson.changed_at.is_not(None), ~followed)
    return set(await session.scalars(query))


async def whole(session: AsyncSession, scope: Scope, lessons: Iterable[Lesson]) -> None:
    """Load what ``by_origin`` left out: rooms, schools and people of these lessons."""
    query = select(Lesson).where(Lesson.id.in_([one.id for one in lessons]))
    (await session.scalars(query.execution_options(populate_existing=True))).unique().all()


def make(classroom: Classroom, when: Dated, origin: str, by: str | None, now: datetime) -> Made:
    lesson = Lesson(
        id=new_id(),
        classroom_id=classroom.id,
        title=classroom.name,
        subject=classroom.subject,
        grade=classroom.grade,
        kind="formal",
        form=classroom.form,
        state="published",
        lead_room_id=classroom.lead_room_id,
        teacher_id=classroom.lead_teacher_id,
        lead_class_id=classroom.lead_class_id,
        starts_at=when.starts_at,
        ends_at=when.ends_at,
        created_by=by,
        created_at=now,
        origin=origin,
        demo=classroom.demo,
    )
    return lesson, receipts(lesson, classroom)


async def add(session: AsyncSession, scope: Scope, made: Sequence[Made], now: datetime) -> None:
    """The rows, and for each lesson who published it."""
    session.add_all(row for lesson, held in made for row in (lesson, *held))
    await session.flush()
    person = await session.get(Person, scope.person) if scope.person else None
    batch = new_id()
    rows = [
        {
            "batch": batch,
            "lesson_id": lesson.id,
            "kind": "publish",
            "at": now,
            "by": scope.person,
            "by_name": person.name if person else "",
            "before": {},
            "after": snapshot(lesson, held),
        }
        for lesson, held in made
    ]
    await changes.add_all(session, scope, rows)


def receipts(lesson: Lesson, classroom: Classroom) -> list[Receipt]:
    return receipts_of(lesson, ((one.room, one.assistant_id, one.school_class) for one in classroom.receivers))


def differs(lesson: Lesson, classroom: Classroom, when: Dated) -> bool:
    """Whether the timetable now says something else than this lesson does."""
    return replanned(lesson, classroom, when) or _calls(lesson) != _called(classroom)


def replanned(lesson: Lesson, classroom: Classroom, when: Dated) -> bool:
    """Another time, person, room or class: what its people must know. A new name alone disturbs nobody."""
    if (lesson.starts_at, lesson.ends_at) != (when.starts_at, when.ends_at):
        return True
    held = (lesson.teacher_id, lesson.lead_room_id, lesson.lead_class_id)
    wanted = (classroom.lead_teacher_id, classroom.lead_room_id, classroom.lead_class_id)
    return held != wanted or not _placed(lesson, classroom)


Called = tuple[str, str, int, str]


def _calls(lesson: Lesson) -> Called:
    return lesson.title, lesson.subject, lesson.grade, lesson.form


def _called(classroom: Classroom) -> Called:
    return classroom.name, classroom.subject, classroom.grade, classroom.form


def _placed(lesson: Lesson, classroom: Classroom) -> bool:
    places = [(one.room_id, one.assistant_id, one.class_id) for one in lesson.receipts]
    return places == [(one.room_id, one.assistant_id, one.class_id) for one in classroom.receivers]


async def follow(session: AsyncSession, scope: Scope, lesson: Lesson, classroom: Classroom, when: Dated) -> None:
    """The lesson says what the timetable says."""
    lesson.title, lesson.subject, lesson.grade, lesson.form = _called(classroom)
    lesson.starts_at, lesson.ends_at, lesson.moved_from = when.starts_at, when.ends_at, None
    lesson.teacher_id, lesson.lead_room_id = classroom.lead_teacher_id, classroom.lead_room_id
    lesson.lead_class_id = classroom.lead_class_id
    if not _placed(lesson, classroom):
        await replace_receipts(session, scope, lesson, receipts(lesson, classroom))


async def replace_receipts(session: AsyncSession, scope: Scope, lesson: Lesson, rows: Sequence[Receipt]) -> None:
    old = delete(Receipt).where(Receipt.lesson_id == lesson.id).execution_options(synchronize_session=False)
    await session.execute(old)
    session.add_all(rows)
    await session.flush()
    await session.refresh(lesson, ["receipts"])
