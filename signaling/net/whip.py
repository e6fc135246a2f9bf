"""WHIP (RFC 9725): an encoder publishes with one POST. Same negotiation, same rights as a page's ``pub`` connection.

``WhipDoor`` also serves WHEP (``whep.py``): the two differ in direction only.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
import time
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from signaling.live import LiveRoom
from signaling.net.node import Node
from signaling.net.outlets import RequestOutlet
from signaling.net.websocket import OriginRule
from signaling.seats import Seat, SeatError
from signaling.session import Keys

MAX_SDP_BYTES = 48 * 1024
_STATUS = {"seat_epoch": 409, "forbidden": 403, "seat_revoked": 403, "room_unknown": 404, "room_over": 404}
_STATUS |= {"media_full": 503, "media": 503, "origin": 403, "rate": 429}


class WhipDoor:
    pc: Literal["pub", "sub"] = "pub"

    def __init__(self, node: Node, keys: Keys, origins: OriginRule) -> None:
        self._node, self._keys, self._origins = node, keys, origins
        self._numbers = itertools.count(1)
        self._resources: dict[str, tuple[str, str]] = {}
        """Resource -> (lesson, seat id) it belongs to."""

    async def post(self, request: Request) -> Response:
        """RFC 9725 section 4.2: 201 with the answer, the session's address and its entity tag."""
        admitted = self._admit(request)
        if isinstance(admitted, str):
            return self._refuse(request, admitted)
        if request.headers.get("content-type", "").split(";")[0].strip() != "application/sdp":
            return self._refuse(request, "sdp_malformed", 415)
        room, seat = admitted
        body = await request.body()
        if len(body) > MAX_SDP_BYTES:
            return self._refuse(request, "sdp_malformed", 413)
        resource = secrets.token_urlsafe(16)
        outlet = self._negotiate(room, seat, resource, body.decode("utf-8", "replace"))
        if outlet.answer is None:
            return self._refuse(request, outlet.error.code if outlet.error else "media")
        held = self._node.lives
        self._resources = {one: place for one, place in self._resources.items() if place[0] in held}
        self._resources[resource] = (room.lesson, seat.id)
        headers = {"Location": f"{room.lesson}/{resource}", "ETag": _etag(outlet.answer.sdp)}
        return Response(outlet.answer.sdp, 201, self._cors(request) | headers, "application/sdp")

    def _negotiate(self, room: LiveRoom, seat: Seat, resource: str, sdp: str) -> RequestOutlet:
        connection, outlet = f"{self.pc}{next(self._numbers)}", RequestOutlet()
        self._node.outlets.add(connection, outlet)
        host = self._node.host(room.lesson)
        if host is not None:
            host.do(room.http_offer(connection, resource, seat, self.pc, sdp, time.monotonic()))
        self._node.outlets.remove(connection)
        return outlet

    async def delete(self, request: Request) -> Response:
        resource = request.path_params["resource"]
        admitted = self._admit(request)
        if isinstance(admitted, str):
            return self._refuse(request, admitted)
        room, seat = admitted
        if self._resources.get(resource) != (room.lesson, seat.id):
            return self._refuse(request, "room_unknown", 404)
        del self._resources[resource]
        if host := self._node.host(room.lesson):
            host.do(room.http_delete(resource, time.monotonic()))
        return Response(None, 200, self._cors(request))

    async def patch(self, request: Request) -> Response:
        """RFC 9725 section 4.3: we are ICE-lite and need no trickled candidates: taken note of; restarts are a new
        POST.
        """
        kind = request.headers.get("content-type", "").split(";")[0].strip()
        trickle = kind == "application/trickle-ice-sdpfrag" and b"a=ice-ufrag" not in await request.body()
        return Response(None, 204 if trickle else 405, self._cors(request) | ({} if trickle else {"Allow": "DELETE"}))

    async def options(self, request: Request) -> Response:
        headers = {
            "Access-Control-Allow-Methods": "POST, PATCH, DELETE, OPTIONS",
            "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
            "Access-Control-Max-Age": "600",
            "Accept-Post": "application/sdp",
        }
        return Response(None, 204, self._cors(request) | headers)

    def _admit(self, request: Request) -> tuple[LiveRoom, Seat] | str:
        if not self._origins.allows(request.headers.get("origin"), request.headers.get("host")):
            return "origin"
        room = self._node.lives.get(request.path_params["lesson"])
        if room is None:
            return "room_unknown"
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            if scheme.lower() != "bearer":
                raise SeatError("malformed")
            return room, self._keys.admit(token.strip(), room, time.time_ns() // 1_000_000)
        except SeatError as error:
            return f"seat_{error.code}"

    def _cors(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin")
        if origin is None or not self._origins.allows(origin, request.headers.get("host")):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Vary": "Origin",
            "Access-Control-Expose-Headers": "Location, ETag",
        }

    def _refuse(self, request: Request, code: str, status: int | None = None) -> Response:
        if status is None:
            status = _STATUS.get(code) or (401 if code.startswith("seat_") else 400)
        return JSONResponse({"error": code}, status, self._cors(request))


def _etag(sdp: str) -> str:
    return f'"{hashlib.sha256(sdp.encode()).hexdigest()[:16]}"'
