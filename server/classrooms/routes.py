"""JSON of synchronous classrooms."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from server.classrooms import service, store
from server.classrooms.models import Classroom
from server.classrooms.schemas import ClassroomBody, ClassroomSeen, ClassroomsSeen, ReceiverSeen, SlotSeen
from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.paging import MAX_PAGE, MOST, PAGE_ROWS, Words
from server.schools.schemas import Id
from server.scope import Scope, allows
from server.timetable.models import WeeklySlot

router = APIRouter(prefix="/api/v1/classrooms", tags=["classrooms"])


def may_read(scope: SignedIn) -> Scope:
    if not allows(scope, "classroom.read"):
        raise ForbiddenError
    return scope


Reader = Annotated[Scope, Depends(may_read)]


def wanted(
    q: Words = "",
    subject: Annotated[str, Query(pattern="^[a-z_]{0,32}$")] = "",
    district: Annotated[str, Query(pattern="^([0-9]{6}|city)?$")] = "",
    term: Annotated[str, Query(pattern="^[0-9-]{0,12}$")] = "",
    state: Literal["", "accepted", "archived"] = "",
    sort: Annotated[str, Query(pattern=r"^-?(name|subject|grade|school)$")] = "name",
) -> store.ClassroomFilter:
    return store.ClassroomFilter(q, subject, district, term, state, sort)


Wanted = Annotated[store.ClassroomFilter, Depends(wanted)]
PageNumber = Annotated[int, Query(ge=1, le=MAX_PAGE)]


def seen(classroom: Classroom, slots: list[WeeklySlot]) -> ClassroomSeen:
    return ClassroomSeen(
        id=classroom.id,
        name=classroom.name,
        subject=classroom.subject,
        grade=classroom.grade,
        term=classroom.term,
        form=classroom.form,
        lead_school=classroom.lead_room.school.name,
        lead_room=classroom.lead_room.name,
        lead_teacher=classroom.lead_teacher.name,
        lead_class_id=classroom.lead_class_id,
        lead_class=classroom.lead_class.called if classroom.lead_class else None,
        receivers=[
            ReceiverSeen(
                room_id=one.room_id,
                room=one.room.name,
                school=one.room.school.name,
                assistant=one.assistant.name if one.assistant else None,
                class_id=one.class_id,
                school_class=one.school_class.called if one.school_class else None,
                expected=one.expected,
            )
            for one in classroom.receivers
        ],
        slots=[SlotSeen.model_validate(slot) for slot in slots],
        accepted_on=classroom.accepted_on,
        archived=classroom.archived_at is not None,
    )


async def _one(session: Reading, scope: Scope, classroom: Classroom) -> ClassroomSeen:
    return seen(classroom, (await store.slots(session, scope, [classroom.id]))[classroom.id])


@router.get("")
async def get_classrooms(
    session: Reading,
    scope: Reader,
    wanted: Wanted,
    page: PageNumber = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> ClassroomsSeen:
    rows, paging = await store.list_classrooms(session, scope, wanted, page, size)
    slots = await store.slots(session, scope, [row.id for row in rows])
    items = [seen(row, slots[row.id]) for row in rows]
    return ClassroomsSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.post("", status_code=201)
async def post_classroom(session: Writing, scope: SignedIn, clock: ClockDep, body: ClassroomBody) -> ClassroomSeen:
    return await _one(session, scope, await service.create(session, scope, body, clock.now()))


@router.get("/{classroom_id}")
async def get_classroom(session: Reading, scope: Reader, classroom_id: Id) -> ClassroomSeen:
    return await _one(session, scope, await service.get(session, scope, classroom_id))


@router.put("/{classroom_id}")
async def put_classroom(
    session: Writing, scope: SignedIn, clock: ClockDep, classroom_id: Id, body: ClassroomBody
) -> ClassroomSeen:
    return await _one(session, scope, await service.edit(session, scope, classroom_id, body, clock.now()))


@router.post("/{classroom_id}/archive", status_code=204)
async def post_archive(session: Writing, scope: SignedIn, clock: ClockDep, classroom_id: Id) -> None:
    await service.archive(session, scope, classroom_id, clock.now())


@router.post("/{classroom_id}/restore", status_code=204)
async def post_restore(session: Writing, scope: SignedIn, classroom_id: Id) -> None:
    await service.restore(session, scope, classroom_id)
