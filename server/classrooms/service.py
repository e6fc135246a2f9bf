"""Rules of synchronous classrooms. Each belongs to its lead school; receiving rooms are its own or a paired one's."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time

from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts.service import held_posts
from server.classrooms import store
from server.classrooms.models import Classroom, Receiver
from server.classrooms.schemas import ClassroomBody, SlotBody
from server.clock import city_date
from server.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from server.ids import new_id
from server.ordinary import store as ordinary
from server.ordinary import words
from server.ordinary.falls import Hour, meet, needs_of
from server.schools import store as schools
from server.schools.models import Room
from server.schools.service import part_of
from server.scope import SYSTEM, Action, Scope, allows, within
from server.timetable.models import WeeklySlot


def may(scope: Scope, action: Action, classroom: Classroom) -> bool:
    return allows(scope, action, part_of(classroom.lead_room.school))


def may_create(scope: Scope) -> bool:
    return allows(scope, "classroom.write") and (scope.city or bool(scope.districts))


async def get(session: AsyncSession, scope: Scope, classroom_id: str) -> Classroom:
    classroom = await store.classroom(session, scope, classroom_id)
    if classroom is None:
        raise NotFoundError
    return classroom


async def get_for(session: AsyncSession, scope: Scope, classroom_id: str, action: Action) -> Classroom:
    classroom = await get(session, scope, classroom_id)
    if not may(scope, action, classroom):
        raise ForbiddenError
    return classroom


# --- checks -----------------------------------------------------------------------------------------------------------


async def _lead(session: AsyncSession, scope: Scope, body: ClassroomBody) -> Room:
    room = await store.room(session, scope, body.lead_room_id)
    if room is None or room.kind != "lead":
        raise InvalidError("classroom_lead_room", field="lead_room_id")
    if not allows(scope, "classroom.write", part_of(room.school)):
        raise ForbiddenError
    return room


async def _receiving(session: AsyncSession, scope: Scope, body: ClassroomBody, lead: Room, now: datetime) -> list[Room]:
    """The receiving rooms: distinct, of the asker's part of the city or of a school paired with the lead school."""
    ids = [one.room_id for one in body.receivers]
    if len(set(ids)) < len(ids) or lead.id in ids:
        raise InvalidError("classroom_rooms_twice", field="receivers")
    paired = set(await schools.paired_with(session, scope, [lead.school_id], city_date(now)))
    rooms: list[Room] = []
    for number, room_id in enumerate(ids):
        room = await store.room(session, scope, room_id)
        if room is None or room.kind != "receiving":
            raise InvalidError("classroom_receiving_room", field=f"receivers.{number}.room_id")
        if room.school_id not in paired and not within(scope, part_of(room.school)):
            raise InvalidError("classroom_unpaired", field=f"receivers.{number}.room_id", school=room.school.short_name)
        rooms.append(room)
    return rooms


async def _check_people(
    session: AsyncSession, scope: Scope, body: ClassroomBody, lead: Room, rooms: Sequence[Room], now: datetime
) -> None:
    """The lead teacher works at the lead school, each assistant at the room's school."""
    wanted = [("teacher", body.lead_teacher_id, lead, "lead_teacher_id")]
    for number, (one, room) in enumerate(zip(body.receivers, rooms, strict=True)):
        if one.assistant_id:
            wanted.append(("assistant", one.assistant_id, room, f"receivers.{number}.assistant_id"))
    for post, person_id, room, field in wanted:
        person = await store.person(session, scope, person_id)
        good = person is not None and person.disabled_at is None and person.school_id == room.school_id
        if person is None or not good or not any(p.post == post for p in held_posts(person, city_date(now))):
            raise InvalidError(f"classroom_{post}", field=field, school=room.school.short_name)


async def _check_classes(
    session: AsyncSession, scope: Scope, body: ClassroomBody, lead: Room, rooms: Sequence[Room]
) -> None:
    """A class of the room's own school, and each once: it cannot sit in two rooms."""
    ids = _classes(body)
    if len(set(ids)) < len(ids):
        raise InvalidError("classroom_class_twice", field="receivers")
    found = await store.classes(session, scope, ids)
    wanted = [("lead_class_id", body.lead_class_id, lead)]
    for number, (one, room) in enumerate(zip(body.receivers, rooms, strict=True)):
        wanted.append((f"receivers.{number}.class_id", one.class_id, room))
    for field, class_id, room in wanted:
        held = found.get(class_id) if class_id else None
        if class_id and (held is None or held.closed_on is not None or held.school_id != room.school_id):
            raise InvalidError("classroom_class", field=field, school=room.school.short_name)


