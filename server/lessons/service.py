"""Rules of lessons: creating, cancelling, a day's lessons, what facts do to them. Seats and devices live elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.service import held_posts
from server.classrooms.models import Classroom
from server.clock import CITY, city_date, from_ms
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.lessons import store
from server.lessons.lifecycle import AHEAD, Event, after
from server.lessons.models import Lesson, Receipt, receipts_of
from server.lessons.schemas import LessonDraft, LessonFilter, LessonOut, ReceiptOut, ReceiverDraft
from server.outbox import service as outbox
from server.outbox.events import of_lesson
from server.schools.models import Room, School, SchoolClass
from server.scope import SYSTEM, Action, Part, Scope, allows
from server.timetable import occupancy, offdays
from server.timetable.conflicts import Entry, entry
from signaling.facts import Fact

MOST_RECEIVERS = 3
"""1拖3: more than three receiving rooms per lesson flags quality (domain.md, F3)."""
LONGEST_HOURS = 4


def lead_part(room: Room) -> Part:
    """Whose lesson it is: the lead school's, and the district's that answers for that school."""
    return Part(school=room.school_id, district=room.school.supervised_by)


def whole_part(lesson: Lesson) -> Part:
    """Everybody concerned: the receiving schools too."""
    others = frozenset(receipt.room.school_id for receipt in lesson.receipts)
    return Part(lesson.lead_room.school_id, lesson.lead_room.school.supervised_by, others)


def may(scope: Scope, action: Action, lesson: Lesson) -> bool:
    """Whether the asker may do this to this lesson; for buttons on pages."""
    return allows(scope, action, lead_part(lesson.lead_room))


def leads(scope: Scope, lesson: Lesson) -> bool:
    """Whether the asker is the lesson's teacher, and a teacher still."""
    return allows(scope, "lesson.lead", Part(people=frozenset({lesson.teacher_id})))


# --- reading ----------------------------------------------------------------------------------------------------------


async def get_lesson(session: AsyncSession, scope: Scope, lesson_id: str) -> Lesson:
    lesson = await store.lesson(session, scope, lesson_id)
    if lesson is None:
        raise NotFoundError
    return lesson


async def find_lessons(session: AsyncSession, scope: Scope, wanted: LessonFilter) -> tuple[list[Lesson], int]:
    """One page of the lessons the asker may see, and how many there are in all."""
    return await store.page(session, scope, wanted)


def day_bounds(now: datetime, days: int = 1) -> tuple[datetime, datetime]:
    """[midnight in the city, ``days`` midnights later)."""
    start = datetime.combine(city_date(now), time(), CITY)
    return start.astimezone(UTC), (start + timedelta(days=days)).astimezone(UTC)


async def desk(session: AsyncSession, scope: Scope, now: datetime) -> tuple[list[Lesson], list[Lesson]]:
    """The asker's lessons of today, and of the six days after."""
    start, end = day_bounds(now)
    week = await store.of_person(session, scope, start, end + timedelta(days=6))
    return [one for one in week if one.starts_at < end], [one for one in week if one.starts_at >= end]


async def left_standing(
    session: AsyncSession, scope: Scope, school: School, rooms: Iterable[Room], today: date
) -> dict[str, int]:
    """By the id of a closed school or room: how many lessons are still planned there after it closes."""
    found: dict[str, int] = {}
    places: list[tuple[School | Room, str]] = [(school, "school_id"), *((room, "room_id") for room in rooms)]
    for place, name in places:
        if place.closed_on is not None:
            first = datetime.combine(max(place.closed_on, today), time(), CITY)
            wanted = {"starts_from": first, "states": tuple(sorted(AHEAD)), name: place.id}
            found[place.id] = await store.count(session, scope, LessonFilter.model_validate(wanted))
    return found


FIRST_NAMED = 3


async def standing_of(session: AsyncSession, scope: Scope, person_id: str, since: datetime) -> tuple[int, list[Lesson]]:
    """How many lessons since then somebody still leads or assists, and the first of them."""
    wanted = LessonFilter(person_id=person_id, starts_from=since, states=tuple(sorted(AHEAD)), limit=FIRST_NAMED)
    count = await store.count(session, scope, wanted)
    return count, await store.lessons(session, scope, wanted) if count else []


