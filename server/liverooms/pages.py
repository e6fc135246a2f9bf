"""Pages: live rooms and their lines; one room peer by peer, with the button that moves it."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from server.dependencies import ClockDep, Html, SignedIn
from server.forms import Form, attempt, typed
from server.lessons import placement, store
from server.live import Nodes
from server.liverooms import seen
from server.liverooms.routes import check_may_move, mover
from server.paging import ListPage
from server.schools.schemas import Id
from server.scope import allows
from server.templating import Page

router = APIRouter(include_in_schema=False)

LIST = "/admin/live"


@router.get(LIST)
async def get_rooms(request: Request, page: Html, scope: SignedIn, clock: ClockDep, number: ListPage = 1) -> Response:
    """No transaction is held while nodes are asked."""
    async with request.app.state.database.reading() as session:
        rooms, paging = await seen.running(session, scope, clock.now(), number)
    return page.render("liverooms/rooms.html", rooms=await seen.ask(_nodes(request), rooms), paging=paging)


@router.get(LIST + "/{lesson_id}")
async def get_room(request: Request, page: Html, scope: SignedIn, clock: ClockDep, lesson_id: Id) -> Response:
    return await _room(request, page, scope, clock, lesson_id, Form())


@router.post(LIST + "/{lesson_id}/move")
async def post_move(request: Request, page: Html, scope: SignedIn, clock: ClockDep, lesson_id: Id) -> Response:
    check_may_move(scope)
    form = Form(typed((await request.form()).multi_items()))
    to = str(form.value("to") or "") or None
    if await attempt(request, form, mover(request).move(lesson_id, to)) is None:
        return await _room(request, page, scope, clock, lesson_id, form)
    return RedirectResponse(f"{LIST}/{lesson_id}?done=moved", 303)


def _nodes(request: Request) -> Nodes:
    return cast(Nodes, request.app.state.nodes)


async def _room(request: Request, page: Page, scope: SignedIn, clock: ClockDep, lesson_id: str, form: Form) -> Response:
    may_move = allows(scope, "node.write")
    async with request.app.state.database.reading() as session:
        room = await seen.one(session, scope, lesson_id)
        nodes = await store.nodes(session, scope) if may_move else []
    now = clock.now()
    here = room.node.id if room and room.node else None
    return page.render(
        "liverooms/room.html",
        status=422 if form.bad else 200,
        room=(await seen.ask(_nodes(request), [room]))[0] if room else None,
        form=form,
        others=[one for one in nodes if one.id != here and not one.draining and placement.healthy(one, now)],
        may_move=may_move,
        lesson_id=lesson_id,
        done=request.query_params.get("done") == "moved",
    )
