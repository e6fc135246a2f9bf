"""What every request passes, layer by layer; ``app.py`` puts the layers around each other in one readable list.

Each layer is plain ASGI, does one thing, and says no by raising one of ``server.errors``, which ``Boundary`` answers.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Asgi

from server.errors import ForbiddenError, SignInNeededError, TooLargeError
from server.failures import respond
from server.rates import Rates
from server.scope import PUBLIC
from server.security import (
    SECURITY_HEADERS,
    content_security_policy,
    csrf_matches,
    csrf_token,
    from_here,
    is_https,
    new_token,
    page_host,
    read_cookie,
    set_cookie,
    token_hash,
)
from server.templating import LOCALES
from server.tokens.service import READABLE, is_token

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
UNWATCHED = ("/static/", "/healthz", "/readyz", "/favicon.ico")
"""Paths that know no person: no session, no limits."""

BODY_BYTES = 1_000_000
DRAIN_BYTES = 512_000_000
DRAIN_SECONDS = 60
CSRF_WINDOW = 64 * 1024
SEED_SECONDS = 180 * 86400


def _unwatched(scope: Asgi) -> bool:
    return str(scope["path"]).startswith(UNWATCHED)


class Headers:
    """Security headers on every answer, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        connection = HTTPConnection(scope)
        policy = content_security_policy(scope["app"].state.settings.node_origins, page_host(connection))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("content-security-policy", policy)
                if not _unwatched(scope):
                    headers.setdefault("cache-control", "no-store")
                if is_https(connection):
                    headers.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        return await self.app(scope, receive, with_headers)


class Locale:
    """``?lang=`` switches the language and is remembered; else the cookie; else what the account says; else Chinese."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = Request(scope)
        asked = request.query_params.get("lang")
        remembered = request.cookies.get("lang")
        state = scope.setdefault("state", {})
        state.update(locale=LOCALES[0], locale_chosen=False, scope=PUBLIC, me=None, csrf="", sign_in=None)
        for choice in (asked, remembered):
            if choice in LOCALES:
                state.update(locale=choice, locale_chosen=True)
                break
        if asked not in LOCALES or asked == remembered:
            return await self.app(scope, receive, send)
        cookie = f"lang={asked}; Path=/; Max-Age=31536000; SameSite=Lax" + ("; Secure" if is_https(request) else "")

        async def remembering(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).append("set-cookie", cookie)
            await send(message)

        return await self.app(scope, receive, remembering)


class Boundary:
    """Any exception from within becomes an answer, once; after the first byte it can only break the connection."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def watching(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            return await self.app(scope, receive, watching)
        except Exception as error:
            if started:
                raise
            response = respond(Request(scope, receive), error)
        return await response(scope, receive, send)


