"""JSON of activities."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.schools.schemas import Id
from server.studios.activities import service, store
from server.studios.activities.schemas import ActivityBody, ActivitySeen, CallOff

router = APIRouter(prefix="/api/v1", tags=["studios"])


@router.get("/studios/{studio_id}/activities")
async def get_activities(
    studio_id: Id,
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[ActivitySeen]:
    """Those to come that the asker may see."""
    rows = await store.of_studio(session, scope, studio_id, clock.now(), limit)
    return [service.seen(row) for row in rows]


@router.post("/studios/{studio_id}/activities", status_code=201)
async def post_activity(
    studio_id: Id, body: ActivityBody, session: Writing, scope: SignedIn, clock: ClockDep
) -> ActivitySeen:
    """Refused when one of its people or rooms is taken, with every clash named."""
    return service.seen(await service.plan(session, scope, studio_id, body, clock.now()))


@router.get("/activities/{activity_id}")
async def get_activity(activity_id: Id, session: Reading, scope: SignedIn) -> ActivitySeen:
    return service.seen(await service.get(session, scope, activity_id))


@router.put("/activities/{activity_id}")
async def put_activity(
    activity_id: Id, body: ActivityBody, session: Writing, scope: SignedIn, clock: ClockDep
) -> ActivitySeen:
    return service.seen(await service.change(session, scope, activity_id, body, clock.now()))


@router.post("/activities/{activity_id}/cancel")
async def post_cancel(
    activity_id: Id, body: CallOff, session: Writing, scope: SignedIn, clock: ClockDep
) -> ActivitySeen:
    return service.seen(await service.call_off(session, scope, activity_id, body, clock.now()))
