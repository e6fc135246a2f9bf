"""Pages: my notices, unread first."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import RedirectResponse, Response

from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.notices import service, store
from server.paging import PAGE_ROWS, ListPage, Paging

router = APIRouter(include_in_schema=False)


@router.get("/notices")
async def get_notices(page: Html, session: Reading, scope: SignedIn, clock: ClockDep, number: ListPage = 1) -> Response:
    """My own; and for those who answer for a school whom to ring before the bell."""
    paging = Paging(number, await store.count(session, scope, unread=False))
    rows = await store.mine(session, scope, paging.offset, PAGE_ROWS)
    return page.render(
        "notices/list.html",
        rows=[(row, service.sentence(row, page.t)) for row in rows],
        unread=await store.count(session, scope, unread=True),
        paging=paging,
        to_ring=await service.to_ring(session, scope, clock.now()),
    )


@router.post("/notices/read-all")
async def post_read_all(session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    await store.read_all(session, scope, clock.now())
    return RedirectResponse("/notices", 303)


@router.post("/notices/{notice_id}/open")
async def post_open(
    notice_id: Annotated[str, Path(max_length=24)], session: Writing, scope: SignedIn, clock: ClockDep
) -> Response:
    """Read, and to what it is about."""
    return RedirectResponse((await service.read(session, scope, notice_id, clock.now())).href, 303)
