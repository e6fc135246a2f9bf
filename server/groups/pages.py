"""Pages of groups of schools: list with its form, one group with its members through the years."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from server.choices.service import Offer, offer
from server.clock import city_date
from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.forms import Form, attempt, carried_out, submitted
from server.groups import service, store
from server.groups.models import Membership
from server.groups.routes import Reader, Wanted
from server.groups.schemas import KINDS, GroupBody, GroupEdit, GroupEnd, MemberBody
from server.paging import PAGE_ROWS, ListPage, base_of, page_of
from server.schools import store as schools
from server.schools.schemas import Id
from server.scope import Part, Scope, allows
from server.templating import Page

router = APIRouter(include_in_schema=False)

LIST = "/admin/groups"
DONE = ("created", "saved", "joined", "left", "ended")


async def _names(page: Page, session: AsyncSession, scope: Scope) -> dict[str | None, str]:
    return {**dict(page.named(await schools.districts(session, scope))), None: page.t("admin.groups.city")}


async def _list(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    wanted: store.GroupFilter,
    number: int,
    form: Form,
) -> Response:
    rows, paging = await store.list_groups(session, scope, wanted, number, PAGE_ROWS)
    today, names = city_date(clock.now()), await _names(page, session, scope)
    form.values.setdefault("starts_on", today.isoformat())
    return page.render(
        "admin/groups.html",
        status=422 if form.bad else 200,
        rows=[(row, _now(row, today)) for row in rows],
        paging=paging,
        wanted=wanted,
        kinds=KINDS,
        names=names,
        mine=[one for one in names if allows(scope, "group.write", Part(district=one))],
        base=base_of(asdict(wanted)),
        form=form,
    )


def _order(member: Membership) -> tuple[bool, bool, date, str]:
    """Lead schools first, who has left last."""
    return member.ends_on is not None, member.role != "lead", member.starts_on, member.id


def _now(group: Any, day: Any) -> tuple[list[Any], int]:
    """Today's lead schools, and how many members there are with them."""
    held = [one for one in group.members if one.starts_on <= day and (one.ends_on is None or one.ends_on > day)]
    return [one.school for one in held if one.role == "lead"], len(held)


@router.get(LIST)
async def get_list(
    page: Html, session: Reading, scope: Reader, clock: ClockDep, wanted: Wanted, number: ListPage = 1
) -> Response:
    return await _list(page, session, scope, clock, wanted, number, Form())


@router.post(LIST)
async def post_group(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, wanted: Wanted
) -> Response:
    form, body = await submitted(request, GroupBody, page.t)
    made = await attempt(request, form, service.create(session, scope, body, clock.now())) if body else None
    if made is None:
        if not allows(scope, "group.write"):
            raise ForbiddenError
        return await _list(page, session, scope, clock, wanted, 1, form)
    return RedirectResponse(f"{LIST}/{made.id}?done=created", 303)


async def _group(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    clock: ClockDep,
    group_id: str,
    forms: dict[str, Form],
    done: str = "",
    number: int = 1,
) -> Response:
    group, today = await service.get(session, scope, group_id), city_date(clock.now())
    may_write = service.may(scope, "group.write", group)
    chosen = [forms["member"].value("school_id")] if "member" in forms else []
    members, paging = page_of(sorted(group.members, key=_order), number)
    return page.render(
        "admin/group.html",
        status=422 if any(form.bad for form in forms.values()) else 200,
        group=group,
        members=members,
        paging=paging,
        today=today,
        names=await _names(page, session, scope),
        may_write=may_write,
        choosable=await offer(session, scope, "all_schools", today, chosen) if may_write else Offer(),
        forms={
            "edit": Form({"name": group.name, "about": group.about}),
            "member": Form({"starts_on": today.isoformat()}),
            "end": Form({"ends_on": today.isoformat()}),
            **forms,
        },
        done=done if done in DONE else "",
    )


@router.get(LIST + "/{group_id}")
async def get_group(
    page: Html,
    session: Reading,
    scope: Reader,
    clock: ClockDep,
    group_id: Id,
    number: ListPage = 1,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    return await _group(page, session, scope, clock, group_id, {}, done, number)


Doing = Callable[[Any], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Change:
    """One of the small forms on a group's page: done and back, or the page again with what was wrong."""

    request: Request
    page: Html
    session: Writing
    scope: SignedIn
    clock: ClockDep
    group_id: Id

    async def of(self, name: str, schema: type[BaseModel], doing: Doing, done: str) -> Response:
        await service.get_for(self.session, self.scope, self.group_id)
        form = await carried_out(self.request, schema, self.page.t, doing)
        if form.bad:
            return await _group(self.page, self.session, self.scope, self.clock, self.group_id, {name: form})
        return RedirectResponse(f"{LIST}/{self.group_id}?done={done}", 303)


ChangeDep = Annotated[Change, Depends()]


@router.post(LIST + "/{group_id}/edit")
async def post_edit(to: ChangeDep) -> Response:
    return await to.of("edit", GroupEdit, lambda body: service.edit(to.session, to.scope, to.group_id, body), "saved")


@router.post(LIST + "/{group_id}/members")
async def post_member(to: ChangeDep) -> Response:
    return await to.of(
        "member",
        MemberBody,
        lambda body: service.join(to.session, to.scope, to.group_id, body, to.clock.now()),
        "joined",
    )


@router.post(LIST + "/{group_id}/members/{member_id}/end")
async def post_leave(to: ChangeDep, member_id: Id) -> Response:
    def leave(body: GroupEnd) -> Awaitable[object]:
        return service.leave(to.session, to.scope, to.group_id, member_id, body.ends_on, to.clock.now())

    return await to.of("end", GroupEnd, leave, "left")


@router.post(LIST + "/{group_id}/end")
async def post_end(to: ChangeDep) -> Response:
    def end(body: GroupEnd) -> Awaitable[object]:
        return service.end(to.session, to.scope, to.group_id, body.ends_on, to.clock.now())

    return await to.of("end", GroupEnd, end, "ended")
