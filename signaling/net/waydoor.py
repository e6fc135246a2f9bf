"""Where a page tries the way to this node before any lesson: an offer in, an answer out, and half a minute of nothing.

Rule: a transport without tracks or slots, in a router of its own; a short token of the web's lets in, few at a time.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from media.errors import MediaError
from signaling.negotiation import plan_sub
from signaling.net.plane import Plane
from signaling.net.websocket import OriginRule
from signaling.sdp.answer import describe
from signaling.sdp.model import SdpError
from signaling.sdp.write import write
from signaling.seats import SeatError, verify

ROUTER = "way"
AUDIENCE = "way"
LIVES_SECONDS = 30.0  # five ways one after the other are tried, each for eight seconds at most
MOST = 64  # at once: a school that looks for its fault must not fill the node
MAX_SDP_BYTES = 16 * 1024  # one m-line
_SSRC = 7  # nothing is ever sent under it


class WayDoor:
    def __init__(
        self,
        plane: Plane,
        web_key: Ed25519PublicKey,
        origins: OriginRule,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._plane, self._web_key, self._origins, self._clock = plane, web_key, origins, clock
        self._numbers = itertools.count(1)
        self._open: set[str] = set()

    async def endpoint(self, request: Request) -> Response:
        origin = request.headers.get("origin")
        if not self._origins.allows(origin, request.headers.get("host")):
            return JSONResponse({"error": "origin"}, 403)
        headers = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"} if origin else {}
        if request.method == "OPTIONS":
            allowed = {
                "Access-Control-Allow-Methods": "POST",
                "Access-Control-Allow-Headers": "authorization,content-type",
            }
            return Response(None, 204, headers | allowed)
        if not self._admits(request):
            return JSONResponse({"error": "seat_expired"}, 401, headers)
        sdp = (await request.body())[: MAX_SDP_BYTES + 1]
        if len(sdp) > MAX_SDP_BYTES:
            return JSONResponse({"error": "sdp_malformed"}, 413, headers)
        if len(self._open) >= MOST:
            return JSONResponse({"error": "media_full"}, 503, headers)
        try:
            answer = self._answer(sdp.decode("utf-8", "replace"))
        except SdpError as error:
            return JSONResponse({"error": error.code}, 422, headers)
        except MediaError:
            return JSONResponse({"error": "media_full"}, 503, headers)
        return Response(answer, 201, headers, "application/sdp")

    def _admits(self, request: Request) -> bool:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        try:
            claim = verify(token, [self._web_key]) if scheme.lower() == "bearer" else {}
        except SeatError:
            return False
        exp = claim.get("exp")
        return claim.get("aud") == AUDIENCE and isinstance(exp, int | float) and time.time() < exp

    def _answer(self, sdp: str) -> str:
        now, name = self._clock(), f"way-{next(self._numbers)}"
        plan = plan_sub(sdp, "watch", _SSRC, None)
        self._plane.add_router(ROUTER)
        ours = self._plane.add_transport(ROUTER, name, plan.parameters, now)
        self._open.add(name)
        asyncio.get_running_loop().call_later(LIVES_SECONDS, self._close, name)
        return write(describe(plan.offer, plan.accepted, ours, int(now * 1000)))

    def _close(self, name: str) -> None:
        self._open.discard(name)
        self._plane.remove_transport(name, self._clock())
