"""The ledger's rules: take facts in, each id once; compute what every receiving room received from nothing but them."""

from __future__ import annotations

import logging
from collections.abc import Collection
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import Clock, from_ms, to_ms
from server.database import Database
from server.indicators import rollup
from server.lessons.models import Lesson
from server.participation import store
from server.participation.models import Attendance
from server.participation.moments import corrected
from server.participation.receipts import Plan, Received, receive
from server.participation.schemas import sound, storable
from server.recordings import service as recordings
from server.scope import SYSTEM
from signaling.facts import Fact

log = logging.getLogger("tongtang.ledger")

BATCH = 50
"""Lessons a transaction of the computing job: below a second even with all their presences, so that writers wait
little.
"""


async def ingest(session: AsyncSession, facts: list[Fact], now: datetime) -> list[str]:
    """Stores each fact once and returns the ids that are now in the ledger (new ones and ones it had), in the order
    given.

    Facts of unknown lessons are kept. Lessons and recordings hear of new facts in the order of room time.
    """
    from server.lessons import service as lessons  # they call ``touch``: one of the two must look the other up late

    for fact in await keep(session, facts, now):
        if fact.kind != "Presence":  # by far the most facts, and nothing but attendance rests on them
            await lessons.note_fact(session, fact, now)
            await recordings.note_fact(session, fact, now)
    return list({fact.id: None for fact in facts if storable(fact)})


async def keep(session: AsyncSession, facts: list[Fact], now: datetime) -> list[Fact]:
    """The ledger's own half of ``ingest``: stores, marks the lessons for computing, returns what was new."""
    distinct = {fact.id: fact for fact in facts if storable(fact)}
    if len(distinct) < len(facts):
        log.warning("facts refused or sent twice: %d of %d", len(facts) - len(distinct), len(facts))
    new = await store.append(session, SYSTEM, distinct.values(), now)
    fresh = sorted((distinct[id_] for id_ in new), key=lambda fact: (fact.lesson, fact.epoch, fact.room_ms, fact.id))
    await store.mark(session, SYSTEM, {fact.lesson for fact in fresh}, now)
    return fresh


async def touch(session: AsyncSession, lesson_id: str, now: datetime) -> None:
    """A lesson's plan changed (moved, cancelled, rooms changed): its attendance is computed anew."""
    await store.mark(session, SYSTEM, [lesson_id], now)


async def touch_all(session: AsyncSession, lesson_ids: Collection[str], now: datetime) -> None:
    """The same of many."""
    await store.mark(session, SYSTEM, lesson_ids, now)


async def rebuild(session: AsyncSession, now: datetime) -> None:
    """Everything is computed anew from the raw ledger by the next rounds: after a formula changed, or in doubt."""
    await store.mark_all(session, SYSTEM, now)


async def recompute_all(session: AsyncSession, lesson_ids: Collection[str], now: datetime) -> None:
    """Makes the attendance of some lessons again from the raw ledger and tells the roll-ups which months changed."""
    found = await store.lessons(session, SYSTEM, lesson_ids)
    entries = await store.entries(session, SYSTEM, [lesson.id for lesson in found])
    rows: list[Attendance] = []
    for lesson in found:
        facts = corrected(entry for entry in entries[lesson.id] if sound(entry.fact))
        if lesson.state != "cancelled" and (facts or lesson.ends_at <= now):
            rows += _rows(lesson, facts, now)
    await store.replace_attendance(session, SYSTEM, lesson_ids, rows)
    await rollup.mark_stale(session, {rollup.period_of(lesson.starts_at) for lesson in found})


def _rows(lesson: Lesson, facts: list[Fact], now: datetime) -> list[Attendance]:
    plan = Plan(to_ms(lesson.starts_at), to_ms(lesson.ends_at))
    return [
        _attendance(lesson.id, receipt.room_id, receive(facts, receipt.room_id, plan), len(facts), now)
        for receipt in lesson.receipts
    ]


def _attendance(lesson_id: str, room_id: str, received: Received, fact_count: int, now: datetime) -> Attendance:
    return Attendance(
        id=f"{lesson_id}:{room_id}",
        lesson_id=lesson_id,
        room_id=room_id,
        planned_ms=received.planned_ms,
        delivered_ms=received.delivered_ms,
        online_ms=received.online_ms,
        heard_ms=received.heard_ms,
        heard=[list(interval) for interval in received.heard],
        online=[list(interval) for interval in received.online],
        signed_in_at=_moment(received.signed_in_ms),
        made_good_at=_moment(received.made_good_ms),
        expected=received.expected,
        present=received.present,
        hands=received.hands,
        effective=received.effective,
        reason=received.reason,
        fact_count=fact_count,
        computed_at=now,
    )


def _moment(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)


async def catch_up(database: Database, clock: Clock) -> int:
    """The worker's round: attendance of every marked or silently ended lesson, then the roll-ups.
    Returns lessons computed.
    """
    done = 0
    while batch := await _compute_batch(database, clock.now()):
        done += batch
    await rollup.catch_up(database, clock)
    return done


async def _compute_batch(database: Database, now: datetime) -> int:
    async with database.reading() as session:
        if not await store.marked(session, SYSTEM, now) and not await store.unjudged(session, SYSTEM, now, 1):
            return 0  # the common round takes no writer's turn
    async with database.transaction() as session:
        ids = await store.take_marks(session, SYSTEM, now, BATCH) or await store.unjudged(session, SYSTEM, now, BATCH)
        await recompute_all(session, ids, now)
        return len(ids)
