"""JSON: my notices, 已读 and 未读."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import NotFoundError
from server.notices import service, store
from server.notices.models import Notice
from server.notices.schemas import NoticeOut, NoticesOut
from server.templating import Texts, texts

router = APIRouter(prefix="/api/v1", tags=["notices"])


def out(row: Notice, t: Texts) -> NoticeOut:
    return NoticeOut(
        id=row.id,
        key=row.key,
        text=service.sentence(row, t),
        href=row.href,
        lesson=row.lesson_id,
        urgent=row.urgent,
        at=row.at,
        read_at=row.read_at,
    )


@router.get("/notices")
async def get_notices(
    request: Request,
    session: Reading,
    scope: SignedIn,
    offset: Annotated[int, Query(ge=0, le=100_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> NoticesOut:
    """Unread ones first."""
    rows = await store.mine(session, scope, offset, limit)
    t = texts(request.state.locale)
    unread = await store.count(session, scope, unread=True)
    return NoticesOut(unread=unread, notices=[out(row, t) for row in rows])


@router.get("/notices/{notice_id}")
async def get_notice(
    notice_id: Annotated[str, Path(max_length=24)], request: Request, session: Reading, scope: SignedIn
) -> NoticeOut:
    """One of my own; looking at it here does not mark it as read."""
    row = await store.notice(session, scope, notice_id)
    if row is None:
        raise NotFoundError
    return out(row, texts(request.state.locale))


@router.post("/notices/{notice_id}/read")
async def post_read(
    notice_id: Annotated[str, Path(max_length=24)],
    request: Request,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> NoticeOut:
    return out(await service.read(session, scope, notice_id, clock.now()), texts(request.state.locale))


@router.post("/notices/read-all", status_code=204)
async def post_read_all(session: Writing, scope: SignedIn, clock: ClockDep) -> None:
    await store.read_all(session, scope, clock.now())