class BodyLimit:
    """No body larger than its path allows. What was announced too large is read and thrown away before the
    answer goes out: a browser that is still sending shows a broken connection instead of the sentence."""

    def __init__(self, app: ASGIApp, limits: Callable[[str], int]) -> None:
        self.app = app
        self.limits = limits

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE:
            return await self.app(scope, receive, send)
        headers = HTTPConnection(scope).headers
        limit = self.limits(scope["path"])
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) > limit:
            if int(announced) <= DRAIN_BYTES and "expect" not in headers:
                await _drain(receive)
            raise TooLargeError(mb=limit // 1_000_000)
        taken = 0

        async def counting() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                scope["state"]["too_large"] = True  # FastAPI wraps what is raised while it reads a body
                raise TooLargeError(mb=limit // 1_000_000)
            return message

        return await self.app(scope, counting, send)


async def _drain(receive: Receive) -> None:
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            while (await receive()).get("more_body", False):
                pass
    except TimeoutError:
        return


class RateLimit:
    """A ceiling for everybody, by session where there is one, else by address: a whole school shares one address."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _unwatched(scope) and not scope["path"].startswith("/internal/"):
            rates: Rates = scope["app"].state.rates
            connection = HTTPConnection(scope)
            token = read_cookie(connection, "person") or read_cookie(connection, "device")
            if token:
                await rates.hit("session", token_hash(token))
            else:
                await rates.hit("address", connection.client.host if connection.client else "-")
        await self.app(scope, receive, send)


Identify = Callable[[HTTPConnection], Awaitable[Any]]


Machine = Callable[[HTTPConnection, str], Awaitable[Any]]


class SignInLayer:
    """Who asks: ``state.scope``, ``state.me``, ``state.sign_in``. A request with a bearer token asks by that alone; of
    bearers only machines' tokens are known here, and they only read."""

    def __init__(self, app: ASGIApp, identify: Identify, machine: Machine) -> None:
        self.app = app
        self.identify = identify
        self.machine = machine

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _unwatched(scope):
            token = bearer(scope)
            if is_token(token):
                await self._by_token(scope, token)
            elif not token:
                await self._by_cookie(scope)
        await self.app(scope, receive, send)

    async def _by_token(self, scope: Asgi, token: str) -> None:
        connection = HTTPConnection(scope)
        found = await self.machine(connection, token)
        if found is None:
            raise SignInNeededError("token_unknown")
        if scope["method"] not in SAFE or not READABLE.match(scope["path"]):
            raise ForbiddenError("token_read")
        await connection.app.state.rates.hit("token", found.token)
        scope["state"]["scope"] = found

    async def _by_cookie(self, scope: Asgi) -> None:
        state = scope["state"]
        identity = await self.identify(HTTPConnection(scope))
        if identity is not None:
            state.update(scope=identity.scope, me=identity.name, sign_in=identity.sign_in)
            if identity.locale in LOCALES and not state["locale_chosen"]:
                state["locale"] = identity.locale


def bearer(scope: Asgi) -> str:
    """What stands after "Bearer"; "" without such a header, "-" for an empty one."""
    kind, _, token = HTTPConnection(scope).headers.get("authorization", "").partition(" ")
    return (token.strip() or "-") if kind.lower() == "bearer" else ""


def _bearer(scope: Asgi) -> bool:
    return bool(bearer(scope))


class Csrf:
    """An unsafe request must come from a page of ours (as the browser says) and show that page's token. Requests with
    a bearer token carry nothing a browser adds by itself: cookies are ignored there, and so is this."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _unwatched(scope) or _bearer(scope):
            return await self.app(scope, receive, send)
        request = Request(scope)
        seed = read_cookie(request, "seed")
        if scope["method"] not in SAFE:
            receive = await self._check(request, receive, seed)
            return await self.app(scope, receive, send)
        fresh = new_token() if seed is None else None
        key = scope["app"].state.keys.csrf
        scope["state"]["csrf"] = csrf_token(key, seed or fresh or "")
        return await self.app(scope, receive, _planting(request, send, fresh) if fresh else send)

    async def _check(self, request: Request, receive: Receive, seed: str | None) -> Receive:
        if not from_here(request):
            raise ForbiddenError("foreign_origin")
        key = request.app.state.keys.csrf
        shown = request.headers.get("x-csrf")
        if shown is None:
            shown, receive = await _form_token(request, receive)
        if not csrf_matches(key, seed, shown):
            raise ForbiddenError("csrf")
        request.state.csrf = shown
        return receive


def _planting(request: Request, send: Send, seed: str) -> Send:
    """Give the browser a seed with the first page it gets."""

    async def planting(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/html"):
                holder = Response()
                set_cookie(request, holder, "seed", seed, SEED_SECONDS)
                headers.append("set-cookie", holder.headers["set-cookie"])
        await send(message)

    return planting


_MULTIPART_FIELD = re.compile(rb'name="csrf"\r\n\r\n([A-Za-z0-9_=-]{1,64})\r\n')


async def _form_token(request: Request, receive: Receive) -> tuple[str | None, Receive]:
    """The form's ``csrf`` field from the first bytes of the body, which are then played again (put it first)."""
    kind = request.headers.get("content-type", "").split(";")[0]
    if kind not in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return None, receive
    held: list[Message] = []
    body = b""
    shown: str | None = None
    while shown is None and len(body) < CSRF_WINDOW:
        message = await receive()
        held.append(message)
        body += message.get("body", b"")
        if kind == "multipart/form-data":
            found = _MULTIPART_FIELD.search(body[:CSRF_WINDOW])
            shown = found[1].decode() if found else None
        if not message.get("more_body", False):
            break
    if kind != "multipart/form-data":
        shown = dict(parse_qsl(body.decode("utf-8", "replace"))).get("csrf")

    async def again() -> Message:
        return held.pop(0) if held else await receive()

    return shown, again
