"""Rules of 补签 (domain.md section 9): three school days, a reason, the receiving school's approval. What is approved
is a fact of the ledger like any late one, and every figure follows from it.

Nobody answers for themselves: an administrator enters at once who else was there, and asks another about themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import city_date, to_ms
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.lessons import service as lessons
from server.lessons import store as held
from server.lessons.mends import store
from server.lessons.mends.schemas import AskBody, days_left
from server.lessons.models import Lesson, Mend, Receipt
from server.lessons.registering import LOOK_BACK, settled_before
from server.notices import service as notices
from server.participation import service as participation
from server.participation import store as ledger
from server.scope import SYSTEM, Part, Scope, allows
from server.timetable import choices
from server.timetable import service as timetable
from server.timetable.choices import Choice
from server.timetable.terms import SpecialDay
from signaling.facts import Fact

MOST = 200
"""Shown at once."""


def part_of(receipt: Receipt) -> Part:
    """The receiving school's, and the assistant's."""
    school = receipt.room.school
    return Part(
        school.id, school.supervised_by, people=frozenset({receipt.assistant_id} if receipt.assistant_id else ())
    )


@dataclass(frozen=True, slots=True)
class Missing:
    """A receipt that only lacks its sign-in. ``asked``: somebody has asked to make it good."""

    lesson: Lesson
    receipt: Receipt
    left: int
    asked: Mend | None
    may_ask: bool
    may_answer: bool


@dataclass(frozen=True, slots=True)
class Board:
    """What a lesson's page says of it. ``told``: asked and answered, the latest of each room that is not open."""

    missing: list[Missing] = field(default_factory=list)
    told: list[tuple[Mend, Receipt]] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    people: dict[str, list[Choice]] = field(default_factory=dict)
    """By room: whom its school may name."""


# --- what is missing --------------------------------------------------------------------------------------------------


async def missing(session: AsyncSession, scope: Scope, now: datetime, lesson_id: str | None = None) -> list[Missing]:
    """待补签, as far as the asker has a say in it."""
    if not allows(scope, "lesson.mend"):
        return []
    rows = await store.missing(session, scope, await settled_before(session, now), lesson_id, MOST)
    mine = [(lesson, receipt) for lesson, receipt in rows if allows(scope, "lesson.mend", part_of(receipt))]
    if not mine:
        return []
    asked = {(row.lesson_id, row.room_id): row for row in await _pending(session, [one.id for one, _ in mine])}
    today, special = city_date(now), await _special(session, now)
    return [
        _missing(scope, lesson, receipt, today, special, asked.get((lesson.id, receipt.room_id)))
        for lesson, receipt in mine
    ]


async def _pending(session: AsyncSession, ids: list[str]) -> list[Mend]:
    return [row for row in await store.of_lessons(session, SYSTEM, ids) if row.answer == "pending"]


async def _special(session: AsyncSession, now: datetime) -> dict[date, SpecialDay]:
    today = city_date(now)
    return await timetable.special_days(session, SYSTEM, today - LOOK_BACK, today + LOOK_BACK)


def _missing(
    scope: Scope,
    lesson: Lesson,
    receipt: Receipt,
    today: date,
    special: Mapping[date, SpecialDay],
    asked: Mend | None,
) -> Missing:
    closed = city_date(lesson.closed_at or lesson.ends_at)
    answers = asked is not None and _may_answer(scope, asked, receipt)
    return Missing(lesson, receipt, days_left(closed, today, special), asked, asked is None, answers)


def _may_answer(scope: Scope, row: Mend, receipt: Receipt) -> bool:
    return scope.person not in (row.person_id, row.asked_by) and allows(scope, "lesson.approve", part_of(receipt))


async def board(session: AsyncSession, scope: Scope, lesson: Lesson, now: datetime) -> Board:
    """For the lesson's page: who has a say in it, and who reads reports."""
    waiting = await missing(session, scope, now, lesson.id)
    seen = [one for one in lesson.receipts if _sees(scope, lesson, one)]
    if not waiting and not seen:
        return Board()
    receipts = {one.room_id: one for one in seen}
    open_ = {one.receipt.room_id for one in waiting if one.asked}
    rows = {row.room_id: row for row in await store.of_lessons(session, SYSTEM, [lesson.id])}  # the latest of each
    told = [(row, receipts[room]) for room, row in rows.items() if room in receipts and room not in open_]
    people = {one.receipt.room_id: await who(session, scope, one.receipt, now) for one in waiting if one.may_ask}
    ids = {id_ for row in rows.values() for id_ in (row.person_id, row.asked_by, row.answered_by) if id_}
    return Board(waiting, told, await ledger.names(session, SYSTEM, ids), people)


def _sees(scope: Scope, lesson: Lesson, receipt: Receipt) -> bool:
    part = part_of(receipt)
    return allows(scope, "lesson.mend", part) or any(
        allows(scope, "report.read", one) for one in (part, lessons.lead_part(lesson.lead_room))
    )


async def who(session: AsyncSession, scope: Scope, receipt: Receipt, now: datetime) -> list[Choice]:
    """Whom somebody who answers for the school may name; nobody for the assistant, who speaks for themselves."""
    school = receipt.room.school
    if not allows(scope, "lesson.mend", Part(school.id, school.supervised_by)):
        return []
    day = city_date(now)
    found = [(receipt.assistant.id, receipt.assistant.name)] if receipt.assistant else []
    for post in ("assistant", "teacher"):
        found += await choices.people(session, SYSTEM, day, school.id, post)
    return list(dict(found).items())


# --- asking and answering ---------------------------------------------------------------------------------------------


