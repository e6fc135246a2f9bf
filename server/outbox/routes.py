"""JSON of channels and what went out through them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Query, Request
from pydantic import BaseModel

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.outbox import service, store
from server.outbox.models import Channel
from server.outbox.schemas import (
    ChannelBody,
    ChannelEdit,
    ChannelSeen,
    DeliveriesSeen,
    DeliverySeen,
    OffBody,
)
from server.outbox.vault import Vault
from server.paging import MAX_PAGE, MOST, PAGE_ROWS
from server.schools import places
from server.schools.schemas import Id
from server.scope import Scope, allows

router = APIRouter(prefix="/api/v1/channels", tags=["channels"])


def vault_of(request: Request) -> Vault:
    return Vault(request.app.state.keys.outbox)


Held = Annotated[Vault, Depends(vault_of)]


class ChannelMade(BaseModel):
    channel: ChannelSeen
    secret: str
    """Made for it; shown this once. Empty where one was given."""


def seen(row: Channel, vault: Vault) -> ChannelSeen:
    return ChannelSeen(
        id=row.id,
        kind=row.kind,
        name=row.name,
        place=places.name_of(row),
        host=service.host_of(row, vault),
        events=row.events,
        only_urgent=row.only_urgent,
        created_at=row.created_at,
        off_at=row.off_at,
        off_why=row.off_why,
        last_at=row.last_at,
        last_problem=row.last_problem,
    )


async def counted(request: Request, scope: Scope) -> None:
    """Before anything is looked at: who may not, may not ask often either."""
    if not allows(scope, "channel.write"):
        raise ForbiddenError
    await request.app.state.rates.hit("outward", scope.person or "-")


@router.get("")
async def get_channels(session: Reading, scope: SignedIn, vault: Held) -> list[ChannelSeen]:
    """Robots, SMS adapters and webhooks of the places the asker administers."""
    return [seen(row, vault) for row in await service.mine(session, scope)]


@router.post("", status_code=201)
async def post_channel(
    body: ChannelBody, request: Request, session: Writing, scope: SignedIn, clock: ClockDep, vault: Held
) -> ChannelMade:
    local = request.app.state.settings.outward_local
    row, secret = await service.create(session, scope, body, clock.now(), local=local, vault=vault)
    return ChannelMade(channel=seen(row, vault), secret=secret)


@router.get("/{channel_id}")
async def get_channel(channel_id: Id, session: Reading, scope: SignedIn, vault: Held) -> ChannelSeen:
    return seen(await service.get(session, scope, channel_id), vault)


@router.put("/{channel_id}")
async def put_channel(
    channel_id: Id, body: ChannelEdit, request: Request, session: Writing, scope: SignedIn, vault: Held
) -> ChannelSeen:
    local = request.app.state.settings.outward_local
    return seen(await service.edit(session, scope, channel_id, body, local=local, vault=vault), vault)


@router.put("/{channel_id}/off")
async def put_off(
    channel_id: Id, body: OffBody, session: Writing, scope: SignedIn, clock: ClockDep, vault: Held
) -> ChannelSeen:
    return seen(await service.switch(session, scope, channel_id, body.off, clock.now()), vault)


@router.delete("/{channel_id}", status_code=204)
async def delete_channel(channel_id: Id, session: Writing, scope: SignedIn, clock: ClockDep) -> None:
    await service.remove(session, scope, channel_id, clock.now())


@router.post("/{channel_id}/test", status_code=202)
async def post_test(
    channel_id: Id, request: Request, background: BackgroundTasks, session: Writing, scope: SignedIn, clock: ClockDep
) -> DeliverySeen:
    """Puts a test message into the outbox and wakes the worker."""
    await counted(request, scope)
    row = await service.test(session, scope, channel_id, clock.now())
    background.add_task(request.app.state.jobs.wake, "outbox")
    return DeliverySeen.model_validate(row)


@router.get("/{channel_id}/deliveries")
async def get_deliveries(
    channel_id: Id,
    session: Reading,
    scope: SignedIn,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> DeliveriesSeen:
    """The newest first; kept for thirty days."""
    channel = await service.get(session, scope, channel_id)
    rows, paging = await store.deliveries(session, scope, channel.id, page, size)
    items = [DeliverySeen.model_validate(row) for row in rows]
    return DeliveriesSeen(items=items, count=paging.count, page=paging.page, pages=paging.pages)


@router.post("/{channel_id}/deliveries/{delivery_id}/resend", status_code=202)
async def post_resend(
    channel_id: Id,
    delivery_id: Id,
    request: Request,
    background: BackgroundTasks,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> DeliverySeen:
    await counted(request, scope)
    row = await service.resend(session, scope, channel_id, delivery_id, clock.now())
    background.add_task(request.app.state.jobs.wake, "outbox")
    return DeliverySeen.model_validate(row)
