"""批量停课 and 停课令: many lessons called off in one act. Shown before it is done, told to each person once, undone as
one batch.

An order closes schools, not rooms: it takes every lesson that they lead, and of the others those that all their
receiving schools would miss. What is left goes on for the schools that are open; its lead school is told.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.clock import CITY
from server.errors import ForbiddenError, InvalidError, NotFoundError, TongtangError
from server.ids import new_id
from server.lessons import service
from server.lessons.changes import store as changes
from server.lessons.changes.record import difference, snapshot
from server.lessons.changes.schemas import CancelMany, ManyDone
from server.lessons.changes.telling import tell_all
from server.lessons.lifecycle import AHEAD, CANCEL_REASONS, EXEMPT_REASONS
from server.lessons.models import Lesson
from server.notices import service as notices
from server.participation import service as participation
from server.schools.models import School
from server.schools.service import part_of
from server.scope import SYSTEM, Part, Scope, allows

LONGEST = timedelta(days=60)
MOST = 5000
"""Lessons of one act: a city's two days; more are ordered day by day."""


@dataclass(slots=True)
class Hit:
    """What an act would do."""

    lessons: list[Lesson] = field(default_factory=list)
    left: list[Lesson] = field(default_factory=list)
    """Concerned, and not called off by it: another's to decide, or held for schools that are open."""


def above(scope: Scope, lesson: Lesson) -> bool:
    """Who may take a lesson out of the figures: the district that answers for its lead school, or the city."""
    return scope.system or scope.city or lesson.lead_room.school.supervised_by in scope.districts


async def plan(session: AsyncSession, scope: Scope, body: CancelMany, now: datetime) -> Hit:
    if body.reason not in CANCEL_REASONS:
        raise InvalidError("cancel_reason", field="reason")
    found = await _wanted(session, scope, body)
    if len(found) > MOST:
        raise InvalidError("cancel_too_many", field="last", most=MOST)
    made = Hit()
    for lesson in found:
        ahead = lesson.state in AHEAD and lesson.ends_at > now
        if ahead and _closes(body, lesson) and _may(scope, body, lesson):
            made.lessons.append(lesson)
        elif ahead or not body.orders:
            made.left.append(lesson)
    return made


def _may(scope: Scope, body: CancelMany, lesson: Lesson) -> bool:
    exempt = body.reason in EXEMPT_REASONS
    return service.may(scope, "lesson.cancel", lesson) and (above(scope, lesson) or not exempt)


def _closes(body: CancelMany, lesson: Lesson) -> bool:
    """Whether nobody could hold it, or nobody would be there to receive it."""
    received = [receipt.room.school for receipt in lesson.receipts]
    shut = closed(body, lesson.lead_room.school) or (bool(received) and all(closed(body, one) for one in received))
    return shut or not body.orders


def closed(body: CancelMany, school: School) -> bool:
    """A district closes the schools that stand in it, and those it answers for."""
    there = {school.located_in, school.supervised_by}
    return body.city or school.id in body.schools or not there.isdisjoint(body.districts)


async def cancel_many(session: AsyncSession, scope: Scope, body: CancelMany, now: datetime) -> ManyDone:
    """What the asker may not call off is named, not called off."""
    found = await plan(session, scope, body, now)
    if not found.lessons:
        raise nothing(scope, body, found)
    batch = new_id()
    locked = await changes.locked(session, scope, [one.id for one in found.lessons])
    held = [one for one in locked if one.state in AHEAD]  # one may have begun meanwhile
    before = {one.id: snapshot(one) for one in held}
    for lesson in held:
        service.move(lesson, "cancel")
        lesson.cancelled_at, lesson.cancel_reason, lesson.cancelled_by = now, body.reason, scope.person
        lesson.sequence, lesson.changed_at = lesson.sequence + 1, now
    await session.flush()
    person = await session.get(Person, scope.person) if scope.person else None
    rows = []
    for lesson in held:
        was, became = difference(before[lesson.id], snapshot(lesson))
        row = {"batch": batch, "lesson_id": lesson.id, "kind": "cancel", "at": now, "by": scope.person}
        row |= {"by_name": person.name if person else "", "reason": body.reason, "note": body.note.strip()}
        rows.append({**row, "before": was, "after": became})
    await changes.add_all(session, scope, rows)
    await participation.touch_all(session, [one.id for one in held], now)
    words = {"reason_key": f"common.cancel_reason.{body.reason}", "note": body.note.strip()}
    await tell_all(session, scope, held, "cancelled", now, words)
    if body.orders:
        await _tell_left(session, scope, body, found.left, now)
    return ManyDone(batch=batch, lessons=[one.id for one in held], passed_over=[one.id for one in found.left])


def nothing(scope: Scope, body: CancelMany, found: Hit) -> TongtangError:
    """Why an act that would call off no lesson is refused."""
    if any(service.may(scope, "lesson.cancel", one) for one in found.left) and body.reason in EXEMPT_REASONS:
        return ForbiddenError("cancel_exempt")
    return ForbiddenError() if found.left else NotFoundError()


async def _tell_left(session: AsyncSession, scope: Scope, body: CancelMany, left: list[Lesson], now: datetime) -> None:
    """Lead schools outside whose lessons some receiving school will miss: what becomes of them is theirs to say."""
    words = {"reason_key": f"common.cancel_reason.{body.reason}", "first_date": str(body.first)}
    counts = Counter(lesson.lead_room.school_id for lesson in left)
    for school, count in counts.items():
        more = {**words, "last_date": str(body.last), "count": count}
        await notices.tell_school(session, scope, [school], "order_left", more, "/timetable", now)


def days(first: date, last: date) -> tuple[datetime, datetime]:
    """[first's midnight, the midnight after last) in the city."""
    return datetime.combine(first, time(), CITY), datetime.combine(last, time(), CITY) + timedelta(days=1)


# --- which lessons ----------------------------------------------------------------------------------------------------


async def _wanted(session: AsyncSession, scope: Scope, body: CancelMany) -> list[Lesson]:
    if body.lessons:
        return await changes.named(session, scope, body.lessons)
    if not (body.orders or body.school_id) or body.first is None or body.last is None or body.last < body.first:
        raise InvalidError("cancel_which", field="last")
    if body.last - body.first > LONGEST:
        raise InvalidError("span_dates", field="last")
    start, end = days(body.first, body.last)
    if not body.orders:
        return await changes.of_school(session, scope, body.school_id or "", start, end, sorted(AHEAD))
    await _check_area(session, scope, body)
    area = None if body.city else changes.closed(body.districts, body.schools)
    return await changes.of_area(session, scope, area, start, end, sorted(AHEAD), MOST + 1)


async def _check_area(session: AsyncSession, scope: Scope, body: CancelMany) -> None:
    """The whole city is the city's to close, a district its own administrators' as well."""
    parts = [Part(district=one) for one in body.districts]
    found = await changes.schools(session, SYSTEM, body.schools)
    if len(found) != len(set(body.schools)):
        raise NotFoundError
    parts += [part_of(one) for one in found] + ([Part()] if body.city else [])
    if not all(allows(scope, "lesson.cancel", part) for part in parts):
        raise ForbiddenError
