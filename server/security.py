"""Secrets, passwords, cookies, tokens and the content security policy: decisions for ``middleware.py`` and accounts.

Rule: nothing secret is kept that need not be. Cookies hold random bits, the database their SHA-256; every other secret
of the web is derived from the one key that signs seats.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from starlette.requests import HTTPConnection
from starlette.responses import Response

SESSION_BYTES = 32
CookieKind = Literal["person", "device", "companion", "code", "seed", "oidc"]
MIN_PASSWORD_CHARS = 8
MAX_PASSWORD_CHARS = 128  # argon2 reads it all: a bound on somebody else's work


# --- keys -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Keys:
    """The seat-signing key and what is derived from it (RFC 5869), so that there is one secret file to guard."""

    seat: Ed25519PrivateKey
    csrf: bytes
    companion: bytes
    oidc: bytes
    outbox: bytes
    """Seals addresses and secrets of channels, passwords of cameras (``outbox.vault``)."""


def derive_keys(seat: Ed25519PrivateKey) -> Keys:
    raw = seat.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())

    def derived(purpose: bytes) -> bytes:
        return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"tongtang " + purpose).derive(raw)

    return Keys(seat, derived(b"csrf"), derived(b"companion"), derived(b"oidc"), derived(b"outbox"))


def load_keys(path: Path) -> Keys:
    key = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path} holds no Ed25519 private key")
    return derive_keys(key)


def private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


# --- passwords --------------------------------------------------------------------------------------------------------


class Passwords:
    """argon2id in threads, two at a time: when thirty schools sign in at the bell, pages still answer.

    19 MiB and two passes (OWASP's floor) take 41 ms; the library's 64 MiB would take 356 ms of a core each.
    """

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        self._turns = asyncio.Semaphore(2)

    async def hash(self, password: str) -> str:
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> bool:
        """Takes as long for an account that does not exist: the clock tells nobody which names are taken."""
        async with self._turns:
            return await asyncio.to_thread(self._verify, stored, password) and stored is not None

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash(secrets.token_hex(16))

    def _verify(self, stored: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(stored or self._nobody, password[:MAX_PASSWORD_CHARS])
        except (VerificationError, InvalidHashError):
            return False

    def outdated(self, stored: str) -> bool:
        return self._hasher.check_needs_rehash(stored)


# --- cookies and tokens -----------------------------------------------------------------------------------------------


def new_token() -> str:
    return secrets.token_urlsafe(SESSION_BYTES)


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def is_https(connection: HTTPConnection) -> bool:
    origin = connection.app.state.settings.public_origin
    return connection.url.scheme in ("https", "wss") or bool(origin and origin.startswith("https:"))


def cookie_name(kind: CookieKind, https: bool) -> str:
    """``__Host-``: the browser takes it over HTTPS only, for this very host, whatever a neighbour tries to set."""
    return f"__Host-tongtang-{kind}" if https else f"tongtang-{kind}"


def read_cookie(connection: HTTPConnection, kind: CookieKind) -> str | None:
    return connection.cookies.get(cookie_name(kind, is_https(connection)))


def set_cookie(connection: HTTPConnection, response: Response, kind: CookieKind, value: str, seconds: int) -> None:
    https = is_https(connection)
    response.set_cookie(
        cookie_name(kind, https), value, max_age=seconds, path="/", secure=https, httponly=True, samesite="lax"
    )


def drop_cookie(connection: HTTPConnection, response: Response, kind: CookieKind) -> None:
    https = is_https(connection)
    response.delete_cookie(cookie_name(kind, https), path="/", secure=https, httponly=True, samesite="lax")


def csrf_token(key: bytes, seed: str) -> str:
    return base64.urlsafe_b64encode(hmac.digest(key, seed.encode(), "sha256")[:24]).decode()


def csrf_matches(key: bytes, seed: str | None, shown: str | None) -> bool:
    return bool(seed and shown) and hmac.compare_digest(csrf_token(key, seed or ""), shown or "")


# --- origins ----------------------------------------------------------------------------------------------------------


def own_origin(connection: HTTPConnection) -> str:
    configured: str | None = connection.app.state.settings.public_origin
    return configured or f"{connection.url.scheme}://{connection.url.netloc}"


def from_here(connection: HTTPConnection) -> bool:
    """Whether an unsafe request comes from a page of ours, as the browser says (Fetch Metadata; Origin, RFC 6454)."""
    site = connection.headers.get("sec-fetch-site")
    origin = connection.headers.get("origin")
    if site is not None and site not in ("same-origin", "none"):
        return False
    return origin is None or origin == own_origin(connection)


# --- headers ----------------------------------------------------------------------------------------------------------

_HOST = re.compile(r"^[A-Za-z0-9.-]{1,253}$|^\[[0-9A-Fa-f:.]{2,45}\]$")


def page_host(connection: HTTPConnection) -> str:
    """The host name of the page, safe to be put into a header; "localhost" when a client sends nonsense."""
    host = connection.headers.get("host", "")
    name = host if host.endswith("]") else re.sub(r":\d+$", "", host)
    return name if _HOST.match(name) else "localhost"


def content_security_policy(node_origins: tuple[str, ...], host: str) -> str:
    """No inline script or style anywhere; live pages may also reach the nodes."""
    connect = " ".join(["'self'", *(origin.replace("{host}", host) for origin in node_origins)])
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
        f"connect-src {connect}; font-src 'self'; worker-src 'self' blob:; manifest-src 'self'; "
        f"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",  # for forks of Chromium that know no frame-ancestors
    # Not "no-referrer": that makes browsers send "Origin: null" with our own forms.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(self), display-capture=(self), fullscreen=(self)",
}
