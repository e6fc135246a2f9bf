"""What a lesson's page offers to change: by right, by state, with the people and rooms there are to choose from."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY, city_date
from server.lessons import service
from server.lessons.changes import progress, store
from server.lessons.changes.schemas import ProgressRow
from server.lessons.changes.service import may_undo
from server.lessons.changes.staffing import may_staff
from server.lessons.codes import service as codes
from server.lessons.codes import store as given
from server.lessons.lifecycle import AHEAD
from server.lessons.models import Lesson
from server.schools.models import Room
from server.schools.service import part_of
from server.scope import SYSTEM, Scope, allows
from server.timetable import choices

Choice = tuple[str, str]


@dataclass(slots=True)
class Staff:
    """Whom and which rooms one may choose."""

    teachers: list[Choice] = field(default_factory=list)
    assistants: dict[str, list[Choice]] = field(default_factory=dict)
    """By receiving room."""
    rooms: list[tuple[Room, list[Choice]]] = field(default_factory=list)


async def offered(session: AsyncSession, scope: Scope, lesson: Lesson, now: datetime) -> dict[str, Any]:
    """The page's context: offers, choices, history."""
    ahead = lesson.state in AHEAD and lesson.ends_at > now
    staff = await _staff(session, scope, lesson, now) if ahead else Staff()
    rows = await store.of_lesson(session, scope, lesson.id)
    start = lesson.starts_at.astimezone(CITY)
    return {
        "offers": await _offers(session, scope, lesson, staff, ahead=ahead),
        "staff": staff,
        "changes": [(row, may_undo(scope, row, lesson) and row.kind in _undoable(lesson)) for row in reversed(rows)],
        "code": codes.offered(scope, lesson, now),
        "code_stands": await given.standing(session, scope, lesson.id) if codes.may_give(scope, lesson) else [],
        "progress": await _progress(session, scope, lesson, now),
        "city_day": f"{start:%Y-%m-%d}",
        "city_time": f"{start:%H:%M}",
    }


async def _progress(session: AsyncSession, scope: Scope, lesson: Lesson, now: datetime) -> dict[str, ProgressRow]:
    """How far each receiving class is, by room; for who may read classrooms at all, of the lesson they see."""
    if lesson.classroom_id is None or not allows(scope, "classroom.read"):
        return {}
    return {row.room: row for row in await progress.progress(session, SYSTEM, lesson.classroom_id, now)}


def _undoable(lesson: Lesson) -> tuple[str, ...]:
    if lesson.state == "cancelled":
        return ("cancel",)
    return ("move", "teacher", "assistant", "room", "about", "repay") if lesson.state in AHEAD else ()


async def _offers(session: AsyncSession, scope: Scope, lesson: Lesson, staff: Staff, *, ahead: bool) -> list[str]:
    plans = service.may(scope, "lesson.create", lesson)
    held = {
        "move": ahead and plans,
        "teacher": ahead and plans and bool(staff.teachers),
        "assistant": ahead and bool(staff.assistants),
        "room": ahead and bool(staff.rooms),
        "about": ahead and (plans or service.leads(scope, lesson)),
        "cancel": ahead and service.may(scope, "lesson.cancel", lesson),
        "repay": lesson.state == "cancelled" and plans and await store.repaying(session, SYSTEM, lesson.id) is None,
        "dispute": lesson.state in ("closed", "registered") and _contests(scope, lesson),
        "settle": lesson.state == "disputed" and _decides(scope, lesson),
    }
    return [kind for kind, offered in held.items() if offered]


def _contests(scope: Scope, lesson: Lesson) -> bool:
    schools = [lesson.lead_room.school, *(receipt.room.school for receipt in lesson.receipts)]
    return any(allows(scope, "lesson.confirm", part_of(school)) for school in schools)


def _decides(scope: Scope, lesson: Lesson) -> bool:
    above = scope.city or lesson.lead_room.school.supervised_by in scope.districts
    return above and service.may(scope, "lesson.create", lesson)


async def _staff(session: AsyncSession, scope: Scope, lesson: Lesson, now: datetime) -> Staff:
    made, today = Staff(), city_date(now)
    places: list[tuple[Room, str]] = []
    if service.may(scope, "lesson.create", lesson):
        found = await choices.people(session, SYSTEM, today, lesson.lead_room.school_id)
        made.teachers = [one for one in found if one[0] != lesson.teacher_id]
        places.append((lesson.lead_room, "lead"))
    for receipt in lesson.receipts:
        if may_staff(scope, lesson, receipt):
            school = receipt.room.school_id
            held = await choices.people(session, SYSTEM, today, school, "assistant")
            held += await choices.people(session, SYSTEM, today, school, "teacher")
            made.assistants[receipt.room_id] = list(dict.fromkeys(held))
            places.append((receipt.room, "receiving"))
    used = {lesson.lead_room_id, *(one.room_id for one in lesson.receipts)}
    for room, kind in places:
        others = await choices.rooms_of_school(session, SYSTEM, room.school_id, kind)
        if others := [one for one in others if one[0] not in used]:
            made.rooms.append((room, others))
    return made
