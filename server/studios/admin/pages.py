"""Pages of setting up studios: the list with its form, one studio with its members through the years."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import offer
from server.classrooms.schemas import SUBJECTS
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, carried_out, submitted
from server.paging import PAGE_ROWS, ListPage, base_of, page_of
from server.schools.schemas import Id
from server.scope import Scope, allows
from server.studios import store
from server.studios.activities.service import studio_for
from server.studios.admin import service
from server.studios.admin.schemas import MemberBody, MemberEnd, StudioBody
from server.studios.models import Studio
from server.studios.routes import Wanted
from server.studios.service import ROLES
from server.templating import Page

router = APIRouter(include_in_schema=False)

LIST = "/admin/studios"
DONE = ("created", "saved", "joined", "left")


def may_keep_one(scope: SignedIn) -> Scope:
    if not allows(scope, "studio.write"):
        raise ForbiddenError
    return scope


Keeper = Annotated[Scope, Depends(may_keep_one)]


async def _choosable(session: AsyncSession, scope: Scope, clock: ClockDep, form: Form) -> dict[str, Any]:
    """What the studio's own form offers."""
    today = city_date(clock.now())
    return {
        "subjects": SUBJECTS,
        "schools": await offer(session, scope, "schools", today, [form.value("school_id")]),
        "hosts": await offer(session, scope, "teachers", today, [form.value("host_id")]),
    }


async def _list(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    wanted: store.StudioFilter,
    number: int,
    form: Form,
) -> Response:
    rows, paging = await store.list_kept(session, scope, wanted, number, PAGE_ROWS)
    may_create = allows(scope, "studio.keep")
    return page.render(
        "admin/studios.html",
        status=422 if form.bad else 200,
        rows=rows,
        members_on=store.members_on,
        today=city_date(clock.now()),
        paging=paging,
        wanted=wanted,
        base=base_of(asdict(wanted)),
        form=form,
        may_create=may_create,
        **(await _choosable(session, scope, clock, form) if may_create else {"subjects": SUBJECTS}),
    )


@router.get(LIST)
async def get_list(
    page: Html, session: Reading, scope: Keeper, clock: ClockDep, wanted: Wanted, number: ListPage = 1
) -> Response:
    return await _list(page, session, scope, clock, wanted, number, Form())


@router.post(LIST)
async def post_studio(
    request: Request, page: Html, session: Writing, scope: Keeper, clock: ClockDep, wanted: Wanted
) -> Response:
    if not allows(scope, "studio.keep"):
        raise ForbiddenError
    form, body = await submitted(request, StudioBody, page.t)
    made = await attempt(request, form, service.create(session, scope, body, clock.now())) if body else None
    if made is None:
        return await _list(page, session, scope, clock, wanted, 1, form)
    return RedirectResponse(f"{LIST}/{made.id}?done=created", 303)


def _flat(studio: Studio) -> Form:
    return Form({name: getattr(studio, name) for name in StudioBody.model_fields})


async def _studio(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    studio_id: str,
    forms: dict[str, Form],
    done: str = "",
    number: int = 1,
) -> Response:
    studio, today = await studio_for(session, scope, studio_id), city_date(clock.now())
    may_keep = service.may_keep(scope, studio)
    edit = forms.get("edit") or _flat(studio)
    member = forms.get("member") or Form({"joined_on": today.isoformat(), "role": "member"})
    ordered = sorted(studio.members, key=lambda one: (one.left_on is not None, one.joined_on, one.id))
    members, paging = page_of(ordered, number)
    places = {one.person.school_id for one in members if one.person.school_id}
    return page.render(
        "admin/studio.html",
        status=422 if any(form.bad for form in forms.values()) else 200,
        studio=studio,
        members=members,
        paging=paging,
        today=today,
        roles=ROLES,
        places=await store.schools_of(session, scope, sorted(places)),
        may_keep=may_keep,
        teachers=await offer(session, scope, "all_teachers", today, [member.value("person_id")]),
        forms={"edit": edit, "member": member, "end": forms.get("end") or Form()},
        done=done if done in DONE else "",
        **(await _choosable(session, scope, clock, edit) if may_keep else {}),
    )


@router.get(LIST + "/{studio_id}")
async def get_studio(
    page: Html,
    session: Reading,
    scope: Keeper,
    clock: ClockDep,
    studio_id: Id,
    number: ListPage = 1,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    return await _studio(page, session, scope, clock, studio_id, {}, done, number)


@dataclass(frozen=True, slots=True)
class Change:
    """One of the small forms on a studio's page: done and back, or the page again with what was wrong."""

    request: Request
    page: Html
    session: Writing
    scope: Keeper
    clock: ClockDep
    studio_id: Id

    async def of(
        self, name: str, schema: type[BaseModel], doing: Callable[[Any], Awaitable[object]], done: str
    ) -> Response:
        await studio_for(self.session, self.scope, self.studio_id)
        form = await carried_out(self.request, schema, self.page.t, doing)
        if form.bad:
            return await _studio(self.page, self.session, self.scope, self.clock, self.studio_id, {name: form})
        return RedirectResponse(f"{LIST}/{self.studio_id}?done={done}", 303)


ChangeDep = Annotated[Change, Depends()]


@router.post(LIST + "/{studio_id}/edit")
async def post_edit(to: ChangeDep) -> Response:
    def edit(body: StudioBody) -> Awaitable[object]:
        return service.edit(to.session, to.scope, to.studio_id, body, to.clock.now())

    return await to.of("edit", StudioBody, edit, "saved")


@router.post(LIST + "/{studio_id}/members")
async def post_member(to: ChangeDep) -> Response:
    def join(body: MemberBody) -> Awaitable[object]:
        return service.join(to.session, to.scope, to.studio_id, body, to.clock.now())

    return await to.of("member", MemberBody, join, "joined")


@router.post(LIST + "/{studio_id}/members/{member_id}/end")
async def post_leave(to: ChangeDep, member_id: Id) -> Response:
    def leave(body: MemberEnd) -> Awaitable[object]:
        return service.leave(to.session, to.scope, to.studio_id, member_id, body.left_on, to.clock.now())

    return await to.of("end", MemberEnd, leave, "left")
