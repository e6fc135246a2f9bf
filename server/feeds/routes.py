"""JSON: my calendar address, a room's calendar address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Query, Request
from pydantic import BaseModel, ConfigDict

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.feeds import service
from server.security import own_origin

router = APIRouter(prefix="/api/v1", tags=["feeds"])


class FeedOut(BaseModel):
    """Shown once: only its hash is kept."""

    url: str


class FeedSeen(BaseModel):
    """That there is an address, not which: that is shown once."""

    model_config = ConfigDict(from_attributes=True)

    room_id: str | None
    created_at: datetime


OfRoom = Annotated[str, Query(pattern="^[a-z0-9]{0,24}$", description="Empty: my own")]


@router.get("/feeds")
async def get_feeds(session: Reading, scope: SignedIn, room: OfRoom = "") -> list[FeedSeen]:
    """The address in use of my lessons, or of a room that I administer; an empty list: there is none."""
    return [FeedSeen.model_validate(row) for row in await service.standing(session, scope, room or None)]


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
async def delete_feed(session: Writing, scope: SignedIn, clock: ClockDep, room: OfRoom = "") -> None:
    """The address stops at once, mine or a room's."""
    await service.revoke(session, scope, room or None, clock.now())
