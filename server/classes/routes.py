"""JSON of classes."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from server.classes import service, store
from server.classes.grades import FIRST, LAST, entry_year, grade_on
from server.classes.schemas import ClassCreate, ClassEdit, ClassesSeen, ClassSeen, ConsentBody
from server.clock import city_date
from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.paging import MAX_PAGE, MOST, PAGE_ROWS
from server.schools.models import SchoolClass, consent_now
from server.schools.schemas import Id
from server.scope import Scope, allows

router = APIRouter(prefix="/api/v1/classes", tags=["classes"])


def may_read(scope: SignedIn) -> Scope:
    if not allows(scope, "class.read"):
        raise ForbiddenError
    return scope


def wanted(
    clock: ClockDep,
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    district: Annotated[str, Query(pattern="^([0-9]{6})?$")] = "",
    grade: Annotated[str, Query(pattern="^[1-9]?$")] = "",
    state: Literal["", "closed", "consent"] = "",
) -> store.ClassFilter:
    entries: tuple[tuple[str, int], ...] = ()
    today = city_date(clock.now())
    if grade:
        number = int(grade)
        entries = tuple((p, entry_year(p, number, today)) for p in FIRST if FIRST[p] <= number <= LAST[p])
    return store.ClassFilter(school, district, state, today, entries)


Reader = Annotated[Scope, Depends(may_read)]
Wanted = Annotated[store.ClassFilter, Depends(wanted)]


def seen(row: SchoolClass, clock: ClockDep) -> ClassSeen:
    today = city_date(clock.now())
    return ClassSeen(
        id=row.id,
        school_id=row.school_id,
        school=row.school.name,
        phase=row.phase,
        entry_year=row.entry_year,
        number=row.number,
        grade=grade_on(row.phase, row.entry_year, today),
        name=row.name,
        pupils=row.pupils,
        head_id=row.head_id,
        **{name: getattr(row, name) for name in ConsentBody.model_fields},
        consent=consent_now(row, today),
        closed_on=row.closed_on,
    )


@router.get("")
async def get_classes(
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    wanted: Wanted,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> ClassesSeen:
    rows, paging = await store.list_classes(session, scope, wanted, page, size)
    items = [seen(row, clock) for row in rows]
    return ClassesSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.post("", status_code=201)
async def post_class(session: Writing, scope: SignedIn, clock: ClockDep, body: ClassCreate) -> ClassSeen:
    return seen(await service.create(session, scope, body, clock.now()), clock)


@router.get("/{class_id}")
async def get_class(session: Reading, scope: Reader, clock: ClockDep, class_id: Id) -> ClassSeen:
    return seen(await service.get(session, scope, class_id, "class.read"), clock)


@router.put("/{class_id}")
async def put_class(session: Writing, scope: SignedIn, clock: ClockDep, class_id: Id, body: ClassEdit) -> ClassSeen:
    return seen(await service.edit(session, scope, class_id, body, clock.now()), clock)


@router.post("/{class_id}/close")
async def post_close(session: Writing, scope: SignedIn, clock: ClockDep, class_id: Id) -> ClassSeen:
    """Close it, or open it again."""
    return seen(await service.close(session, scope, class_id, clock.now()), clock)