def _classes(of: ClassroomBody | Classroom) -> list[str]:
    """The classes it is taught to: 本班, and those that receive."""
    return [one for one in (of.lead_class_id, *(held.class_id for held in of.receivers)) if one]


def _twice(one: SlotBody, others: Sequence[SlotBody] | Sequence[WeeklySlot]) -> bool:
    """Within one classroom, where a time stands once, 单双周 or not, and a 节次 once a day: lessons are known by it."""
    same = any((one.weekday, one.starts) == (other.weekday, other.starts) for other in others)
    return same or any(meet(one, other) or _same_period(one, other) for other in others)


def _same_period(one: SlotBody, other: SlotBody | WeeklySlot) -> bool:
    takes_turns = {one.weeks, other.weeks} == {"odd", "even"}
    return (one.weekday, one.period) == (other.weekday, other.period) and not takes_turns


async def _check_slots(session: AsyncSession, scope: Scope, body: ClassroomBody, but: str) -> None:
    """No room and no teacher twice at once: the warning that a clerk wants before the term, not at the bell."""
    for number, slot in enumerate(body.slots):
        if _twice(slot, body.slots[:number]):
            raise InvalidError("classroom_slots_twice", field=f"slots.{number}.starts")
    needs = _needs(body)
    rooms, people, classes = needs["room"], needs["person"], needs["class"]
    for held, classroom in await store.slots_beside(session, scope, body.term, rooms, people, classes, but):
        for number, slot in enumerate(body.slots):
            if meet(slot, held):
                raise await _busy(session, scope, classroom, field=f"slots.{number}.starts")
    await _check_ordinary(session, scope, body, but)


Needs = dict[str, list[str]]
"""Kind of resource -> ids."""


def _needs(of: ClassroomBody | Classroom) -> Needs:
    return {
        "room": [of.lead_room_id, *(one.room_id for one in of.receivers)],
        "person": [of.lead_teacher_id, *(one.assistant_id for one in of.receivers if one.assistant_id)],
        "class": _classes(of),
    }


async def _check_ordinary(session: AsyncSession, scope: Scope, body: ClassroomBody, but: str) -> None:
    """Nobody is asked for while they teach or learn at home. What stood here before the school wrote its timetable
    goes on standing: the classroom may be renamed."""
    hours = await ordinary.hours_beside(session, SYSTEM, body.term, _needs(body)) if body.slots else []
    if not hours:
        return
    old = await store.classroom(session, SYSTEM, but) if but else None
    stood = _needs(old) if old else {}
    times = {_when(one) for one in (await store.slots(session, SYSTEM, [but]))[but]} if old else set()
    for hour in hours:
        for number, slot in enumerate(body.slots):
            if meet(slot, hour):
                kept = stood if _when(slot) in times else {}
                await _refuse_ordinary(session, scope, hour, _needs(body), kept, field=f"slots.{number}.starts")


def _when(slot: SlotBody | WeeklySlot) -> tuple[int, time, int, str]:
    return slot.weekday, slot.starts, slot.minutes, slot.weeks


async def _refuse_ordinary(
    session: AsyncSession, scope: Scope, hour: Hour, needs: Needs, kept: Needs, **where: str
) -> None:
    """Unless all that the hour shares with the classroom is ``kept``. Named to whoever may see that timetable."""
    held = [need for need in sorted(needs_of(hour)) if need.id in needs[need.kind]]
    new = [need for need in held if need.id not in kept.get(need.kind, ())]
    if not new:
        return
    seen = (await ordinary.named(session, scope, [hour.id])).get(hour.id)
    if seen is None:
        raise ConflictError("classroom_taken", **where)
    name = words.names(seen)[new[0].kind]
    raise ConflictError("classroom_ordinary", name=name, **words.words(seen, new[0].kind), **where)


