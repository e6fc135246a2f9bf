"""JSON of studios: finding them. Setting them up is ``admin``'s."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query

from server.dependencies import ClockDep, Reading, SignedIn
from server.errors import ForbiddenError
from server.paging import MAX_PAGE, MOST, PAGE_ROWS, Words
from server.schools.schemas import Id
from server.scope import Scope, allows
from server.studios import service, store
from server.studios.models import Studio
from server.studios.schemas import MemberSeen, StudioHome, StudioSeen, StudiosSeen

router = APIRouter(prefix="/api/v1/studios", tags=["studios"])


def may_read(scope: SignedIn) -> Scope:
    if not allows(scope, "studio.read"):
        raise ForbiddenError
    return scope


Reader = Annotated[Scope, Depends(may_read)]


def wanted(
    q: Words = "",
    subject: Annotated[str, Query(pattern="^[a-z_]{0,32}$")] = "",
    phase: Literal["", "primary", "junior"] = "",
    district: Annotated[str, Query(pattern="^([0-9]{6}|city)?$")] = "",
) -> store.StudioFilter:
    return store.StudioFilter(q, subject, phase, district)


Wanted = Annotated[store.StudioFilter, Depends(wanted)]
PageNumber = Annotated[int, Query(ge=1, le=MAX_PAGE)]


def plain(studio: Studio) -> dict[str, Any]:
    return {
        "id": studio.id,
        "name": studio.name,
        "subject": studio.subject,
        "phase": studio.phase,
        "school": studio.school.name,
        "host": studio.host.name,
        "members": sum(member.left_on is None for member in studio.members),
        "accepted_on": studio.accepted_on,
    }


@router.get("")
async def get_studios(
    session: Reading,
    scope: Reader,
    wanted: Wanted,
    page: PageNumber = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> StudiosSeen:
    rows, paging = await store.list_studios(session, scope, wanted, page, size)
    items = [StudioSeen(**plain(row)) for row in rows]
    return StudiosSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.get("/{studio_id}")
async def get_studio(session: Reading, scope: Reader, clock: ClockDep, studio_id: Id) -> StudioHome:
    home = await service.home(session, scope, studio_id, clock.now())
    people = [
        MemberSeen(
            person_id=one.person_id,
            name=one.person.name,
            school=home.schools[one.person.school_id].name if one.person.school_id else None,
            role=one.role,
            joined_on=one.joined_on,
        )
        for one in home.members
    ]
    return StudioHome(**plain(home.studio), about=home.studio.about, people=people)
