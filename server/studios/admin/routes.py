"""JSON of setting up studios and of their members."""

from __future__ import annotations

from fastapi import APIRouter

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.schools.schemas import Id
from server.studios.activities.service import studio_for
from server.studios.admin import service
from server.studios.admin.schemas import MemberBody, MemberEnd, MemberKept, StudioBody
from server.studios.models import Studio
from server.studios.routes import plain
from server.studios.schemas import StudioSeen

router = APIRouter(prefix="/api/v1/studios", tags=["studios"])


def kept(studio: Studio) -> list[MemberKept]:
    names = ("id", "person_id", "role", "joined_on", "left_on")
    return [MemberKept(name=one.person.name, **{name: getattr(one, name) for name in names}) for one in studio.members]


@router.post("", status_code=201)
async def post_studio(session: Writing, scope: SignedIn, clock: ClockDep, body: StudioBody) -> StudioSeen:
    return StudioSeen(**plain(await service.create(session, scope, body, clock.now())))


@router.put("/{studio_id}")
async def put_studio(session: Writing, scope: SignedIn, clock: ClockDep, studio_id: Id, body: StudioBody) -> StudioSeen:
    return StudioSeen(**plain(await service.edit(session, scope, studio_id, body, clock.now())))


@router.get("/{studio_id}/members")
async def get_members(session: Reading, scope: SignedIn, studio_id: Id) -> list[MemberKept]:
    """Through the years, for those who keep them; everybody sees today's with the studio."""
    return kept(await studio_for(session, scope, studio_id))


@router.post("/{studio_id}/members", status_code=201)
async def post_member(
    session: Writing, scope: SignedIn, clock: ClockDep, studio_id: Id, body: MemberBody
) -> list[MemberKept]:
    return kept(await service.join(session, scope, studio_id, body, clock.now()))


@router.post("/{studio_id}/members/{member_id}/end")
async def post_leave(
    session: Writing, scope: SignedIn, clock: ClockDep, studio_id: Id, member_id: Id, body: MemberEnd
) -> list[MemberKept]:
    return kept(await service.leave(session, scope, studio_id, member_id, body.left_on, clock.now()))
