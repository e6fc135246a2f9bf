"""The web's door to a node: put a room here, close it, withdraw a seat. Each call carries a token signed by the web."""

from __future__ import annotations

import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from signaling.messages import RoomSpec, SourceOrders
from signaling.net.moves import HandoverError
from signaling.net.node import LESSON_ID, Node, StaleEpochError
from signaling.net.sources import SourceKeeper
from signaling.seats import SeatError, verify


class CloseRoom(BaseModel):
    model_config = ConfigDict(extra="forbid")
    epoch: int | None = None
    reason: str = "moved"


class Revoke(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seat: str


class Epoch(BaseModel):
    model_config = ConfigDict(extra="forbid")
    epoch: int


class ControlDoor:
    def __init__(
        self, node: Node, node_id: str, web_key: Ed25519PublicKey, sources: SourceKeeper | None = None
    ) -> None:
        self._node, self._node_id, self._web_key, self._sources = node, node_id, web_key, sources

    def _refusal(self, request: Request) -> Response | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claim = verify(token, [self._web_key]) if scheme.lower() == "bearer" else {}
        except SeatError:
            claim = {}
        exp = claim.get("exp")
        fresh = isinstance(exp, int | float) and time.time() < exp
        if claim.get("aud") != "node" or claim.get("node") != self._node_id or not fresh:
            return JSONResponse({"error": "unauthorized"}, 401)
        if not LESSON_ID.match(request.path_params["lesson"]):
            return JSONResponse({"error": "room_unknown"}, 404)
        return None

    async def put(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            spec = RoomSpec.model_validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": "spec", "detail": error.errors(include_url=False, include_input=False)}, 422)
        if spec.lesson != request.path_params["lesson"]:
            return JSONResponse({"error": "spec"}, 422)
        try:
            live = await self._node.open(spec)
        except StaleEpochError:
            return JSONResponse({"error": "seat_epoch"}, 409)
        return JSONResponse({"lesson": live.lesson, "epoch": live.epoch, "phase": live.log.state.phase})

    async def sources(self, request: Request) -> Response:
        """Cameras to fetch from; kept in memory only: a restarted node hears of them with the next seat."""
        if refusal := self._refusal(request):
            return refusal
        lesson = request.path_params["lesson"]
        room = self._node.lives.get(lesson)
        if room is None or self._sources is None:
            return JSONResponse({"error": "room_unknown"}, 404)
        try:
            orders = SourceOrders.model_validate_json(await request.body())
        except ValidationError:
            return JSONResponse({"error": "message"}, 422)
        if orders.epoch != room.epoch:
            return JSONResponse({"error": "seat_epoch"}, 409)
        self._sources.set(lesson, orders.epoch, orders.sources)
        return Response(None, 204)

    async def delete(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            order = CloseRoom.model_validate_json(await request.body() or b"{}")
            known = await self._node.close(request.path_params["lesson"], order.reason, order.epoch)
        except ValidationError:
            return JSONResponse({"error": "message"}, 422)
        except StaleEpochError:
            return JSONResponse({"error": "seat_epoch"}, 409)
        return Response(None, 204 if known else 404)

    async def hand_over(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            order = Epoch.model_validate_json(await request.body())
            seq = await self._node.hand_over(request.path_params["lesson"], order.epoch)
        except ValidationError:
            return JSONResponse({"error": "message"}, 422)
        except StaleEpochError:
            return JSONResponse({"error": "seat_epoch"}, 409)
        except HandoverError:
            return JSONResponse({"error": "handover"}, 503)
        return JSONResponse({"error": "room_unknown"}, 404) if seq is None else JSONResponse({"seq": seq})

    async def moved(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            order = Epoch.model_validate_json(await request.body())
        except ValidationError:
            return JSONResponse({"error": "message"}, 422)
        return Response(None, 204 if self._node.moves.gone(request.path_params["lesson"], order.epoch) else 404)

    async def seen(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        lesson = request.path_params["lesson"]
        host = self._node.host(lesson)
        if host is None:
            return JSONResponse({"error": "room_unknown"}, 404)
        return JSONResponse(host.seen.to_json() | {"sources": self._sources.states(lesson) if self._sources else {}})

    async def revoke(self, request: Request) -> Response:
        if refusal := self._refusal(request):
            return refusal
        try:
            order = Revoke.model_validate_json(await request.body())
        except ValidationError:
            return JSONResponse({"error": "message"}, 422)
        return Response(None, 204 if self._node.revoke(request.path_params["lesson"], order.seat) else 404)
