"""/calendar/{secret}.ics: what calendar programs fetch. No sign-in: the address is the secret."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import Response

from server.dependencies import ClockDep, Reading
from server.feeds import service
from server.feeds.ics import calendar
from server.security import own_origin
from server.templating import texts

router = APIRouter(include_in_schema=False)


@router.get("/calendar/{secret}.ics")
async def get_calendar(
    secret: Annotated[str, Path(max_length=64, pattern="^[A-Za-z0-9_-]+$")],
    request: Request,
    session: Reading,
    clock: ClockDep,
) -> Response:
    _, lessons = await service.read(session, secret, clock.now())
    t = texts(request.state.locale)
    body = calendar(t("timetable.feed_name"), lessons, own_origin(request), t)
    headers = {"cache-control": "private, no-cache", "x-robots-tag": "noindex"}
    return Response(body, media_type="text/calendar; charset=utf-8", headers=headers)
