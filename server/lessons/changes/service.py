"""Rules of 调课, 停课, 补课, and their undoing. A lesson keeps its id through all of it; everybody concerned is told.

Each change is one ``LessonChange``: who, when, why, what was before. Until the bell only (``lifecycle.AHEAD``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.models import Person
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.lessons import service, store
from server.lessons.changes import store as changes
from server.lessons.changes.many import above
from server.lessons.changes.record import difference, lost_seat, put_back, snapshot, stands
from server.lessons.changes.schemas import AboutBody, MoveBody, RepayBody
from server.lessons.changes.telling import Were, tell_all
from server.lessons.invitations import service as invitations
from server.lessons.lifecycle import AHEAD, CANCEL_REASONS, EXEMPT_REASONS, MOVE_REASONS
from server.lessons.models import Lesson, LessonChange, Receipt
from server.notices import service as notices
from server.outbox import service as outbox
from server.outbox.events import of_lesson
from server.participation import service as participation
from server.schools.service import part_of
from server.scope import SYSTEM, Action, Scope, allows
from server.timetable import occupancy, offdays

Told = dict[str, Any]


async def lesson_for(
    session: AsyncSession, scope: Scope, lesson_id: str, action: Action, sequence: int | None = None
) -> Lesson:
    """The lesson, locked, for somebody who may change it and saw it as it is."""
    lesson = await store.lesson(session, scope, lesson_id, lock=True)
    if lesson is None:
        raise NotFoundError
    if not service.may(scope, action, lesson):
        raise ForbiddenError
    if sequence is not None and sequence != lesson.sequence:
        raise ConflictError("lesson_changed")
    return lesson


def check_ahead(lesson: Lesson, now: datetime) -> None:
    """Until the bell: what has begun or is over is history."""
    if lesson.state not in AHEAD or lesson.ends_at <= now:
        raise ConflictError("lesson_state", state=lesson.state)


async def keep(
    session: AsyncSession,
    scope: Scope,
    lesson: Lesson,
    kind: str,
    before: Told,
    now: datetime,
    *,
    reason: str | None = None,
    note: str = "",
    batch: str | None = None,
) -> LessonChange:
    """Write the change down; its attendance is computed anew, calendars hear of it."""
    lesson.sequence += 1
    lesson.changed_at = now
    person = await session.get(Person, scope.person) if scope.person else None
    was, became = difference(before, snapshot(lesson))
    row = LessonChange(
        id=new_id(),
        batch=batch or new_id(),
        lesson_id=lesson.id,
        kind=kind,
        at=now,
        by=scope.person,
        by_name=person.name if person else "",
        reason=reason,
        note=note.strip(),
        before=was,
        after=became,
    )
    await changes.add(session, scope, row)
    await participation.touch(session, lesson.id, now)
    return row


PUT_ON = {"publish": "added", "repay": "repaid"}
"""A new lesson's change, and the notice of it."""


async def put_on(
    session: AsyncSession,
    scope: Scope,
    lesson: Lesson,
    kind: str,
    now: datetime,
    *,
    note: str = "",
    old_at: datetime | None = None,
) -> LessonChange:
    """A single new lesson: written down, its receiving schools asked, everybody concerned told."""
    row = await keep(session, scope, lesson, kind, {}, now, note=note)
    lesson.changed_at, lesson.sequence = None, 0  # it is new: nothing of it has changed yet
    await invitations.invite_to(session, scope, lesson, now)
    await tell(session, scope, lesson, PUT_ON[kind], now, {"old_at": old_at.isoformat()} if old_at else None)
    return row


async def tell(
    session: AsyncSession,
    scope: Scope,
    lesson: Lesson,
    key: str,
    now: datetime,
    words: Told | None = None,
    *old: datetime,
) -> None:
    """``old``: the bells it had."""
    named = {"title": lesson.title, "starts_at": lesson.starts_at.isoformat(), **(words or {})}
    people = await notices.concerned(session, lesson, now)
    bells = notices.bells_of(lesson, notices.of_class(lesson), *old)
    await notices.tell(session, scope, people, key, named, f"/lessons/{lesson.id}", now, lesson, bells)


