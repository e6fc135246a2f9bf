"""WHIP (RFC 9725): an encoder publishes with one POST. Same negotiation, same rights as a page's ``pub`` connection.

``WhipDoor`` also serves WHEP (``whep.py``): the two differ in direction and in few status codes.
"""

from __future__ import annotations

import hashlib
import itertools
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from media.errors import MediaError
from signaling.limits import Bucket
from signaling.live import LiveRoom
from signaling.negotiation import Leg
from signaling.net.node import Node
from signaling.net.outlets import RequestOutlet
from signaling.net.websocket import OriginRule
from signaling.outside import IceServer, digest, encoder_seat, keyed_seat, link
from signaling.sdp import fragment
from signaling.sdp.model import SdpError
from signaling.seats import Seat, SeatError, as_seen_from, over_http, read_ticket, seat_in
from signaling.session import Keys

MAX_SDP_BYTES = 48 * 1024
SDP, FRAGMENT = "application/sdp", "application/trickle-ice-sdpfrag"
POSTS_PER_SECOND, POSTS_BURST = 0.2, 6.0
"""A seat's: each costs a handshake. An encoder that restarts after a power cut tries a few times at once."""
RETRY_SECONDS = 5
_STATUS = {"seat_epoch": 409, "forbidden": 403, "seat_revoked": 403, "room_unknown": 404, "room_over": 404}
_STATUS |= {"media_full": 503, "media": 503, "origin": 403, "rate": 429, "sdp_malformed": 400, "stage_empty": 409}
_RETRY = {"media_full", "media", "rate", "stage_empty"}


@dataclass(frozen=True, slots=True)
class Held:
    """A session that was made. ``token`` is the digest of what opened it: it may outlive its own time here."""

    lesson: str
    seat: str
    token: str
    etag: str


