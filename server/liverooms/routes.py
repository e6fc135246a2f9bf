"""Live rooms as JSON: move one, empty a node. Nodes that are about to stop ask for the latter themselves."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from server.dependencies import ClockDep, SignedIn
from server.errors import ForbiddenError
from server.live import node_secret
from server.liverooms import seen
from server.liverooms.moving import Mover
from server.paging import MAX_PAGE, MOST
from server.schools.schemas import Id
from server.scope import Scope, allows

router = APIRouter()

NodeId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,32}$")]


class MoveBody(BaseModel):
    """``to``: a node's name; null: the least loaded other one."""

    model_config = ConfigDict(extra="forbid")
    to: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] | None = None


@router.get("/api/v1/liverooms", tags=["liverooms"])
async def get_rooms(
    request: Request,
    response: Response,
    scope: SignedIn,
    clock: ClockDep,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = MOST,
) -> list[dict[str, Any]]:
    """Live rooms the asker looks after, with every peer's last ten minutes; how many in all: ``X-Total-Count``."""
    async with request.app.state.database.reading() as session:
        rooms, paging = await seen.running(session, scope, clock.now(), page, size)
    response.headers["x-total-count"] = str(paging.count)
    return [_shown(room) for room in await seen.ask(request.app.state.nodes, rooms)]


def _shown(room: seen.LiveRoom) -> dict[str, Any]:
    peers = None if room.peers is None else [peer.model_dump() for peer in room.peers]
    node = room.node.id if room.node else None
    fared = {"peers": peers, "sources": dict(room.sources)}
    return {"lesson": room.lesson.id, "title": room.lesson.title, "node": node, "epoch": room.epoch, **fared}


def mover(request: Request) -> Mover:
    return cast(Mover, request.app.state.mover)


def check_may_move(scope: Scope) -> None:
    if not allows(scope, "node.write"):
        raise ForbiddenError


@router.post("/api/v1/liverooms/{lesson_id}/move", tags=["liverooms"])
async def post_move(lesson_id: Id, body: MoveBody, request: Request, scope: SignedIn) -> dict[str, Any]:
    """No transaction spans the calls to the nodes."""
    check_may_move(scope)
    return asdict(await mover(request).move(lesson_id, body.to))


@router.post("/api/v1/nodes/{node_id}/drain", tags=["liverooms"])
async def post_drain(node_id: NodeId, request: Request, scope: SignedIn) -> dict[str, list[str]]:
    check_may_move(scope)
    return await _drain(node_id, request)


@router.post("/internal/nodes/{node_id}/drain", include_in_schema=False, dependencies=[Depends(node_secret)])
async def post_own_drain(node_id: NodeId, request: Request) -> dict[str, list[str]]:
    return await _drain(node_id, request)


async def _drain(node_id: str, request: Request) -> dict[str, list[str]]:
    moved, kept = await mover(request).drain(node_id)
    return {"moved": moved, "kept": kept}
