"""Pages of channels: the list with its form; one channel with its test button and what went out."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.background import BackgroundTask

from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.errors import ConflictError
from server.failures import sentence
from server.forms import Form, attempt, check, typed
from server.outbox import service, store
from server.outbox.events import EVENTS
from server.outbox.routes import counted, vault_of
from server.outbox.schemas import KINDS, ChannelBody, ChannelEdit
from server.paging import PAGE_ROWS, ListPage
from server.schools import places
from server.schools.schemas import Id
from server.scope import Scope
from server.templating import Page

router = APIRouter(include_in_schema=False)

LIST = "/admin/channels"
DONE = ("removed", "saved", "test", "resent", "on", "off")

Done = Annotated[str, Query(max_length=20)]


async def _places(page: Page, session: AsyncSession, scope: Scope) -> list[tuple[str, str]]:
    return list(await places.choices(session, scope, "channel.write", page.t("common.city"), page.locale))


async def _list(page: Page, session: AsyncSession, scope: Scope, form: Form, done: str = "") -> Response:
    rows = await service.mine(session, scope)
    open_to = await _places(page, session, scope)
    return page.render(
        "admin/channels.html",
        status=422 if form.bad else 200,
        rows=[(row, dict(open_to).get(places.name_of(row), "")) for row in rows],
        host_of=partial(service.host_of, vault=vault_of(page.request)),
        places=open_to,
        kinds=KINDS,
        events=EVENTS,
        form=form,
        chosen=form.values.get("events", []),
        done=done,
    )


@router.get(LIST)
async def get_list(page: Html, session: Reading, scope: SignedIn, done: Done = "") -> Response:
    return await _list(page, session, scope, Form(), done if done in DONE else "")


async def _typed(request: Request) -> Form:
    pairs = (await request.form()).multi_items()
    values = typed(pairs)
    values["events"] = [value for name, value in pairs if name == "events" and isinstance(value, str)]
    return Form(values)


@router.post(LIST)
async def post_channel(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    """Answers with the page of the new channel itself: a secret that was made is shown this once."""
    form = await _typed(request)
    body, form.wrong = check(ChannelBody, form.values, page.t)
    local = request.app.state.settings.outward_local
    vault = vault_of(request)
    doing = service.create(session, scope, body, clock.now(), local=local, vault=vault) if body else None
    made = await attempt(request, form, doing) if doing else None
    if made is None:
        return await _list(page, session, scope, form)
    return await _one(page, session, scope, made[0].id, made=made[1], done="saved")


# --- one channel ------------------------------------------------------------------------------------------------------


async def _one(
    page: Page,
    session: AsyncSession,
    scope: Scope,
    channel_id: str,
    *,
    number: int = 1,
    form: Form | None = None,
    made: str = "",
    done: str = "",
    message: str = "",
) -> Response:
    row = await service.get(session, scope, channel_id)
    rows, paging = await store.deliveries(session, scope, row.id, number, PAGE_ROWS)
    form = form or Form({"name": row.name, "only_urgent": row.only_urgent, "events": row.events})
    open_to = dict(await _places(page, session, scope))
    return page.render(
        "admin/channel.html",
        status=422 if form.bad or message else 200,
        channel=row,
        place=open_to.get(places.name_of(row), ""),
        host=service.host_of(row, vault_of(page.request)),
        rows=rows,
        paging=paging,
        waiting=any(one.state == "waiting" and one.attempts == 0 for one in rows),
        events=EVENTS,
        form=form,
        made=made,
        done=done,
        message=message,
        base=f"{LIST}/{row.id}",
    )


@router.get(LIST + "/{channel_id}")
async def get_channel(
    page: Html, session: Reading, scope: SignedIn, channel_id: Id, number: ListPage = 1, done: Done = ""
) -> Response:
    return await _one(page, session, scope, channel_id, number=number, done=done if done in DONE else "")


@router.post(LIST + "/{channel_id}")
async def post_edit(request: Request, page: Html, session: Writing, scope: SignedIn, channel_id: Id) -> Response:
    form = await _typed(request)
    body, form.wrong = check(ChannelEdit, form.values, page.t)
    if body is not None:
        local = request.app.state.settings.outward_local
        await attempt(
            request, form, service.edit(session, scope, channel_id, body, local=local, vault=vault_of(request))
        )
    if form.bad:
        return await _one(page, session, scope, channel_id, form=form)
    return RedirectResponse(f"{LIST}/{channel_id}?done=saved", 303)


@router.post(LIST + "/{channel_id}/switch")
async def post_switch(session: Writing, scope: SignedIn, clock: ClockDep, channel_id: Id) -> Response:
    """On where it was off, off where it was on."""
    held = await service.get(session, scope, channel_id)
    row = await service.switch(session, scope, channel_id, held.off_at is None, clock.now())
    return RedirectResponse(f"{LIST}/{channel_id}?done={'off' if row.off_at else 'on'}", 303)


@router.post(LIST + "/{channel_id}/remove")
async def post_remove(session: Writing, scope: SignedIn, clock: ClockDep, channel_id: Id) -> Response:
    await service.remove(session, scope, channel_id, clock.now())
    return RedirectResponse(f"{LIST}?done=removed", 303)


def _woken(request: Request, channel_id: str, done: str) -> Response:
    wake = BackgroundTask(request.app.state.jobs.wake, "outbox")
    return RedirectResponse(f"{LIST}/{channel_id}?done={done}", 303, background=wake)


@router.post(LIST + "/{channel_id}/test")
async def post_test(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, channel_id: Id
) -> Response:
    await counted(request, scope)
    try:
        await service.test(session, scope, channel_id, clock.now())
    except ConflictError as error:
        return await _one(page, session, scope, channel_id, message=sentence(request, error))
    return _woken(request, channel_id, "test")


@router.post(LIST + "/{channel_id}/deliveries/{delivery_id}/resend")
async def post_resend(
    request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep, channel_id: Id, delivery_id: Id
) -> Response:
    await counted(request, scope)
    try:
        await service.resend(session, scope, channel_id, delivery_id, clock.now())
    except ConflictError as error:
        return await _one(page, session, scope, channel_id, message=sentence(request, error))
    return _woken(request, channel_id, "resent")
