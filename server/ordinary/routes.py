"""JSON of ordinary timetables."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError, NotFoundError
from server.ordinary import beside, service, store, words
from server.ordinary.models import OrdinarySlot
from server.ordinary.schemas import BesideSeen, HourBody, HourCreate, HourSeen, HoursSeen
from server.paging import MAX_PAGE, MOST, PAGE_ROWS
from server.schools import store as schools
from server.schools.schemas import Id
from server.scope import Scope, allows

router = APIRouter(prefix="/api/v1/ordinary", tags=["timetable"])


def may_read(scope: SignedIn) -> Scope:
    """Some of it; which, ``store.visible`` says."""
    if not allows(scope, "ordinary.read"):
        raise ForbiddenError
    return scope


Reader = Annotated[Scope, Depends(may_read)]


def wanted(
    term: Annotated[str, Query(pattern="^[0-9-]{0,12}$")] = "",
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    of: Annotated[Literal["", "class", "person", "room"], Query(description="Whose hours; ``id`` says which")] = "",
    id: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    weekday: Annotated[int | None, Query(ge=1, le=7)] = None,
) -> store.SlotFilter:
    return store.SlotFilter(term, school, of, id, weekday)


def seen(row: OrdinarySlot) -> HourSeen:
    held = words.names(row)
    names = ("id", "school_id", "term", "weekday", "period", "weeks", "starts", "minutes", "follows_bell", "subject")
    ids = ("class_id", "teacher_id", "room_id")
    return HourSeen.model_validate(
        {
            **{name: getattr(row, name) for name in (*names, *ids)},
            "school": row.school.name,
            "school_class": held.get("class"),
            "teacher": held.get("person"),
            "room": held.get("room"),
        }
    )


@router.get("")
async def get_hours(
    session: Reading,
    scope: Reader,
    wanted: Annotated[store.SlotFilter, Depends(wanted)],
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> HoursSeen:
    """Of terms, schools, classes, teachers, rooms; a teacher's own."""
    rows, paging = await store.page_of_slots(session, scope, wanted, page, size)
    return HoursSeen(items=[seen(row) for row in rows], count=paging.count, page=paging.page, pages=paging.pages)


@router.get("/beside")
async def get_beside(
    session: Reading,
    scope: Reader,
    term: Annotated[str, Query(pattern=r"^\d{4}-[12]$")],
    school: Annotated[str, Query(pattern="^[a-z0-9]{1,24}$")],
) -> list[BesideSeen]:
    """Hours of a school that lie upon weekly slots of synchronous classrooms, which stand."""
    if await schools.school(session, scope, school) is None:
        raise NotFoundError
    return [
        BesideSeen(
            hour=seen(row),
            kind=one.need.kind,
            name=words.names(row)[one.need.kind],
            classroom_id=one.classroom.id,
            classroom=one.classroom.name,
            starts=one.weekly.starts,
            minutes=one.weekly.minutes,
        )
        for row, one in await beside.of_school(session, scope, term, school)
    ]


@router.post("", status_code=201)
async def post_hour(session: Writing, scope: SignedIn, clock: ClockDep, body: HourCreate) -> HourSeen:
    return seen(await service.create(session, scope, body, clock.now()))


@router.get("/{slot_id}")
async def get_hour(session: Reading, scope: Reader, slot_id: Id) -> HourSeen:
    return seen(await service.get(session, scope, slot_id))


@router.put("/{slot_id}")
async def put_hour(session: Writing, scope: SignedIn, clock: ClockDep, slot_id: Id, body: HourBody) -> HourSeen:
    return seen(await service.edit(session, scope, slot_id, body, clock.now()))


@router.delete("/{slot_id}", status_code=204)
async def delete_hour(session: Writing, scope: SignedIn, slot_id: Id) -> None:
    await service.drop(session, scope, slot_id)
