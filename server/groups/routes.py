"""JSON of groups of schools."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.groups import service, store
from server.groups.schemas import GroupBody, GroupEdit, GroupEnd, GroupSeen, GroupsSeen, MemberBody
from server.paging import MAX_PAGE, MOST, PAGE_ROWS, Words
from server.schools.schemas import Id
from server.scope import Scope, allows

router = APIRouter(prefix="/api/v1/groups", tags=["groups"])


def may_read(scope: SignedIn) -> Scope:
    if not allows(scope, "group.read"):
        raise ForbiddenError
    return scope


def wanted(
    q: Words = "",
    kind: Literal["", "education_group", "area", "community", "direct"] = "",
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    state: Literal["", "ended"] = "",
) -> store.GroupFilter:
    return store.GroupFilter(q, kind, school, state)


Reader = Annotated[Scope, Depends(may_read)]
Wanted = Annotated[store.GroupFilter, Depends(wanted)]


@router.get("")
async def get_groups(
    session: Reading,
    scope: Reader,
    wanted: Wanted,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> GroupsSeen:
    rows, paging = await store.list_groups(session, scope, wanted, page, size)
    items = [GroupSeen.model_validate(row) for row in rows]
    return GroupsSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.post("", status_code=201)
async def post_group(session: Writing, scope: SignedIn, clock: ClockDep, body: GroupBody) -> GroupSeen:
    return GroupSeen.model_validate(await service.create(session, scope, body, clock.now()))


@router.get("/{group_id}")
async def get_group(session: Reading, scope: Reader, group_id: Id) -> GroupSeen:
    return GroupSeen.model_validate(await service.get(session, scope, group_id))


@router.put("/{group_id}")
async def put_group(session: Writing, scope: SignedIn, group_id: Id, body: GroupEdit) -> GroupSeen:
    return GroupSeen.model_validate(await service.edit(session, scope, group_id, body))


@router.post("/{group_id}/members", status_code=201)
async def post_member(session: Writing, scope: SignedIn, clock: ClockDep, group_id: Id, body: MemberBody) -> GroupSeen:
    return GroupSeen.model_validate(await service.join(session, scope, group_id, body, clock.now()))


@router.post("/{group_id}/members/{member_id}/end")
async def post_leave(
    session: Writing, scope: SignedIn, clock: ClockDep, group_id: Id, member_id: Id, body: GroupEnd
) -> GroupSeen:
    return GroupSeen.model_validate(await service.leave(session, scope, group_id, member_id, body.ends_on, clock.now()))


@router.post("/{group_id}/end")
async def post_end(session: Writing, scope: SignedIn, clock: ClockDep, group_id: Id, body: GroupEnd) -> GroupSeen:
    return GroupSeen.model_validate(await service.end(session, scope, group_id, body.ends_on, clock.now()))
