"""A classroom's encoders: its stream keys, and the camera or recording host that is fetched from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.dependencies import Html, Reading, SignedIn
from server.encoders import service, store
from server.encoders.routes import ChangeDep, address_of
from server.encoders.schemas import MOST_KEYS, KeyBody, SourceBody
from server.encoders.sealing import opened
from server.forms import Form, attempt, carried_out, submitted
from server.schools import service as schools
from server.schools.schemas import Id
from server.scope import Scope
from server.templating import Page

router = APIRouter(include_in_schema=False)

PAGE = "/admin/rooms/{room_id}/encoders"
DONE = ("revoked", "source", "source_gone")


async def _page(
    page: Page,
    request: Request,
    session: AsyncSession,
    scope: Scope,
    room_id: str,
    forms: dict[str, Form] | None = None,
    made: str = "",
    done: str = "",
    state: str | None = None,
) -> Response:
    room = await schools.get_room(session, scope, room_id, "room.write")
    source = await store.source(session, scope, room.id)
    shown = {"key": Form(), "source": Form()} | (forms or {})
    return page.render(
        "admin/encoders.html",
        status=422 if any(form.bad for form in shown.values()) else 200,
        room=room,
        keys=await store.keys(session, scope, [room.id]),
        most=MOST_KEYS,
        source=source,
        sealed=source is not None and opened(source, request.app.state.nodes.vault) is None,
        address=address_of(request, room.id),
        forms=shown,
        made=made,
        done=done,
        state=state,
        level=service.STATES.get(state or ""),
        base=f"/admin/rooms/{room.id}/encoders",
    )


@router.get(PAGE)
async def get_encoders(
    page: Html,
    request: Request,
    session: Reading,
    scope: SignedIn,
    room_id: Id,
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    app = request.app.state
    state = await service.source_state(app.database, app.nodes, scope, room_id)
    return await _page(page, request, session, scope, room_id, done=done if done in DONE else "", state=state)


@router.post(PAGE + "/keys")
async def post_key(page: Html, change: ChangeDep) -> Response:
    """Answers with the page itself: the key is shown this once, and stands in no address."""
    form, body = await submitted(change.request, KeyBody, page.t)
    made = await attempt(change.request, form, change.key(body)) if body else None
    shown = (page, change.request, change.session, change.scope, change.room_id)
    return await _page(*shown, made=made[1]) if made else await _page(*shown, {"key": form})


@router.post(PAGE + "/keys/{key_id}/revoke")
async def post_revoke(key_id: Id, change: ChangeDep) -> Response:
    await change.revoke(key_id)
    return RedirectResponse(f"/admin/rooms/{change.room_id}/encoders?done=revoked", 303)


@router.post(PAGE + "/source")
async def post_source(page: Html, change: ChangeDep) -> Response:
    form = await carried_out(change.request, SourceBody, page.t, change.source)
    if form.bad:
        return await _page(page, change.request, change.session, change.scope, change.room_id, {"source": form})
    done = "source" if form.value("url") else "source_gone"
    return RedirectResponse(f"/admin/rooms/{change.room_id}/encoders?done={done}", 303)