def lesson_out(lesson: Lesson) -> LessonOut:
    return LessonOut(
        id=lesson.id,
        title=lesson.title,
        subject=lesson.subject,
        grade=lesson.grade,
        kind=lesson.kind,
        form=lesson.form,
        state=lesson.state,
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        opened_at=lesson.opened_at,
        closed_at=lesson.closed_at,
        cancel_reason=lesson.cancel_reason,
        teacher=lesson.teacher.name,
        lead_room=lesson.lead_room.name,
        lead_class=lesson.lead_class.called if lesson.lead_class else None,
        school=lesson.lead_room.school.name,
        receipts=[
            ReceiptOut(
                room=receipt.room_id,
                room_name=receipt.room.name,
                school=receipt.room.school.name,
                assistant=receipt.assistant.name if receipt.assistant else None,
                school_class=receipt.school_class.called if receipt.school_class else None,
                expected=receipt.expected,
            )
            for receipt in lesson.receipts
        ],
    )


# --- creating and cancelling ------------------------------------------------------------------------------------------


async def create_lesson(session: AsyncSession, scope: Scope, draft: LessonDraft, now: datetime) -> Lesson:
    """A published lesson with its receipts. Refused when a room or the teacher is taken."""
    draft = await _completed(session, scope, draft)
    rooms = await _checked_rooms(session, scope, draft)
    lead = rooms[draft.lead_room_id]
    if not allows(scope, "lesson.create", lead_part(lead)):
        raise ForbiddenError
    await _check_teacher(session, scope, draft)
    check_times(draft.starts_at, draft.ends_at, now)
    await offdays.refuse_holiday(session, SYSTEM, draft.kind, draft.starts_at)
    lesson = Lesson(
        id=new_id(),
        classroom_id=draft.classroom_id,
        title=draft.title.strip(),
        subject=draft.subject,
        grade=draft.grade,
        kind=draft.kind,
        form=draft.form,
        state="published",
        lead_room_id=draft.lead_room_id,
        teacher_id=draft.teacher_id,
        lead_class_id=draft.lead_class_id,
        starts_at=draft.starts_at,
        ends_at=draft.ends_at,
        created_by=scope.person,
        created_at=now,
        demo=False,
    )
    classes = await _classes(session, draft, rooms)
    places = ((rooms[one.room_id], one.assistant_id, classes.get(one.class_id or "")) for one in draft.receivers)
    receipts = receipts_of(lesson, places)
    await occupancy.claim(session, scope, [_entry(lesson, receipts)])
    await store.add(session, scope, lesson, *receipts)
    await session.refresh(lesson)
    from server.lessons.changes import service as changes  # it stands on this module

    await changes.put_on(session, scope, lesson, "publish", now)
    await outbox.announce(session, of_lesson("published", lesson, now), now)
    return lesson


def _entry(lesson: Lesson, receipts: list[Receipt]) -> Entry:
    return entry(
        lesson.id,
        lesson.starts_at,
        lesson.ends_at,
        people=[lesson.teacher_id, *(one.assistant_id for one in receipts)],
        rooms=[lesson.lead_room_id, *(one.room_id for one in receipts)],
        classes=[lesson.lead_class_id, *(one.class_id for one in receipts)],
    )


async def _classes(session: AsyncSession, draft: LessonDraft, rooms: dict[str, Room]) -> dict[str, SchoolClass]:
    """The classes that sit in the rooms: of the room's own school, not closed, and none in two rooms."""
    wanted = [(draft.lead_class_id, draft.lead_room_id, "lead_class_id")]
    wanted += [(one.class_id, one.room_id, "receivers") for one in draft.receivers]
    ids = [class_id for class_id, _, _ in wanted if class_id]
    if len(set(ids)) < len(ids):
        raise InvalidError("classroom_class_twice", field="receivers")
    found = await store.classes(session, SYSTEM, ids)
    for class_id, room_id, field in wanted:
        held, school = found.get(class_id or ""), rooms[room_id].school
        if class_id and (held is None or held.closed_on or held.school_id != school.id):
            raise InvalidError("classroom_class", field=field, school=school.short_name)
    return found


