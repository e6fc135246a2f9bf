"""Seat and resume tokens: who may enter which room, signed by the web (Ed25519), checked by nodes with public keys
only.

A token is ``base64url(json).base64url(signature)`` and travels in the first WebSocket message or an Authorization
header, never in a URL (a redirect's *ticket* does: once, within half a minute). A seat admits within ten minutes of its
issue; a *resume* token, signed by the node for itself, holds until the lesson's end + 30 minutes, so that a web outage
locks nobody out. The epoch is in both: a stale one is refused.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit, urlunsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SEAT_SECONDS = 600
RESUME_AFTER_END_SECONDS = 1800
MAX_TOKEN_CHARS = 4096
RELAY_SECONDS = 4 * 3600
"""A relay login outlives any lesson, so a connection built anew gets its relay back; tomorrow it is worth nothing."""

TICKET_SECONDS = 30
"""A redirect is followed at once, over a line of a village."""

Role = Literal["teacher", "class", "assistant", "watch", "inspector", "encoder"]


class SeatError(Exception):
    """A token that does not admit. ``code`` is one of: malformed, signature, expired, lesson, epoch, purpose."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Seat:
    """A right to enter. ``id`` is the opaque participant id in logs: "t-…", "r-<room id>", "a-…", "w-…", "e-<room id>"
    (an encoder, which stands for its room)."""

    lesson: str
    epoch: int
    role: Role
    id: str
    name: str
    """What others see: a person's or a classroom's display name."""
    school: str
    """Display name of the school."""
    room: str | None
    """Receiving (or lead) room id this seat stands for; companions carry the room they belong to."""
    person: str | None
    """Person id, None for devices."""
    node: str
    """Node id this seat was issued for."""
    issued_at: int
    expires_at: int
    purpose: Literal["seat", "resume"] = "seat"
    v: int = 1
    line_kbit: int | None = None
    """kbit/s that the school's line was measured to bring in; None: it was not."""


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def sign(payload: dict[str, Any], key: Ed25519PrivateKey) -> str:
    """Any signed JSON object of ours (seats, service calls) in one format."""
    body = json.dumps(payload, separators=(",", ":"), ensure_ascii=False, sort_keys=True).encode()
    return f"{_encode(body)}.{_encode(key.sign(body))}"


def verify(token: str, keys: list[Ed25519PublicKey]) -> dict[str, Any]:
    """The payload of a token signed by any of ``keys``; raises SeatError(malformed | signature)."""
    if len(token) > MAX_TOKEN_CHARS or token.count(".") != 1:
        raise SeatError("malformed")
    try:
        body, signature = (_decode(part) for part in token.split("."))
        payload = json.loads(body)
    except (ValueError, binascii.Error) as error:
        raise SeatError("malformed") from error
    if not isinstance(payload, dict):
        raise SeatError("malformed")
    for key in keys:
        try:
            key.verify(signature, body)
        except InvalidSignature:
            continue
        return payload
    raise SeatError("signature")


def issue(seat: Seat, key: Ed25519PrivateKey) -> str:
    return sign(asdict(seat), key)


def admit(token: str, keys: list[Ed25519PublicKey], *, lesson: str, epoch: int, now: float) -> Seat:
    """Check a seat or resume token against the room it is shown to. Raises SeatError with a code from its docstring."""
    return seat_in(verify(token, keys), lesson=lesson, epoch=epoch, now=now)


def seat_in(payload: dict[str, Any], *, lesson: str, epoch: int, now: float) -> Seat:
    """As ``admit``, of what a signature was found good for."""
    try:
        seat = Seat(**payload)
    except TypeError as error:
        raise SeatError("malformed") from error
    if seat.purpose not in ("seat", "resume"):
        raise SeatError("purpose")
    if now > seat.expires_at:
        raise SeatError("expired")
    if seat.lesson != lesson:
        raise SeatError("lesson")
    if seat.epoch != epoch:
        raise SeatError("epoch")
    return seat


@dataclass(frozen=True, slots=True)
class Ticket:
    """Of whom the web sent on to a node: the digest of what they showed, and what stands in it where it was a seat."""

    sha256: str
    seat: dict[str, Any] | None
    expires_at: int


def issue_ticket(lesson: str, bearer: str, key: Ed25519PrivateKey, now: float) -> str:
    """For a redirect's address: browsers and HTTP libraries drop Authorization on the way to another origin (Fetch
    standard, HTTP-redirect fetch), and a node's port is one."""
    shown = hashlib.sha256(bearer.encode()).hexdigest()
    claim: dict[str, Any] = {"aud": "ticket", "lesson": lesson, "sha256": shown, "exp": int(now) + TICKET_SECONDS}
    claim["once"] = secrets.token_urlsafe(9)  # two of one second are two
    with contextlib.suppress(SeatError):  # a stream key is none
        claim["seat"] = verify(bearer, [key.public_key()])
    return sign(claim, key)


def read_ticket(text: str, key: Ed25519PublicKey, *, lesson: str, now: float) -> Ticket:
    """Raises SeatError(malformed | signature | purpose | expired | lesson)."""
    claim = verify(text, [key])
    if claim.get("aud") != "ticket":
        raise SeatError("purpose")
    if claim["lesson"] != lesson:
        raise SeatError("lesson")
    if now > claim["exp"]:
        raise SeatError("expired")
    return Ticket(claim["sha256"], claim.get("seat"), claim["exp"])


def as_seen_from(public_url: str, host: str) -> str:
    """A node's address for a page of this host: nodes of the embedded default say "ws://{host}:8001"."""
    return public_url.replace("{host}", host).rstrip("/")


def over_http(url: str) -> str:
    """ws://… as http://…, for WHIP and WHEP."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme={"ws": "http", "wss": "https"}.get(parts.scheme, parts.scheme)))


def relay_login(secret: str, who: str, now: float) -> tuple[str, str]:
    """Username and password for a TURN server that shares ``secret`` (coturn's use-auth-secret): "expiry:who" and its
    HMAC-SHA1 (draft-uberti-behave-turn-rest section 2.2). Nothing is stored anywhere."""
    username = f"{int(now) + RELAY_SECONDS}:{who}"
    digest = hmac.digest(secret.encode(), username.encode(), "sha1")
    return username, base64.b64encode(digest).decode()
