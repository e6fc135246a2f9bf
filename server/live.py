"""The door between web and nodes: calls to a node's control door, and the /internal routes nodes report to.

Nodes show TONGTANG_NODE_SECRET; the web shows tokens signed with the seat key. Neither waits for the other: a node that
is away costs a timeout, a web that is away costs nodes nothing but a fuller spool.
"""

from __future__ import annotations

import hmac
import logging
from datetime import datetime
from typing import Annotated, Any

import httpx2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import APIRouter, BackgroundTasks, Depends, Path, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from server.clock import Clock, from_ms
from server.dependencies import ClockDep, Reading, Writing
from server.errors import ForbiddenError, InvalidError, NotFoundError, SignInNeededError
from server.lessons import store
from server.lessons.models import Node, Placement
from server.outbox.vault import Vault
from server.scope import SYSTEM
from server.security import derive_keys, page_host
from signaling.facts import Fact
from signaling.messages import Heartbeat, RoomSpec, SourceOrder, SourceOrders
from signaling.seats import as_seen_from, issue_ticket, over_http, sign

CALL_SECONDS = 5.0  # a teacher waits for it; a node answers within milliseconds, or reads the room's log first
TOKEN_SECONDS = 60
MOST_FACTS = 500

log = logging.getLogger("tongtang.live")


# --- web -> node ------------------------------------------------------------------------------------------------------


class NodeUnreachableError(Exception):
    """No answer from the node's control door."""


class NodeRefusedError(Exception):
    """The node answered and said no: an older epoch, a full disk."""


