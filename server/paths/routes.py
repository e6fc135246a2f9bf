"""JSON of the path test."""

from __future__ import annotations

from fastapi import APIRouter, Request

from server.dependencies import ClockDep, Reading, SignedIn
from server.paths import service
from server.paths.schemas import WayOut
from server.security import page_host

router = APIRouter(prefix="/api/v1", tags=["paths"])


@router.post("/way")
async def post_way(request: Request, session: Reading, scope: SignedIn, clock: ClockDep) -> WayOut:
    """For any signed-in person and any bound screen."""
    state = request.app.state
    who = scope.person or scope.device or "screen"
    return await service.way(session, state.settings, state.keys.seat, page_host(request), who, clock.now())
