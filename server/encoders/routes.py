"""JSON of encoders, and the address that encoders of a classroom know: /whip/rooms/{room}."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from fastapi.responses import JSONResponse, Response

from server import live
from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.encoders import service, store
from server.encoders.models import StreamKey
from server.encoders.schemas import KeyBody, KeyOut, MadeKey, SourceBody, SourceOut
from server.errors import SignInNeededError
from server.lessons.seating import Seating
from server.schools import service as schools
from server.schools.schemas import Id
from server.security import page_host
from signaling.seats import as_seen_from, over_http

router = APIRouter(tags=["encoders"])

ROOMS = "/api/v1/rooms/{room_id}"
RETRY_SECONDS = "30"


@dataclass(frozen=True, slots=True)
class Change:
    """Of a room's keys or camera: live rooms hear of it after the transaction."""

    room_id: Id
    request: Request
    background: BackgroundTasks
    session: Writing
    scope: SignedIn
    clock: ClockDep

    async def key(self, body: KeyBody) -> tuple[StreamKey, str]:
        made = await service.make_key(self.session, self.scope, self.room_id, body.label, self.clock.now())
        self._tell()
        return made

    async def revoke(self, key_id: str) -> None:
        await service.revoke_key(self.session, self.scope, self.room_id, key_id, self.clock.now())
        self._tell()

    async def source(self, body: SourceBody) -> None:
        vault = cast(live.Nodes, self.request.app.state.nodes).vault
        await service.set_source(self.session, self.scope, self.room_id, body.url, self.clock.now(), vault)
        self._tell()

    def _tell(self) -> None:
        state = self.request.app.state
        self.background.add_task(service.tell, state.database, state.nodes, self.room_id)


ChangeDep = Annotated[Change, Depends()]


def address_of(request: Request, room_id: str) -> str:
    """What is typed into the encoder."""
    origin = request.app.state.settings.public_origin or str(request.base_url)
    return f"{origin.rstrip('/')}/whip/rooms/{room_id}"


@router.get(ROOMS + "/stream-keys")
async def get_keys(room_id: Id, session: Reading, scope: SignedIn) -> list[KeyOut]:
    room = await schools.get_room(session, scope, room_id, "room.write")
    held = await store.keys(session, scope, [room.id])
    return [KeyOut(id=one.id, label=one.label, created_at=one.created_at) for one in held]


@router.post(ROOMS + "/stream-keys", status_code=201)
async def post_key(body: KeyBody, change: ChangeDep) -> MadeKey:
    row, key = await change.key(body)
    url = address_of(change.request, change.room_id)
    return MadeKey(id=row.id, label=row.label, created_at=row.created_at, key=key, url=url)


@router.delete(ROOMS + "/stream-keys/{key_id}", status_code=204)
async def delete_key(key_id: Id, change: ChangeDep) -> None:
    await change.revoke(key_id)


@router.get(ROOMS + "/source")
async def get_source(room_id: Id, session: Reading, scope: SignedIn) -> SourceOut | None:
    room = await schools.get_room(session, scope, room_id, "room.write")
    held = await store.source(session, scope, room.id)
    return SourceOut(address=held.address, with_password=bool(held.secret)) if held else None


@router.put(ROOMS + "/source", status_code=204)
async def put_source(body: SourceBody, change: ChangeDep) -> None:
    """An address without name and password keeps those of the same device; take the source away to forget them."""
    await change.source(body)


@router.post("/whip/rooms/{room_id}", include_in_schema=False)
async def post_whip(room_id: Id, request: Request, clock: ClockDep) -> Response:
    """307 to the node of the classroom's lesson now (RFC 9725 section 4.5); 409 with Retry-After between lessons."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not key.strip():
        raise SignInNeededError
    async with request.app.state.database.reading() as session:
        held = await service.holds(session, room_id, key.strip())
        lesson = await service.lesson_now(session, room_id, clock.now()) if held else None
    if not held:
        raise SignInNeededError
    if lesson is None:
        return JSONResponse({"error": "lesson_none"}, 409, {"Retry-After": RETRY_SECONDS})
    housed = await cast(Seating, request.app.state.seating).house(lesson, None)
    url = over_http(as_seen_from(housed.node.public_url, page_host(request)))
    return live.redirect(request, f"{url}/whip/{lesson}", lesson, key.strip())
