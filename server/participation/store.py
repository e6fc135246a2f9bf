"""All SQL of the ledger. Facts are only ever added; attendance is disposable and made again from them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, true
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased, lazyload, selectinload

from server.accounts.models import Person
from server.clock import from_ms, to_ms
from server.errors import ForbiddenError
from server.lessons.models import Lesson, Receipt
from server.participation.models import Attendance, FactRow, LedgerMark
from server.participation.moments import Entry
from server.schools.models import Room, School
from server.scope import Scope
from signaling.facts import Fact, FactKind

CHUNK = 500
"""Rows a statement: 500 facts of 11 columns stay far below the 32,766 variables SQLite takes."""

LIVE_PAUSE = timedelta(seconds=30)
"""A live lesson gets facts every few seconds and thousands in all; its rows are made again only this often."""

LOOK_BACK = timedelta(days=100)
"""Lessons that ended unseen are looked for this far back; older ones change only when somebody touches them."""


def _ours(scope: Scope) -> None:
    """The ledger is written by our own jobs and nodes only."""
    if not scope.system:
        raise ForbiddenError


def _insert(session: AsyncSession, model: Any) -> Any:
    """An INSERT that knows ON CONFLICT, which SQLite and PostgreSQL spell alike."""
    return (sqlite_insert if session.get_bind().dialect.name == "sqlite" else postgresql_insert)(model)


def _row(fact: Fact, now: datetime) -> dict[str, Any]:
    return {
        "id": fact.id,
        "kind": fact.kind,
        "lesson_id": fact.lesson,
        "epoch": fact.epoch,
        "room_id": fact.room,
        "person_id": fact.person,
        "room_ms": fact.room_ms,
        "at": from_ms(fact.at_ms),
        "received_at": now,
        "data": fact.data,
        "v": fact.v,
    }


async def append(session: AsyncSession, scope: Scope, facts: Iterable[Fact], now: datetime) -> set[str]:
    """Adds what is not there yet; returns the ids that are new.
    Rows go in by id: two batches never wait for each other.
    """
    _ours(scope)
    rows = [_row(fact, now) for fact in sorted(facts, key=lambda fact: fact.id)]
    added: set[str] = set()
    for start in range(0, len(rows), CHUNK):
        statement = _insert(session, FactRow.__table__).on_conflict_do_nothing(index_elements=["id"])
        added.update((await session.scalars(statement.returning(FactRow.id), rows[start : start + CHUNK])).all())
    return added


async def mark(session: AsyncSession, scope: Scope, lessons: Iterable[str], now: datetime) -> None:
    _ours(scope)
    ids = sorted(set(lessons))
    for start in range(0, len(ids), CHUNK):
        insert = _insert(session, LedgerMark).values(
            [{"lesson_id": lesson, "marked_at": now} for lesson in ids[start : start + CHUNK]]
        )
        # An update that changes nothing: the first moment stays, and on PostgreSQL a mark that is just being taken is
        # waited for and made again.
        kept = {"marked_at": LedgerMark.marked_at}
        await session.execute(insert.on_conflict_do_update(index_elements=["lesson_id"], set_=kept))


def _ripe(now: datetime) -> ColumnElement[bool]:
    live = exists().where(Lesson.id == LedgerMark.lesson_id, Lesson.state == "live")
    return or_(~live, LedgerMark.marked_at <= now - LIVE_PAUSE)


async def take_marks(session: AsyncSession, scope: Scope, now: datetime, limit: int) -> list[str]:
    """Marked lessons, unmarked by this transaction BEFORE their facts are read: what comes later marks them again."""
    _ours(scope)
    oldest = select(LedgerMark.lesson_id).where(_ripe(now)).order_by(LedgerMark.marked_at, LedgerMark.lesson_id)
    taken = delete(LedgerMark).where(LedgerMark.lesson_id.in_(oldest.limit(limit))).returning(LedgerMark.lesson_id)
    return sorted((await session.scalars(taken)).all())


async def marked(session: AsyncSession, scope: Scope, now: datetime) -> int:
    """Lessons that wait to be computed now."""
    _ours(scope)
    return await session.scalar(select(func.count()).select_from(LedgerMark).where(_ripe(now))) or 0


async def entries(session: AsyncSession, scope: Scope, lessons: Collection[str]) -> dict[str, list[Entry]]:
    """All facts of some lessons, by lesson. Column tuples, not objects: a lesson has thousands."""
    _ours(scope)
    columns = (
        FactRow.id,
        FactRow.kind,
        FactRow.lesson_id,
        FactRow.epoch,
        FactRow.room_ms,
        FactRow.at,
        FactRow.room_id,
        FactRow.person_id,
        FactRow.data,
        FactRow.v,
        FactRow.received_at,
    )
    found: dict[str, list[Entry]] = {lesson: [] for lesson in lessons}
    for row in await session.execute(select(*columns).where(FactRow.lesson_id.in_(lessons))):
        (id_, kind, lesson, epoch, room_ms, at, room, person, data, v, received_at) = row
        fact = Fact(id_, cast(FactKind, kind), lesson, epoch, room_ms, to_ms(at), room, person, data, v)
        found[lesson].append(Entry(fact, to_ms(received_at)))
    return found


async def lessons(session: AsyncSession, scope: Scope, ids: Collection[str]) -> Sequence[Lesson]:
    """With their receipts and nothing else: rooms and people have no say in attendance."""
    _ours(scope)
    bare = (lazyload("*"), selectinload(Lesson.receipts).lazyload("*"))
    return (await session.scalars(select(Lesson).options(*bare).where(Lesson.id.in_(ids)).order_by(Lesson.id))).all()


async def mark_all(session: AsyncSession, scope: Scope, now: datetime) -> None:
    await mark(session, scope, (await session.scalars(select(Lesson.id))).all(), now)


async def replace_attendance(
    session: AsyncSession, scope: Scope, lesson_ids: Collection[str], rows: list[Attendance]
) -> None:
    _ours(scope)
    await session.execute(delete(Attendance).where(Attendance.lesson_id.in_(lesson_ids)))
    session.add_all(rows)
    await session.flush()


async def unjudged(session: AsyncSession, scope: Scope, now: datetime, limit: int) -> Sequence[str]:
    """Lessons that are over and have a receipt without attendance: nobody came, so no fact will ever mark them."""
    _ours(scope)
    judged = exists().where(Attendance.lesson_id == Receipt.lesson_id, Attendance.room_id == Receipt.room_id)
    statement = (
        select(Lesson.id)
        .join(Receipt, Receipt.lesson_id == Lesson.id)
        .where(Lesson.starts_at >= now - LOOK_BACK, Lesson.ends_at <= now, Lesson.state != "cancelled", ~judged)
        .distinct()
        .order_by(Lesson.id)
        .limit(limit)
    )
    return (await session.scalars(statement)).all()


async def attendance(session: AsyncSession, scope: Scope, lesson_ids: Collection[str]) -> Sequence[Attendance]:
    """Attendance of some lessons, of rooms the asker may see (its own school's, or of lessons its school leads)."""
    room, lead = aliased(Room), aliased(Room)
    school, lead_school = aliased(School), aliased(School)
    statement = (
        select(Attendance)
        .join(room, room.id == Attendance.room_id)
        .join(school, school.id == room.school_id)
        .join(Lesson, Lesson.id == Attendance.lesson_id)
        .join(lead, lead.id == Lesson.lead_room_id)
        .join(lead_school, lead_school.id == lead.school_id)
        .where(Attendance.lesson_id.in_(lesson_ids), or_(_in_scope(scope, school), _in_scope(scope, lead_school)))
        .order_by(Attendance.lesson_id, Attendance.room_id)
    )
    return (await session.scalars(statement)).all()


def _in_scope(scope: Scope, school: Any) -> ColumnElement[bool]:
    if scope.city or scope.system:
        return true()
    mine = scope.schools | ({scope.school} if scope.school else frozenset())
    return or_(school.id.in_(mine), and_(school.supervised_by.is_not(None), school.supervised_by.in_(scope.districts)))


async def fact_count(session: AsyncSession, scope: Scope) -> int:
    """Rows in the ledger, for ``doctor`` and the demo's closing line."""
    _ours(scope)
    return await session.scalar(select(func.count()).select_from(FactRow)) or 0


async def names(session: AsyncSession, scope: Scope, ids: Collection[str]) -> dict[str, str]:
    """Of people whom facts name."""
    rows = await session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {row.id: row.name for row in rows}


async def lesson_shown(session: AsyncSession, scope: Scope, lesson_id: str) -> Lesson | None:
    """A lesson with its people and rooms. Call only after ``attendance`` has shown that the asker may see some of
    it.
    """
    return await session.get(Lesson, lesson_id)