async def _busy(session: AsyncSession, scope: Scope, other: Classroom, **where: str) -> ConflictError:
    """Names the classroom in the way to whoever may see it."""
    if await store.classroom(session, scope, other.id) is None:
        return ConflictError("classroom_taken", **where)
    return ConflictError("classroom_busy", name=other.name, **where)


async def _checked(session: AsyncSession, scope: Scope, body: ClassroomBody, now: datetime, but: str = "") -> None:
    lead = await _lead(session, scope, body)
    if body.term not in {term.id for term in await store.terms(session, scope)}:
        raise InvalidError("classroom_term", field="term")
    rooms = await _receiving(session, scope, body, lead, now)
    await _check_people(session, scope, body, lead, rooms, now)
    await _check_classes(session, scope, body, lead, rooms)
    await _check_slots(session, scope, body, but)


# --- writing ----------------------------------------------------------------------------------------------------------


def _receivers(classroom_id: str, body: ClassroomBody) -> list[Receiver]:
    return [
        Receiver(
            id=new_id(),
            classroom_id=classroom_id,
            position=position,
            room_id=one.room_id,
            assistant_id=one.assistant_id,
            class_id=one.class_id,
        )
        for position, one in enumerate(body.receivers, 1)
    ]


def _slots(classroom_id: str, body: ClassroomBody) -> list[WeeklySlot]:
    return [WeeklySlot(id=new_id(), classroom_id=classroom_id, **slot.model_dump()) for slot in body.slots]


async def create(session: AsyncSession, scope: Scope, body: ClassroomBody, now: datetime) -> Classroom:
    await _checked(session, scope, body, now)
    plain = body.model_dump(exclude={"receivers", "slots"})
    classroom = Classroom(id=new_id(), created_at=now, **plain)
    await store.add(session, scope, classroom)
    await store.replace_receivers(session, scope, classroom, _receivers(classroom.id, body))
    await store.replace_slots(session, scope, classroom.id, _slots(classroom.id, body))
    await session.refresh(classroom, ["lead_room", "lead_teacher", "lead_class"])
    return classroom


async def edit(session: AsyncSession, scope: Scope, classroom_id: str, body: ClassroomBody, now: datetime) -> Classroom:
    """Lessons already published keep what they were published with; the timetable's next run takes the new."""
    classroom = await get_for(session, scope, classroom_id, "classroom.write")
    await _checked(session, scope, body, now, classroom.id)
    for name, value in body.model_dump(exclude={"receivers", "slots"}).items():
        setattr(classroom, name, value)
    await store.replace_receivers(session, scope, classroom, _receivers(classroom.id, body))
    await store.replace_slots(session, scope, classroom.id, _slots(classroom.id, body))
    await session.refresh(classroom, ["lead_room", "lead_teacher", "lead_class"])
    return classroom


async def add_slot(session: AsyncSession, scope: Scope, classroom_id: str, slot: SlotBody) -> Classroom:
    """One more time a week, as the slot finder proposes it."""
    classroom = await get_for(session, scope, classroom_id, "classroom.write")
    held = (await store.slots(session, scope, [classroom.id]))[classroom.id]
    if _twice(slot, held):
        raise ConflictError("classroom_busy", name=classroom.name)
    needs = _needs(classroom)
    rooms, people, classes = needs["room"], needs["person"], needs["class"]
    beside = await store.slots_beside(session, scope, classroom.term, rooms, people, classes, classroom.id)
    for other, whose in beside:
        if meet(slot, other):
            raise await _busy(session, scope, whose)
    for hour in await ordinary.hours_beside(session, SYSTEM, classroom.term, needs):
        if meet(slot, hour):
            await _refuse_ordinary(session, scope, hour, needs, {})
    await store.add(session, scope, WeeklySlot(id=new_id(), classroom_id=classroom.id, **slot.model_dump()))
    return classroom


async def archive(session: AsyncSession, scope: Scope, classroom_id: str, now: datetime) -> None:
    classroom = await get_for(session, scope, classroom_id, "classroom.write")
    classroom.archived_at = classroom.archived_at or now


async def restore(session: AsyncSession, scope: Scope, classroom_id: str) -> None:
    classroom = await get_for(session, scope, classroom_id, "classroom.write")
    classroom.archived_at = None