class Nodes:
    """Calls to the control doors of nodes. ``transport`` is for tests."""

    def __init__(
        self, key: Ed25519PrivateKey, clock: Clock, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        self._key = key
        self._clock = clock
        self.vault = Vault(derive_keys(key).outbox)
        """Opens what only nodes are told: passwords of cameras."""
        # trust_env: a proxy of the machine has no business between web and node
        self._client = httpx2.AsyncClient(timeout=CALL_SECONDS, transport=transport, trust_env=False)

    async def open_room(self, node: Node, spec: RoomSpec) -> None:
        """Open the room at this epoch, or keep it open: idempotent."""
        await self._call(node, "PUT", f"/rooms/{spec.lesson}", spec.model_dump())

    async def close_room(self, node: Node, lesson: str, epoch: int, reason: str) -> None:
        await self._call(node, "DELETE", f"/rooms/{lesson}", {"epoch": epoch, "reason": reason})

    async def hand_over(self, node: Node, lesson: str, epoch: int) -> None:
        """Hold the room still and ship its log; undone by the node itself if ``tell_moved`` does not follow."""
        await self._call(node, "POST", f"/rooms/{lesson}/handover", {"epoch": epoch})

    async def tell_moved(self, node: Node, lesson: str, epoch: int) -> None:
        await self._call(node, "POST", f"/rooms/{lesson}/moved", {"epoch": epoch})

    async def seen(self, node: Node, lesson: str) -> dict[str, Any]:
        """Media statistics of the last minutes."""
        return await self._call(node, "GET", f"/rooms/{lesson}/seen", None)

    async def set_sources(self, node: Node, lesson: str, epoch: int, orders: list[SourceOrder]) -> None:
        """Where to fetch classrooms' pictures from; all of the lesson's, none for none."""
        body = SourceOrders(epoch=epoch, sources=orders)
        await self._call(node, "PUT", f"/rooms/{lesson}/sources", body.model_dump())

    async def revoke(self, node: Node, lesson: str, seat: str) -> None:
        """Throw one seat out and refuse its tokens."""
        await self._call(node, "POST", f"/rooms/{lesson}/revoke", {"seat": seat})

    async def _call(self, node: Node, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        expires = int(self._clock.now().timestamp()) + TOKEN_SECONDS
        headers = {"authorization": f"Bearer {sign({'aud': 'node', 'node': node.id, 'exp': expires}, self._key)}"}
        url = node.control_url.rstrip("/") + path
        try:
            answer = await self._client.request(method, url, json=body, headers=headers)
        except httpx2.HTTPError as error:
            log.warning("node %s does not answer: %r", node.id, error)
            raise NodeUnreachableError(node.id) from error
        if answer.status_code >= 500:
            raise NodeUnreachableError(f"{node.id}: {answer.status_code}")
        if answer.status_code >= 400 and not (method == "DELETE" and answer.status_code == 404):
            asked = method == "GET" and answer.status_code == 404  # a room that is not open yet, or no more
            log.log(
                logging.INFO if asked else logging.ERROR,
                "node %s refused %s %s: %s %s",
                node.id,
                method,
                path,
                answer.status_code,
                answer.text[:200],
            )
            raise NodeRefusedError(f"{node.id}: {answer.status_code}")
        return dict(answer.json()) if answer.status_code == 200 and answer.content else {}

    async def aclose(self) -> None:
        await self._client.aclose()


# --- node -> web ------------------------------------------------------------------------------------------------------


def node_secret(request: Request) -> None:
    secret = request.app.state.settings.node_secret
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    if len(secret) < 16 or not hmac.compare_digest(shown.encode(), secret.encode()):
        raise ForbiddenError("node_secret")


router = APIRouter(prefix="/internal", include_in_schema=False, dependencies=[Depends(node_secret)])


@router.post("/nodes/{node_id}/heartbeat")
async def post_heartbeat(
    node_id: str, beat: Heartbeat, request: Request, background: BackgroundTasks, session: Writing, clock: ClockDep
) -> dict[str, dict[str, int]]:
    """Keep the node's word; answer which of its rooms live elsewhere by now. Cancelled lessons are closed from here."""
    if beat.node != node_id:
        raise InvalidError(field="node")
    node = _row(beat, clock.now())
    await store.keep_node(session, SYSTEM, node)
    lessons = [room.lesson for room in beat.rooms]
    placements = await store.placements(session, SYSTEM, lessons) if lessons else {}
    states = await store.states(session, SYSTEM, lessons) if lessons else {}
    for room in beat.rooms:
        if states.get(room.lesson) == "cancelled":
            background.add_task(_cancel, request.app.state.nodes, node, room.lesson, room.epoch)
    return {"epochs": _moved(beat, placements)}


def _moved(beat: Heartbeat, placements: dict[str, Placement]) -> dict[str, int]:
    moved = {}
    for room in beat.rooms:
        held = placements.get(room.lesson)
        if held is not None and held.epoch > room.epoch:
            moved[room.lesson] = held.epoch
    return moved


async def _cancel(nodes: Nodes, node: Node, lesson: str, epoch: int) -> None:
    try:
        await nodes.close_room(node, lesson, epoch, "cancelled")
    except (NodeUnreachableError, NodeRefusedError) as error:
        log.info("will tell again with the next heartbeat: %s", error)


def _row(beat: Heartbeat, now: datetime) -> Node:
    return Node(
        id=beat.node,
        public_url=beat.public_url,
        control_url=beat.control_url,
        started_at=from_ms(beat.started_at_ms),
        seen_at=now,
        load=beat.load,
        rooms=len(beat.rooms),
        engine=beat.engine,
        spool_bytes=beat.spool_bytes,
        disk_free_bytes=beat.disk_free_bytes,
        draining=beat.draining,
    )


# --- encoder or player -> web -> node ---------------------------------------------------------------------------------

doors = APIRouter(include_in_schema=False)


@doors.post("/whip/{lesson_id}")
@doors.post("/whep/{lesson_id}")
async def post_door(lesson_id: Annotated[str, Path(max_length=24)], request: Request, session: Reading) -> Response:
    """307 to the room's node (RFC 9725 section 4.5: a WHIP door may redirect). Whoever has no seat is refused there."""
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not bearer.strip():
        raise SignInNeededError
    held = await store.placement(session, SYSTEM, lesson_id)
    node = await store.node(session, SYSTEM, held.node_id) if held else None
    if node is None:
        raise NotFoundError
    url = over_http(as_seen_from(node.public_url, page_host(request)))
    return redirect(request, url + request.url.path, lesson_id, bearer.strip())


def redirect(request: Request, url: str, lesson: str, bearer: str) -> Response:
    """To the node with a ticket: not every client takes its bearer along to another port."""
    state = request.app.state
    ticket = issue_ticket(lesson, bearer, state.keys.seat, state.clock.now().timestamp())
    return RedirectResponse(f"{url}?ticket={ticket}", 307, {"Cache-Control": "no-store"})


class FactBatch(BaseModel):
    facts: Annotated[list[dict[str, Any]], Field(max_length=MOST_FACTS)]


_fact: TypeAdapter[Fact] = TypeAdapter(Fact)


@router.post("/facts")
async def post_facts(
    batch: FactBatch, request: Request, background: BackgroundTasks, session: Writing, clock: ClockDep
) -> dict[str, list[str]]:
    """Store each id once; what is answered as stored is on disk. One that cannot be taken holds nobody else up: it is
    refused by its id, and its node keeps it where it can be looked at."""
    from server.participation.service import ingest

    facts = []
    for raw in batch.facts:
        try:
            facts.append(_fact.validate_python(raw))
        except ValidationError as error:
            log.error("unreadable fact %.200r: %s", raw, error)
    if any(fact.kind == "LessonClosed" for fact in facts):
        background.add_task(request.app.state.jobs.wake, "ledger")  # its figures are asked for first
    stored = await ingest(session, facts, clock.now())
    return {"stored": stored, "refused": sorted({str(raw.get("id")) for raw in batch.facts} - set(stored))}
