"""Asking receiving schools, their answers, and what happens to silence. The lead district schedules; a lesson is the
lead school's; receiving schools see, confirm and object (domain.md section 9).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.classrooms.models import Classroom
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.lessons.invitations import store
from server.lessons.models import Invitation, Lesson
from server.notices import service as notices
from server.outbox import service as outbox
from server.outbox.events import of_timetable
from server.schools.models import Room
from server.schools.service import part_of
from server.scope import SYSTEM, Scope, allows
from server.timetable import service as timetable
from server.timetable.terms import school_days_after

DAYS_TO_ANSWER = 2
"""School days."""
LOOK = timedelta(days=30)
"""No vacation but the summer's is longer; then the answer is due when the next month is known."""


async def due(session: AsyncSession, now: datetime) -> date:
    today = city_date(now)
    return school_days_after(today, DAYS_TO_ANSWER, await timetable.special_days(session, SYSTEM, today, today + LOOK))


async def invite_for(
    session: AsyncSession,
    scope: Scope,
    classrooms: Sequence[Classroom],
    now: datetime,
    agreed: Mapping[str, str | None] | None = None,
) -> tuple[list[tuple[str, Classroom]], date]:
    """One question a receiving school and classroom: its timetable of the term. An open older question is void.
    ``agreed``: schools that chose this timetable themselves, and who chose it; they are not asked what they said.
    Answers (school, classroom) of those that are asked, whom the caller tells, and until when they may answer."""
    agreed = agreed or {}
    await _void(await store.pending(session, SYSTEM, [one.id for one in classrooms]))
    until = await due(session, now)
    asked = []
    for classroom in classrooms:
        rooms = [held.room for held in classroom.receivers]
        rows = _rows(rooms, classroom.lead_room, classroom.id, None, scope, now, until)
        await store.add(session, scope, *rows)
        for row in rows:
            if row.school_id in agreed:
                row.answer, row.answered_at, row.answered_by = "confirmed", now, agreed[row.school_id]
            else:
                asked.append((row.school_id, classroom))
        await outbox.announce(session, of_timetable(classroom, now), now)
    return asked, until


async def invite_to(session: AsyncSession, scope: Scope, lesson: Lesson, now: datetime) -> None:
    """For one lesson that was added or moved."""
    await _void(await store.pending(session, SYSTEM, lesson_id=lesson.id))
    rooms = [receipt.room for receipt in lesson.receipts]
    until = min(await due(session, now), max(city_date(now), city_date(lesson.starts_at)))
    await store.add(session, scope, *_rows(rooms, lesson.lead_room, lesson.classroom_id, lesson.id, scope, now, until))


async def withdraw(session: AsyncSession, lesson_ids: Collection[str]) -> None:
    """The changes were undone: nobody need answer."""
    await _void(await store.pending_of(session, SYSTEM, lesson_ids))


async def _void(rows: Iterable[Invitation]) -> None:
    for row in rows:
        row.answer = "void"


def _rows(
    rooms: Iterable[Room],
    lead: Room,
    classroom: str | None,
    lesson: str | None,
    scope: Scope,
    now: datetime,
    until: date,
) -> list[Invitation]:
    """A school that asks itself is not asked."""
    schools = dict.fromkeys(room.school_id for room in rooms if room.school_id != lead.school_id)
    return [
        Invitation(
            id=new_id(),
            school_id=school,
            classroom_id=classroom,
            lesson_id=lesson,
            asked_at=now,
            asked_by=scope.person,
            due_on=until,
        )
        for school in schools
    ]


@dataclass(frozen=True, slots=True)
class Answered:
    """One receiving school's answer, or that it is still awaited."""

    row: Invitation
    school: str
    by: str


async def answers(
    session: AsyncSession, scope: Scope, classroom_id: str | None, lesson_id: str | None = None
) -> list[Answered]:
    """Each school's last word: of the lesson itself where it was asked for it, else of the classroom's timetable."""
    rows = await store.of_classroom(session, scope, classroom_id) if classroom_id else []
    rows += await store.of_lesson(session, scope, lesson_id) if lesson_id else []
    last = {row.school_id: row for row in rows if row.answer != "void"}
    names = await store.names(session, SYSTEM, last.values())
    return [Answered(row, names[row.school_id], names.get(row.answered_by or "", "")) for row in last.values()]


async def answer(
    session: AsyncSession, scope: Scope, invitation_id: str, agreed: bool, objection: str, now: datetime
) -> Invitation:
    """受邀确认, or an objection with its reason. Late answers count: they end the escalation."""
    row = await store.invitation(session, scope, invitation_id)
    if row is None:
        raise NotFoundError
    school = await store.school(session, SYSTEM, row.school_id)
    if not allows(scope, "lesson.confirm", part_of(school)):
        raise ForbiddenError
    if row.answer == "void":
        raise ConflictError("invitation_void")
    if not agreed and not objection.strip():
        raise InvalidError("invitation_objection", field="objection")
    row.answer = "confirmed" if agreed else "objected"
    row.answered_at, row.answered_by, row.objection = now, scope.person, "" if agreed else objection.strip()
    if not agreed:
        await _tell_lead(session, scope, row, school.short_name, now)
    return row


async def _tell_lead(session: AsyncSession, scope: Scope, row: Invitation, school: str, now: datetime) -> None:
    """An objection goes to the lead school and to the district that schedules."""
    lesson = await store.lesson(session, SYSTEM, row.lesson_id)
    classroom = await store.classroom(session, SYSTEM, row.classroom_id)
    lead = lesson.lead_room if lesson else classroom.lead_room if classroom else None
    if lead is None:
        return
    name = lesson.title if lesson else classroom.name if classroom else ""
    words = {"school": school, "name": name, "objection": row.objection}
    href = f"/lessons/{row.lesson_id}" if row.lesson_id else "/invitations"
    await notices.tell_school(session, scope, [lead.school_id], "objected", words, href, now)
    await notices.tell_districts(session, scope, [lead.school.supervised_by], "objected", words, href, now)


async def escalate(session: AsyncSession, now: datetime) -> int:
    """The worker's round: whoever kept silent for two school days is answered for by the district above them."""
    rows = await store.silent(session, SYSTEM, city_date(now))
    for row in rows:
        row.escalated_at = now
        school = await store.school(session, SYSTEM, row.school_id)
        classroom = await store.classroom(session, SYSTEM, row.classroom_id)
        lesson = await store.lesson(session, SYSTEM, row.lesson_id)
        name = lesson.title if lesson else classroom.name if classroom else ""
        words = {"school": school.short_name, "name": name}
        await notices.tell_districts(session, SYSTEM, [school.supervised_by], "silent", words, "/invitations", now)
    return len(rows)
