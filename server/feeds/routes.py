"""JSON: my calendar address, a room's calendar address."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Request
from pydantic import BaseModel

from server.dependencies import ClockDep, SignedIn, Writing
from server.feeds import service
from server.security import own_origin

router = APIRouter(prefix="/api/v1", tags=["feeds"])


class FeedOut(BaseModel):
    """Shown once: only its hash is kept."""

    url: str


@router.post("/feeds", status_code=201)
async def post_feed(
    request: Request,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
    room: Annotated[str | None, Body(max_length=24, embed=True)] = None,
) -> FeedOut:
    """A new secret address of my lessons, or of a room's; the old one stops."""
    secret = await service.make(session, scope, room, clock.now())
    return FeedOut(url=f"{own_origin(request)}/calendar/{secret}.ics")


@router.delete("/feeds", status_code=204)
async def delete_feed(session: Writing, scope: SignedIn, clock: ClockDep) -> None:
    await service.revoke(session, scope, None, clock.now())