# --- 调课 -------------------------------------------------------------------------------------------------------------


async def move(session: AsyncSession, scope: Scope, lesson_id: str, body: MoveBody, now: datetime) -> LessonChange:
    """To another time. Counted once, in the period of its new date; the receiving schools are asked again."""
    lesson = await lesson_for(session, scope, lesson_id, "lesson.create", body.sequence)
    check_ahead(lesson, now)
    if body.reason not in MOVE_REASONS:
        raise InvalidError("move_reason", field="reason")
    before, old, stood = snapshot(lesson), lesson.starts_at, occupancy.entry_of(lesson)
    length = lesson.ends_at - lesson.starts_at
    starts_at, ends_at = body.starts_at, body.ends_at or body.starts_at + length
    if (starts_at, ends_at) == (lesson.starts_at, lesson.ends_at):
        raise ConflictError("change_nothing")
    lesson.starts_at, lesson.ends_at = starts_at, ends_at
    service.check_times(lesson.starts_at, lesson.ends_at, now)
    await offdays.refuse_holiday(session, SYSTEM, lesson.kind, lesson.starts_at)
    first = lesson.moved_from or old
    lesson.moved_from = None if first == lesson.starts_at else first
    with session.no_autoflush:
        await occupancy.claim(session, scope, [occupancy.entry_of(lesson)], stood=[stood])
    row = await keep(session, scope, lesson, "move", before, now, reason=body.reason, note=body.note)
    await invitations.invite_to(session, scope, lesson, now)
    await tell(session, scope, lesson, "moved", now, {"old_at": old.isoformat()}, old)
    return row


# --- 停课 and 补课 ----------------------------------------------------------------------------------------------------


async def cancel(
    session: AsyncSession,
    scope: Scope,
    lesson_id: str,
    reason: str,
    now: datetime,
    *,
    note: str = "",
    sequence: int | None = None,
) -> LessonChange:
    """停课. A node that already holds the room is told with its next heartbeat (live.py)."""
    lesson = await lesson_for(session, scope, lesson_id, "lesson.cancel", sequence)
    check_reason(scope, lesson, reason)
    before = snapshot(lesson)
    service.move(lesson, "cancel")
    lesson.cancelled_at, lesson.cancel_reason, lesson.cancelled_by = now, reason, scope.person
    row = await keep(session, scope, lesson, "cancel", before, now, reason=reason, note=note)
    await tell(session, scope, lesson, "cancelled", now, {"reason_key": f"common.cancel_reason.{reason}"})
    return row


def check_reason(scope: Scope, lesson: Lesson, reason: str) -> None:
    """A reason that takes the lesson out of the figures is the district's word, not the school's."""
    if reason not in CANCEL_REASONS:
        raise InvalidError("cancel_reason")
    if reason in EXEMPT_REASONS and not above(scope, lesson):
        raise ForbiddenError("cancel_exempt")


async def repay(session: AsyncSession, scope: Scope, lesson_id: str, body: RepayBody, now: datetime) -> LessonChange:
    """补课: names what it repays; the pair counts once, when it is delivered."""
    owed = await lesson_for(session, scope, lesson_id, "lesson.create")
    if owed.state != "cancelled":
        raise ConflictError("repay_not_cancelled", state=owed.state)
    if await changes.repaying(session, SYSTEM, owed.id) is not None:
        raise ConflictError("repay_twice")
    lesson = _like(owed, body.starts_at, scope, now)
    service.check_times(lesson.starts_at, lesson.ends_at, now)
    await offdays.refuse_holiday(session, SYSTEM, lesson.kind, lesson.starts_at)
    await occupancy.claim(session, scope, [occupancy.entry_of(lesson)])
    await store.add(session, scope, lesson)
    await session.refresh(lesson)
    return await put_on(session, scope, lesson, "repay", now, note=body.note, old_at=owed.starts_at)


