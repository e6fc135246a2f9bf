"""JSON of people administration."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request

from server.accounts.admin import service, store
from server.accounts.admin.schemas import (
    OneTime,
    PeopleSeen,
    PersonCreate,
    PersonEdit,
    PersonSeen,
    PostBody,
    PostEnd,
    PostSeen,
)
from server.accounts.models import Person
from server.audit.service import looked_at_people
from server.clock import city_date
from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.paging import MAX_PAGE, MOST, PAGE_ROWS, Words
from server.schools.schemas import Id
from server.scope import Scope, allows

router = APIRouter(prefix="/api/v1/people", tags=["people"])


def may_read(scope: SignedIn) -> Scope:
    if not allows(scope, "person.read"):
        raise ForbiddenError
    return scope


Reader = Annotated[Scope, Depends(may_read)]


def wanted(
    q: Words = "",
    post: Annotated[str, Query(pattern="^[a-z_]{0,24}$")] = "",
    district: Annotated[str, Query(pattern="^([0-9]{6}|city)?$")] = "",
    school: Annotated[str, Query(pattern="^[a-z0-9]{0,24}$")] = "",
    state: Literal["", "disabled"] = "",
    sort: Annotated[str, Query(pattern=r"^-?(name|login|school)$")] = "name",
) -> store.PeopleFilter:
    return store.PeopleFilter(q, post, district, school, state, sort)


Wanted = Annotated[store.PeopleFilter, Depends(wanted)]
PageNumber = Annotated[int, Query(ge=1, le=MAX_PAGE)]


def seen(person: Person) -> PersonSeen:
    return PersonSeen(
        id=person.id,
        login=person.login,
        name=person.name,
        school_id=person.school_id,
        subject=person.subject,
        disabled=person.disabled_at is not None,
        posts=[PostSeen.model_validate(post) for post in person.posts],
    )


@router.get("")
async def get_people(
    request: Request,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    wanted: Wanted,
    page: PageNumber = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> PeopleSeen:
    rows, paging = await store.list_people(session, scope, wanted, city_date(clock.now()), page, size)
    await looked_at_people(request, rows)
    return PeopleSeen(items=[seen(row) for row in rows], count=paging.count, page=paging.page, pages=paging.pages)


@router.post("", status_code=201)
async def post_person(
    request: Request, session: Writing, scope: SignedIn, clock: ClockDep, body: PersonCreate
) -> OneTime:
    person, password = await service.create(session, scope, body, request.app.state.passwords, clock.now())
    return OneTime(person=seen(person), password=password)


@router.get("/{person_id}")
async def get_person(request: Request, session: Reading, scope: Reader, person_id: Id) -> PersonSeen:
    person = await service.get(session, scope, person_id)
    await looked_at_people(request, [person])
    return seen(person)


@router.put("/{person_id}")
async def put_person(session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id, body: PersonEdit) -> PersonSeen:
    return seen(await service.edit(session, scope, person_id, body, clock.now()))


@router.post("/{person_id}/password")
async def post_password(request: Request, session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id) -> OneTime:
    passwords = request.app.state.passwords
    person, password = await service.reset_password(session, scope, person_id, passwords, clock.now())
    return OneTime(person=seen(person), password=password)


@router.post("/{person_id}/disable", status_code=204)
async def post_disable(session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id) -> None:
    await service.disable(session, scope, person_id, clock.now())


@router.post("/{person_id}/enable", status_code=204)
async def post_enable(session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id) -> None:
    await service.enable(session, scope, person_id, clock.now())


@router.post("/{person_id}/posts", status_code=201)
async def post_post(session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id, body: PostBody) -> PostSeen:
    return PostSeen.model_validate(await service.give_post(session, scope, person_id, body, clock.now()))


@router.post("/{person_id}/posts/{post_id}/end", status_code=204)
async def post_end(
    session: Writing, scope: SignedIn, clock: ClockDep, person_id: Id, post_id: Id, body: PostEnd
) -> None:
    await service.end_post(session, scope, person_id, post_id, body.ends_on, clock.now())