async def _completed(session: AsyncSession, scope: Scope, draft: LessonDraft) -> LessonDraft:
    """Fill from the classroom what the draft leaves out."""
    if draft.classroom_id:
        classroom = await store.classroom(session, scope, draft.classroom_id)
        if classroom is None or classroom.archived_at is not None:
            raise NotFoundError
        given = [
            ReceiverDraft(room_id=r.room_id, assistant_id=r.assistant_id, class_id=r.class_id)
            for r in classroom.receivers
        ]
        draft = draft.model_copy(
            update={
                "subject": draft.subject or classroom.subject,
                "grade": draft.grade or classroom.grade,
                "lead_room_id": draft.lead_room_id or classroom.lead_room_id,
                "teacher_id": draft.teacher_id or classroom.lead_teacher_id,
                "lead_class_id": draft.lead_class_id or _lead_class(draft, classroom),
                "receivers": draft.receivers or given,
            }
        )
    if not draft.subject:
        raise InvalidError(field="subject")
    if not draft.grade:
        raise InvalidError(field="grade")
    return draft


def _lead_class(draft: LessonDraft, classroom: Classroom) -> str | None:
    """本班 stays in its own room: another lead room than the classroom's has another class, or none."""
    return classroom.lead_class_id if draft.lead_room_id in ("", classroom.lead_room_id) else None


async def _checked_rooms(session: AsyncSession, scope: Scope, draft: LessonDraft) -> dict[str, Room]:
    ids = [draft.lead_room_id, *(one.room_id for one in draft.receivers)]
    rooms = await store.rooms(session, scope, ids)
    if len(rooms) != len(ids) or not 1 <= len(draft.receivers) <= MOST_RECEIVERS:
        raise InvalidError("lesson_rooms", most=MOST_RECEIVERS)
    return rooms


async def _check_teacher(session: AsyncSession, scope: Scope, draft: LessonDraft) -> None:
    teacher = await store.person(session, scope, draft.teacher_id)
    day = city_date(draft.starts_at)
    if teacher is None or teacher.disabled_at or not any(p.post == "teacher" for p in held_posts(teacher, day)):
        raise InvalidError("lesson_teacher")
    for one in draft.receivers:
        if one.assistant_id and await store.person(session, scope, one.assistant_id) is None:
            raise InvalidError(field="receivers")


def check_times(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if not timedelta() < ends_at - starts_at <= timedelta(hours=LONGEST_HOURS):
        raise InvalidError("lesson_times", hours=LONGEST_HOURS)
    if ends_at <= now:
        raise InvalidError("lesson_past")


async def cancel_lesson(session: AsyncSession, scope: Scope, lesson_id: str, reason: str, now: datetime) -> Lesson:
    """停课, with its reason (``changes``)."""
    from server.lessons.changes import service as changes  # it stands on this module

    await changes.cancel(session, scope, lesson_id, reason, now)
    return await get_lesson(session, scope, lesson_id)


def move(lesson: Lesson, event: Event) -> None:
    """Apply an event somebody asked for; refuse what the table does not know."""
    state = after(lesson.state, event)
    if state is None:
        raise ConflictError("lesson_state", state=lesson.state)
    lesson.state = state


# --- what rooms report ------------------------------------------------------------------------------------------------


async def note_fact(session: AsyncSession, fact: Fact, now: datetime) -> None:
    """A room was opened, closed, reopened. Called once for each new fact, in the order of the ledger."""
    if fact.kind not in ("LessonOpened", "LessonClosed", "LessonReopened"):
        return
    lesson = await store.lesson(session, SYSTEM, fact.lesson, lock=True)
    if lesson is None:
        return
    at = from_ms(fact.at_ms)
    if fact.kind == "LessonOpened":
        lesson.opened_at = min(lesson.opened_at or at, at)
        _happened(lesson, "open")
    elif fact.kind == "LessonClosed":
        lesson.closed_at = max(lesson.closed_at or at, at)
        _happened(lesson, "close")
    elif lesson.closed_at is None or at >= lesson.closed_at:
        lesson.closed_at = None
        _happened(lesson, "reopen")


def _happened(lesson: Lesson, event: Event) -> None:
    lesson.state = after(lesson.state, event) or lesson.state