class WhipDoor:
    pc: Literal["pub", "sub"] = "pub"
    unfit = 422
    """Status for an offer that is SDP but not one we can answer (RFC 9725 section 4.2)."""

    def __init__(
        self,
        node: Node,
        keys: Keys,
        origins: OriginRule,
        ice_servers: Callable[[], Sequence[IceServer]] = tuple,
        public_url: str = "",
    ) -> None:
        self._node, self._keys, self._origins, self._ice_servers = node, keys, origins, ice_servers
        self._public_url = public_url
        self._numbers = itertools.count(1)
        self._held: dict[str, Held] = {}
        self._posts: dict[str, Bucket] = {}
        self._spent: dict[str, int] = {}
        """Tickets that were shown, until when they would have held."""

    # --- the two addresses ----------------------------------------------------------------------------------------

    async def endpoint(self, request: Request) -> Response:
        """RFC 9725 section 4.2: POST, and OPTIONS for pages of other origins; all else is reserved."""
        if request.method == "OPTIONS":
            return self._options(request, "POST, OPTIONS", {"Accept-Post": SDP})
        if request.method != "POST":
            return self._not_allowed(request, "POST, OPTIONS")
        return await self._post(request)

    async def session(self, request: Request) -> Response:
        """RFC 9725 sections 4.2 and 4.3: PATCH and DELETE."""
        allowed = "PATCH, DELETE, OPTIONS"
        if request.method == "OPTIONS":
            return self._options(request, allowed, {"Accept-Patch": FRAGMENT})
        if request.method not in ("PATCH", "DELETE"):
            return self._not_allowed(request, allowed)
        resource = request.path_params["resource"]
        held = self._held.get(resource)
        room = self._node.lives.get(request.path_params["lesson"])
        if room is None or held is None or held.lesson != room.lesson:
            return self._refuse(request, "room_unknown", 404)
        if not self._owns(request, room, held):
            return self._refuse(request, "seat_malformed", 401)
        if request.method == "DELETE":
            return self._delete(request, room, resource)
        found = room.lobby.resource(resource)
        if found is None:
            return self._refuse(request, "room_unknown", 404)
        return await self._patch(request, resource, held, found[1])

    # --- POST -----------------------------------------------------------------------------------------------------

    async def _post(self, request: Request) -> Response:
        """201 with the answer, the session's address and its entity tag."""
        admitted = self._admit(request)
        if isinstance(admitted, str):
            return self._refuse(request, admitted)
        room, seat, shown = admitted
        if refused := self._form(request) or await self._size(request):
            return refused
        if code := "media" if room.held else self.ready(room):  # on its way to another node: soon the web sends there
            return self._refuse(request, code)
        if refused := self._pace(request, room, seat):
            return refused
        resource = secrets.token_urlsafe(16)
        outlet = self._negotiate(room, seat, resource, (await request.body()).decode("utf-8", "replace"))
        if outlet.answer is None:
            code = outlet.error.code if outlet.error else "media"
            unfit = self.unfit if code.startswith("sdp_") and code not in _STATUS else None
            return self._refuse(request, code, unfit)
        held = Held(room.lesson, seat.id, shown, _etag(outlet.answer.sdp))
        self._held = {one: old for one, old in self._held.items() if old.lesson in self._node.lives}
        self._held[resource] = held
        response = Response(outlet.answer.sdp, 201, self._cors(request), SDP)
        response.headers["Location"] = self._location(request, f"{room.lesson}/{resource}")
        response.headers["ETag"] = held.etag
        for server in self._ice_servers():
            response.headers.append("Link", link(server))  # RFC 9725 section 4.4
        return response

    def _location(self, request: Request, session: str) -> str:
        """Relative for who came straight here, whatever the way. Whoever the web sent on hears the whole address: some
        clients (npm's whip-whep) look for a relative one at the web, which they were given."""
        if not (self._public_url and "ticket" in request.query_params):
            return session
        host = request.url.hostname or "localhost"
        url = over_http(as_seen_from(self._public_url, f"[{host}]" if ":" in host else host))
        return f"{url}{request.url.path.rpartition('/')[0]}/{session}"

    def ready(self, room: LiveRoom) -> str | None:
        """Code of what is missing before anybody can come in."""
        return None

    def _form(self, request: Request) -> Response | None:
        if _media_type(request) != SDP:
            return self._refuse(request, "sdp_malformed", 415)
        accepted = request.headers.get("accept", "*/*")
        if not any(one.split(";")[0].strip() in (SDP, "application/*", "*/*") for one in accepted.split(",")):
            return self._refuse(request, "sdp_malformed", 406)
        return None

    async def _size(self, request: Request) -> Response | None:
        large = len(await request.body()) > MAX_SDP_BYTES
        return self._refuse(request, "sdp_malformed", 413) if large else None

    def _pace(self, request: Request, room: LiveRoom, seat: Seat) -> Response | None:
        now, name = time.monotonic(), f"{room.lesson} {seat.id}"
        if len(self._posts) > 4096:
            self._posts.clear()
        bucket = self._posts.setdefault(name, Bucket.full(POSTS_PER_SECOND, POSTS_BURST, now))
        return self._refuse(request, "rate") if bucket.take(now) else None

    def _negotiate(self, room: LiveRoom, seat: Seat, resource: str, sdp: str) -> RequestOutlet:
        connection, outlet = f"{self.pc}{next(self._numbers)}", RequestOutlet()
        self._node.outlets.add(connection, outlet)
        host = self._node.host(room.lesson)
        if host is not None:
            host.do(room.http_offer(connection, resource, seat, self.pc, sdp, time.monotonic()))
        self._node.outlets.remove(connection)
        return outlet

    # --- PATCH, DELETE --------------------------------------------------------------------------------------------

    async def _patch(self, request: Request, resource: str, held: Held, leg: Leg) -> Response:
        """RFC 9725 section 4.3: trickled candidates belong to the ICE session that If-Match names (we are ICE-lite and
        need none); new credentials with If-Match "*" restart ICE."""
        if _media_type(request) != FRAGMENT:
            return self._refuse(request, "sdp_malformed", 415)
        if refused := await self._size(request):
            return refused
        try:
            found = fragment.read((await request.body()).decode("utf-8", "replace"))
        except SdpError as error:
            return self._refuse(request, error.code, 400)
        match, restarts = request.headers.get("if-match"), found.ice not in (None, leg.parameters.ice)
        if match is None:
            # whip-whep trickles before it has read the entity tag: candidates that nobody needs do no harm.
            return self._refuse(request, "sdp_ice", 428) if restarts else Response(None, 204, self._cors(request))
        if match.strip() != "*":
            same = held.etag in [one.strip() for one in match.split(",")]
            return Response(None, 204, self._cors(request)) if same else self._refuse(request, "sdp_ice", 412)
        if not restarts or found.ice is None:
            return self._refuse(request, "sdp_ice", 422)
        host = self._node.host(held.lesson)
        if host is None:
            return self._refuse(request, "room_unknown", 404)
        try:
            ours = host.restart(leg.transport, found.ice, time.monotonic())
        except MediaError:
            return self._refuse(request, "media")  # the session goes on as it was
        leg.parameters = replace(leg.parameters, ice=found.ice)
        # By the way it goes already: npm's whip-whep makes one broken line of several candidates.
        way = tuple(one for one in ours.candidates if one.protocol == (leg.path or "udp"))
        body = fragment.write(replace(ours, candidates=way))
        self._held[resource] = replace(held, etag=_etag(body))
        return Response(body, 200, self._cors(request) | {"ETag": self._held[resource].etag}, FRAGMENT)

    def _delete(self, request: Request, room: LiveRoom, resource: str) -> Response:
        del self._held[resource]
        if host := self._node.host(room.lesson):
            host.do(room.http_delete(resource, time.monotonic()))
        return Response(None, 200, self._cors(request))

    # --- who asks -------------------------------------------------------------------------------------------------

    def _admit(self, request: Request) -> tuple[LiveRoom, Seat, str] | str:
        """A seat token of the web's, a stream key of a classroom, or the ticket of a redirect for one of them; and the
        digest of what they are."""
        if not self._origins.allows(request.headers.get("origin"), request.headers.get("host")):
            return "origin"
        room = self._node.lives.get(request.path_params["lesson"])
        if room is None:
            return "room_unknown"
        token, now = _bearer(request), time.time()
        try:
            if not token and (ticket := request.query_params.get("ticket")):
                return self._redirected(room, ticket, now)
            if seat := encoder_seat(room.spec, room.epoch, token, self._keys.node, int(now)):
                return room, seat, digest(token)
            return room, self._keys.admit(token, room, int(now * 1000)), digest(token)
        except SeatError as error:
            return f"seat_{error.code}"

    def _redirected(self, room: LiveRoom, text: str, now: float) -> tuple[LiveRoom, Seat, str]:
        ticket = read_ticket(text, self._keys.web, lesson=room.lesson, now=now)
        self._spent = {one: until for one, until in self._spent.items() if until >= now}
        if text in self._spent:
            raise SeatError("expired")
        self._spent[text] = ticket.expires_at
        if ticket.seat is not None:
            return room, seat_in(ticket.seat, lesson=room.lesson, epoch=room.epoch, now=now), ticket.sha256
        seat = keyed_seat(room.spec, room.epoch, ticket.sha256, self._keys.node, int(now))
        if seat is None:
            raise SeatError("revoked")
        return room, seat, ticket.sha256

    def _owns(self, request: Request, room: LiveRoom, held: Held) -> bool:
        """Whoever opened the session, by what opened it or by a newer token of the same seat."""
        if digest(_bearer(request)) == held.token:
            return True
        admitted = self._admit(request)
        return not isinstance(admitted, str) and admitted[1].id == held.seat

    # --- answers --------------------------------------------------------------------------------------------------

    def _options(self, request: Request, allowed: str, more: dict[str, str]) -> Response:
        headers = {
            "Allow": allowed,
            "Access-Control-Allow-Methods": allowed,
            "Access-Control-Allow-Headers": "Authorization, Content-Type, If-Match",
            "Access-Control-Max-Age": "600",
        }
        return Response(None, 204, self._cors(request) | headers | more)

    def _not_allowed(self, request: Request, allowed: str) -> Response:
        return Response(None, 405, self._cors(request) | {"Allow": allowed})

    def _cors(self, request: Request) -> dict[str, str]:
        origin = request.headers.get("origin")
        if origin is None or not self._origins.allows(origin, request.headers.get("host")):
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Vary": "Origin",
            "Access-Control-Expose-Headers": "Location, ETag, Link, Retry-After",
        }

    def _refuse(self, request: Request, code: str, status: int | None = None) -> Response:
        if status is None:
            status = _STATUS.get(code) or (401 if code.startswith("seat_") else 400)
        headers = self._cors(request)
        if status == 401:
            headers["WWW-Authenticate"] = "Bearer"  # RFC 6750 section 3
        if code in _RETRY:
            headers["Retry-After"] = str(RETRY_SECONDS)
        return JSONResponse({"error": code}, status, headers)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";")[0].strip().lower()


def _etag(body: str) -> str:
    return f'"{hashlib.sha256(body.encode()).hexdigest()[:16]}"'