def _like(owed: Lesson, starts_at: datetime, scope: Scope, now: datetime) -> Lesson:
    same = ("classroom_id", "title", "subject", "grade", "kind", "form", "lead_room_id", "lead_class_id", "teacher_id")
    about = ("edition", "volume", "unit", "part", "demo")
    id_ = new_id()
    return Lesson(
        id=id_,
        state="published",
        starts_at=starts_at,
        ends_at=starts_at + (owed.ends_at - owed.starts_at),
        created_by=scope.person,
        created_at=now,
        repays_id=owed.id,
        sequence=0,
        receipts=[
            Receipt(
                id=new_id(),
                lesson_id=id_,
                starts_at=starts_at,
                room_id=held.room_id,
                position=held.position,
                assistant_id=held.assistant_id,
                class_id=held.class_id,
                expected=held.expected,
            )
            for held in owed.receipts
        ],
        **{name: getattr(owed, name) for name in (*same, *about)},
    )


# --- what it is about -------------------------------------------------------------------------------------------------


async def about(session: AsyncSession, scope: Scope, lesson_id: str, body: AboutBody, now: datetime) -> LessonChange:
    """Title, 课堂类型, 教材版本 · 册 · 单元 · 课时: by who teaches or administers it. Nobody is disturbed."""
    lesson = await store.lesson(session, scope, lesson_id, lock=True)
    if lesson is None:
        raise NotFoundError
    if not service.leads(scope, lesson) and not service.may(scope, "lesson.create", lesson):
        raise ForbiddenError
    if lesson.state in ("registered", "archived") or (body.kind and lesson.state not in AHEAD):
        raise ConflictError("lesson_state", state=lesson.state)
    before = snapshot(lesson)
    given = body.model_dump(exclude={"sequence", "note"}, exclude_none=True)
    for name, value in given.items():
        setattr(lesson, name, value.strip() or None if name not in ("title", "kind", "form") else value)
    row = await keep(session, scope, lesson, "about", before, now, note=body.note)
    await outbox.announce(session, of_lesson("about", lesson, now), now)
    return row


# --- 异常申诉 ---------------------------------------------------------------------------------------------------------


async def dispute(session: AsyncSession, scope: Scope, lesson_id: str, note: str, now: datetime) -> LessonChange:
    """A school of the lesson contests what is registered of it, with its reason."""
    lesson = await store.lesson(session, scope, lesson_id, lock=True)
    if lesson is None:
        raise NotFoundError
    schools = [lesson.lead_room.school, *(receipt.room.school for receipt in lesson.receipts)]
    if not any(allows(scope, "lesson.confirm", part_of(school)) for school in schools):
        raise ForbiddenError
    if not note.strip():
        raise InvalidError("dispute_note", field="note")
    before = snapshot(lesson)
    service.move(lesson, "dispute")
    row = await keep(session, scope, lesson, "dispute", before, now, note=note)
    words = {"title": lesson.title, "starts_at": lesson.starts_at.isoformat(), "note": note.strip()}
    district = [lesson.lead_room.school.supervised_by]
    await notices.tell_districts(session, scope, district, "disputed", words, f"/lessons/{lesson.id}", now)
    await outbox.announce(session, of_lesson("disputed", lesson, now), now)
    return row


async def settle(session: AsyncSession, scope: Scope, lesson_id: str, note: str, now: datetime) -> LessonChange:
    """The district decides; the lesson is registered."""
    lesson = await lesson_for(session, scope, lesson_id, "lesson.create")
    if not (scope.city or scope.system or lesson.lead_room.school.supervised_by in scope.districts):
        raise ForbiddenError
    before = snapshot(lesson)
    service.move(lesson, "settle")
    row = await keep(session, scope, lesson, "settle", before, now, note=note)
    await tell(session, scope, lesson, "settled", now, {"note": note.strip()})
    return row


# --- undo -------------------------------------------------------------------------------------------------------------

RIGHT: dict[str, Action] = {
    "move": "lesson.create",
    "cancel": "lesson.cancel",
    "repay": "lesson.create",
    "teacher": "lesson.create",
    "assistant": "lesson.create",
    "room": "lesson.create",
    "about": "lesson.create",
}
"""Kinds that can be undone, and by whom; whoever did it may undo it as well."""
PLACES = ("teacher", "assistant", "room")
"""Kinds by which somebody or some room changes."""


