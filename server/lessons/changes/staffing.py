"""Until the bell, from a phone: 代课教师, 临时辅助教师, 换教室. The lesson keeps its id; the old seat is taken away.

Hours go to who taught: the lesson's teacher is whoever stands in it at the bell. The lead school decides on its teacher
and room; each receiving school on its own assistant and room.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.service import held_posts
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.lessons import service, store
from server.lessons.changes.record import snapshot
from server.lessons.changes.schemas import AssistantBody, RoomBody, TeacherBody
from server.lessons.changes.service import check_ahead, keep, lesson_for, tell
from server.lessons.models import Lesson, LessonChange, Receipt
from server.notices import service as notices
from server.schools.service import part_of
from server.scope import SYSTEM, Scope, allows
from server.timetable import occupancy
from server.timetable.conflicts import Entry


def may_staff(scope: Scope, lesson: Lesson, receipt: Receipt | None) -> bool:
    """The lead side of a lesson, or one receiving room of it."""
    if service.may(scope, "lesson.create", lesson):
        return True
    return receipt is not None and allows(scope, "lesson.confirm", part_of(receipt.room.school))


async def set_teacher(
    session: AsyncSession, scope: Scope, lesson_id: str, body: TeacherBody, now: datetime
) -> tuple[LessonChange, str]:
    """代课. Returns the change and the seat that is no longer theirs."""
    lesson = await lesson_for(session, scope, lesson_id, "lesson.create", body.sequence)
    check_ahead(lesson, now)
    person = await store.person(session, SYSTEM, body.teacher_id)
    posts = held_posts(person, city_date(lesson.starts_at)) if person and person.disabled_at is None else []
    if person is None or not any(post.post == "teacher" for post in posts):
        raise InvalidError("lesson_teacher", field="teacher_id")
    before, old, old_name = snapshot(lesson), lesson.teacher_id, lesson.teacher.name
    if person.id == old:
        raise ConflictError("change_nothing")
    stood = occupancy.entry_of(lesson)
    lesson.teacher_id = person.id
    await _claim(session, scope, lesson, stood)
    row = await keep(session, scope, lesson, "teacher", before, now, note=body.note)
    await session.flush()
    await session.refresh(lesson, ["teacher"])
    words = {"old": old_name, "new": person.name}
    await tell(session, scope, lesson, "teacher", now, words)
    await _tell_old(session, scope, lesson, old, "teacher", words, now)
    return row, f"t-{old}"


async def set_assistant(
    session: AsyncSession, scope: Scope, lesson_id: str, body: AssistantBody, now: datetime
) -> tuple[LessonChange, str]:
    """临时辅助教师: anybody of the room's school whose account is open."""
    lesson, receipt = await _received(session, scope, lesson_id, body.room_id, body.sequence, now)
    person = await store.person(session, SYSTEM, body.assistant_id) if body.assistant_id else None
    if body.assistant_id and (
        person is None or person.disabled_at is not None or person.school_id != receipt.room.school_id
    ):
        raise InvalidError("classroom_assistant", field="assistant_id", school=receipt.room.school.short_name)
    before, old = snapshot(lesson), receipt.assistant
    if (person.id if person else None) == receipt.assistant_id:
        raise ConflictError("change_nothing")
    stood = occupancy.entry_of(lesson)
    receipt.assistant_id = person.id if person else None
    await _claim(session, scope, lesson, stood)
    row = await keep(session, scope, lesson, "assistant", before, now, note=body.note)
    await session.flush()
    await session.refresh(receipt, ["assistant"])
    words = {
        "school": receipt.room.school.short_name,
        "old": old.name if old else "—",
        "new": person.name if person else "—",
    }
    await tell(session, scope, lesson, "assistant", now, words)
    await _tell_old(session, scope, lesson, old.id if old else None, "assistant", words, now)
    return row, f"a-{receipt.room_id}"


async def set_room(
    session: AsyncSession, scope: Scope, lesson_id: str, body: RoomBody, now: datetime
) -> tuple[LessonChange, str]:
    """换教室 within a school: its screens show the lesson there with their next question, within five seconds."""
    lesson = await _ahead(session, scope, lesson_id, body.sequence, now)
    receipt = next((one for one in lesson.receipts if one.room_id == body.room_id), None)
    if receipt is None and lesson.lead_room_id != body.room_id:
        raise NotFoundError
    if not may_staff(scope, lesson, receipt):
        raise ForbiddenError
    old = receipt.room if receipt else lesson.lead_room
    new = (await store.rooms(session, SYSTEM, [body.to_room_id])).get(body.to_room_id)
    used = {lesson.lead_room_id, *(one.room_id for one in lesson.receipts)}
    if new is None or new.school_id != old.school_id or new.kind != old.kind or new.id in used:
        raise InvalidError("change_room", field="to_room_id", school=old.school.short_name)
    before, stood = snapshot(lesson), occupancy.entry_of(lesson)
    if receipt:
        receipt.room_id, receipt.expected = new.id, receipt.expected if receipt.expected else new.pupils
    else:
        lesson.lead_room_id = new.id
    await _claim(session, scope, lesson, stood)
    row = await keep(session, scope, lesson, "room", before, now, note=body.note)
    await session.flush()
    await session.refresh(receipt or lesson, ["room" if receipt else "lead_room"])
    words = {"school": old.school.short_name, "old": old.name, "new": new.name}
    await tell(session, scope, lesson, "room", now, words)
    return row, f"r-{old.id}" if receipt else f"t-{lesson.teacher_id}"


async def _ahead(session: AsyncSession, scope: Scope, lesson_id: str, sequence: int | None, now: datetime) -> Lesson:
    lesson = await store.lesson(session, scope, lesson_id, lock=True)
    if lesson is None:
        raise NotFoundError
    check_ahead(lesson, now)
    if sequence is not None and sequence != lesson.sequence:
        raise ConflictError("lesson_changed")
    return lesson


async def _received(
    session: AsyncSession, scope: Scope, lesson_id: str, room_id: str, sequence: int | None, now: datetime
) -> tuple[Lesson, Receipt]:
    lesson = await _ahead(session, scope, lesson_id, sequence, now)
    receipt = next((one for one in lesson.receipts if one.room_id == room_id), None)
    if receipt is None:
        raise NotFoundError
    if not may_staff(scope, lesson, receipt):
        raise ForbiddenError
    return lesson, receipt


async def _claim(session: AsyncSession, scope: Scope, lesson: Lesson, stood: Entry) -> None:
    with session.no_autoflush:
        await occupancy.claim(session, scope, [occupancy.entry_of(lesson)], stood=[stood])


async def _tell_old(
    session: AsyncSession,
    scope: Scope,
    lesson: Lesson,
    person: str | None,
    key: str,
    words: dict[str, str],
    now: datetime,
) -> None:
    """Who was replaced is no longer of the lesson, and must know it all the same."""
    named = {"title": lesson.title, "starts_at": lesson.starts_at.isoformat(), **words}
    await notices.tell(session, scope, [person], key, named, "/desk", now, lesson, notices.bells_of(lesson, [person]))
