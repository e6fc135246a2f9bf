"""Making a calendar address; /calendar/{secret}.ics: what calendar programs fetch. The address is the secret."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from fastapi.responses import RedirectResponse, Response

from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.feeds import service
from server.feeds.ics import calendar
from server.feeds.routes import OfRoom
from server.security import own_origin
from server.templating import texts

router = APIRouter(include_in_schema=False)


@router.post("/feeds")
async def post_feed(
    request: Request,
    page: Html,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
    room: Annotated[str, Form(max_length=24)] = "",
) -> Response:
    """A new address, shown this once."""
    secret = await service.make(session, scope, room or None, clock.now())
    return page.render(
        "timetable/feed.html", url=f"{own_origin(request)}/calendar/{secret}.ics", room=room, standing=[]
    )


@router.get("/feeds")
async def get_feed(page: Html, session: Reading, scope: SignedIn, room: OfRoom = "") -> Response:
    """Whether there is an address, and its end."""
    rows = await service.standing(session, scope, room or None)
    return page.render("timetable/feed.html", url="", room=room, standing=rows)


@router.post("/feeds/revoke")
async def post_revoke(
    session: Writing, scope: SignedIn, clock: ClockDep, room: Annotated[str, Form(max_length=24)] = ""
) -> Response:
    await service.revoke(session, scope, room or None, clock.now())
    return RedirectResponse("/feeds" + (f"?room={room}" if room else ""), 303)


@router.get("/calendar/{secret}.ics")
async def get_calendar(
    secret: Annotated[str, Path(max_length=64, pattern="^[A-Za-z0-9_-]+$")],
    request: Request,
    session: Reading,
    clock: ClockDep,
) -> Response:
    lessons, activities = await service.read(session, secret, clock.now())
    t = texts(request.state.locale)
    body = calendar(t("timetable.feed_name"), lessons, activities, own_origin(request), t)
    headers = {"cache-control": "private, no-cache", "x-robots-tag": "noindex"}
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)