async def ask(session: AsyncSession, scope: Scope, lesson_id: str, body: AskBody, now: datetime) -> Mend:
    """By who assisted, or by the school, which names them. An administrator's word about somebody else is final."""
    lesson, receipt = await _receipt(session, scope, lesson_id, body.room_id)
    if scope.person is None or not allows(scope, "lesson.mend", part_of(receipt)):
        raise ForbiddenError
    if body.reason == "other" and not body.note.strip():
        raise InvalidError("mend_note", field="note")
    await _check_open(session, lesson, receipt, now)
    if await _standing(session, receipt) is not None:
        raise ConflictError("mend_asked")
    row = Mend(
        id=new_id(),
        lesson_id=lesson.id,
        room_id=receipt.room_id,
        person_id=await _person(session, scope, receipt, body.person_id, now),
        reason=body.reason,
        note=body.note.strip(),
        asked_at=now,
        asked_by=scope.person,
        answer="pending",
        why="",
    )
    await store.add(session, scope, row)
    if row.person_id != scope.person and allows(scope, "lesson.approve", part_of(receipt)):
        await _approve(session, scope, row, lesson, now)
    else:
        await _tell_school(session, scope, row, lesson, receipt, now)
    return row


async def _receipt(session: AsyncSession, scope: Scope, lesson_id: str, room_id: str) -> tuple[Lesson, Receipt]:
    """Locked: two who ask at once ask one after the other."""
    lesson = await held.lesson(session, scope, lesson_id, lock=True)
    found = next((one for one in lesson.receipts if one.room_id == room_id), None) if lesson else None
    if lesson is None or found is None:
        raise NotFoundError
    return lesson, found


async def _check_open(session: AsyncSession, lesson: Lesson, receipt: Receipt, now: datetime) -> None:
    """正式, over, held, heard, not signed in: nothing but the sign-in is missing, and there is time."""
    closed = lesson.closed_at if lesson.state in store.STATES else None
    reason = await store.reason(session, SYSTEM, lesson.id, receipt.room_id)
    if lesson.kind != "formal" or reason != "unsigned":
        raise ConflictError("mend_needless")
    if closed is None or closed < await settled_before(session, now):
        raise ConflictError("mend_over")


async def _standing(session: AsyncSession, receipt: Receipt) -> Mend | None:
    rows = await store.of_lessons(session, SYSTEM, [receipt.lesson_id])
    return next((row for row in rows if row.room_id == receipt.room_id and row.answer != "refused"), None)


async def _person(session: AsyncSession, scope: Scope, receipt: Receipt, wanted: str | None, now: datetime) -> str:
    """An assistant speaks for themselves, a school for its people."""
    named = wanted or receipt.assistant_id
    if named is None or (named != receipt.assistant_id and named not in dict(await who(session, scope, receipt, now))):
        raise InvalidError("mend_person", field="person_id")
    return named


async def answer(session: AsyncSession, scope: Scope, mend_id: str, agreed: bool, why: str, now: datetime) -> Mend:
    row = await store.mend(session, scope, mend_id)
    if row is None:
        raise NotFoundError
    lesson, receipt = await _receipt(session, scope, row.lesson_id, row.room_id)
    if not allows(scope, "lesson.approve", part_of(receipt)):
        raise ForbiddenError
    if not _may_answer(scope, row, receipt):
        raise ForbiddenError("mend_own")
    await session.refresh(row)  # as it stands now that the lesson is locked
    if row.answer != "pending":
        raise ConflictError("mend_answered")
    await _check_open(session, lesson, receipt, now)
    if not agreed and not why.strip():
        raise InvalidError("mend_why", field="why")
    if agreed:
        await _approve(session, scope, row, lesson, now)
    else:
        row.answer, row.answered_at, row.answered_by, row.why = "refused", now, scope.person, why.strip()
    key = "mend_approved" if agreed else "mend_refused"
    words = {**_words(lesson), "why": row.why}
    await notices.tell(session, scope, [row.person_id, row.asked_by], key, words, _href(lesson), now)
    return row


async def _approve(session: AsyncSession, scope: Scope, row: Mend, lesson: Lesson, now: datetime) -> None:
    row.answer, row.answered_at, row.answered_by = "approved", now, scope.person
    told = {"person": row.person_id, "asked_by": row.asked_by, "approved_by": scope.person, "reason": row.reason}
    fact = Fact(
        id=f"{lesson.id}:0:signed-{row.room_id}",
        kind="SignInMadeGood",
        lesson=lesson.id,
        epoch=0,
        room_ms=0,
        at_ms=to_ms(now),
        room=row.room_id,
        person=row.person_id,
        data=told,
    )
    await participation.ingest(session, [fact], now)


async def _tell_school(
    session: AsyncSession, scope: Scope, row: Mend, lesson: Lesson, receipt: Receipt, now: datetime
) -> None:
    """Who answers for the school; when they ask about themselves and may be alone, the district too."""
    school = receipt.room.school
    names = await ledger.names(session, SYSTEM, {row.person_id})
    words = {**_words(lesson), "name": names[row.person_id], "reason_key": f"lessons.mend.reason.{row.reason}"}
    await notices.tell_school(session, scope, [school.id], "mend_asked", words, _href(lesson), now)
    if allows(scope, "lesson.approve", part_of(receipt)):
        await notices.tell_districts(session, scope, [school.supervised_by], "mend_asked", words, _href(lesson), now)


def _words(lesson: Lesson) -> dict[str, str]:
    return {"title": lesson.title, "starts_at": lesson.starts_at.isoformat()}


def _href(lesson: Lesson) -> str:
    return f"/lessons/{lesson.id}#mends"