async def undo(
    session: AsyncSession, scope: Scope, batch: str, now: datetime, only: str | None = None
) -> list[tuple[Lesson, str]]:
    """Everything of one batch, or ``only`` one lesson of it, goes back as it was, if nothing has come over it and the
    old times are still free; of many, those that have not begun. With each lesson the seat somebody loses by it."""
    rows = [row for row in await changes.of_batch(session, scope, batch) if row.undone_at is None]
    rows = [row for row in rows if only in (None, row.lesson_id)]
    if not rows:
        raise NotFoundError
    done = []
    held = {one.id: one for one in await changes.locked(session, scope, {row.lesson_id for row in rows})}
    if len(rows) > 1:
        rows = [row for row in rows if held[row.lesson_id].starts_at > now] or rows
    with session.no_autoflush:
        for row in rows:
            lesson = held[row.lesson_id]
            _check_undo(scope, row, lesson, now)
            put_back(lesson, row.before)
            if len({one.room_id for one in lesson.receipts}) < len(lesson.receipts):
                raise ConflictError("change_overtaken")  # another class of the lesson has moved into the old room
            _state_back(row, lesson)
            done.append(lesson)
        standing = [occupancy.entry_of(one) for one in done if one.state != "cancelled"]
        await occupancy.claim(session, scope, standing, stood=standing)
    for row, lesson in zip(rows, done, strict=True):
        row.undone_at, row.undone_by = now, scope.person
        lesson.sequence, lesson.changed_at = lesson.sequence + 1, now
    await participation.touch_all(session, [one.id for one in done], now)
    for kind in sorted({row.kind for row in rows} - {"about"}):
        some = [lesson for row, lesson in zip(rows, done, strict=True) if row.kind == kind]
        were = {row.lesson_id: _were(row) for row in rows if row.kind == kind}
        await tell_all(session, scope, some, "undone", now, {"kind_key": f"lessons.change.{kind}"}, were)
    await session.flush()
    await invitations.withdraw(session, [one.id for one in done])
    for row, lesson in zip(rows, done, strict=True):
        if row.kind in PLACES:
            await session.refresh(lesson, ["teacher", "lead_room"])
            for receipt in lesson.receipts:
                await session.refresh(receipt, ["room", "assistant"])
    return [(lesson, lost_seat(row, lesson)) for row, lesson in zip(rows, done, strict=True)]


def _were(row: LessonChange) -> Were:
    """Whom and when the lesson had by a change that is undone: they too must know."""
    people = {value for key, value in row.after.items() if key.rpartition(".")[2] in ("teacher_id", "assistant_id")}
    starts = row.after.get("starts_at")
    return Were(frozenset(people - {None}), (datetime.fromisoformat(starts),) if starts else ())


def may_undo(scope: Scope, row: LessonChange, lesson: Lesson) -> bool:
    if row.kind not in RIGHT or row.undone_at is not None:
        return False
    mine = scope.person is not None and scope.person == row.by and not scope.readonly
    return mine or service.may(scope, RIGHT[row.kind], lesson)


def _check_undo(scope: Scope, row: LessonChange, lesson: Lesson, now: datetime) -> None:
    if not may_undo(scope, row, lesson):
        raise ForbiddenError
    if lesson.state not in AHEAD | {"cancelled"}:
        raise ConflictError("lesson_state", state=lesson.state)
    if not stands(lesson, row.after) and row.kind != "repay":
        raise ConflictError("change_overtaken")
    starts = row.before.get("starts_at")
    if (datetime.fromisoformat(starts) if starts else lesson.starts_at) <= now:
        raise ConflictError("lesson_past")


def _state_back(row: LessonChange, lesson: Lesson) -> None:
    if row.kind == "cancel":
        service.move(lesson, "restore")
    elif row.kind == "repay":
        service.move(lesson, "cancel")
        lesson.cancel_reason = "other"
