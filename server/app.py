"""The web's composition root: only ``furnish`` puts clock, database, objects, layers and routers together.

Packages bring ``routes.router`` (JSON under /api/v1) and ``pages.router`` (HTML), asked in the order of the list below.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from sqlalchemy import text
from starlette.datastructures import State
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import HTTPConnection, Request
from starlette.types import Scope as Asgi

from server import live, metrics, openapi
from server.accounts import store as accounts
from server.accounts.oidc.provider import Provider
from server.accounts.service import Identity, identify
from server.audit.watch import watch
from server.clock import Clock, SystemClock
from server.config import WebSettings
from server.database import Database, make_engine
from server.failures import respond
from server.garbage import collecting
from server.jobs import Jobs
from server.lessons.codes import service as codes
from server.lessons.seating import Seating
from server.liverooms.moving import Mover
from server.middleware import BODY_BYTES, BodyLimit, Boundary, Csrf, Headers, Locale, RateLimit, SignInLayer
from server.objectstore import open_store
from server.rates import Rates
from server.scope import SYSTEM, Scope
from server.security import CookieKind, Passwords, load_keys, read_cookie
from server.templating import FRONTEND, assets_version
from server.tokens import service as tokens
from signaling.ports import ObjectStore

PACKAGES = (
    "accounts",
    "accounts.admin",
    "accounts.oidc",
    "accounts.first",
    "admin",
    "portal",
    "schools",
    "classes",
    "gaps",
    "demands",
    "groups",
    "pairings",
    "exchange",
    "choices",
    "rights",
    "audit",
    "classrooms",
    "timetable",
    "ordinary",
    "lessons",
    "lessons.changes",
    "lessons.invitations",
    "lessons.mends",
    "lessons.codes",
    "notices",
    "outbox",
    "tokens",
    "feeds",
    "liverooms",
    "paths",
    "selftests",
    "installers",
    "trust",
    "encoders",
    "recordings",
    "studios",
    "studios.activities",
    "studios.admin",
    "participation",
    "indicators",
    "reports",
)
STATIC = ("modules", "styles", "icons", "vendor", "oldest")
YEAR = 31_536_000

log = logging.getLogger("tongtang.web")


def create_app(settings: WebSettings) -> FastAPI:
    """The ASGI application of a process."""
    app = routed()
    furnish(app, settings)
    return app


def routed() -> FastAPI:
    """Every route, and nothing behind it: FastAPI takes half a second for these, so that tests do it once."""
    app = FastAPI(
        title="同堂 Tongtang",
        version="1",
        description=openapi.DESCRIPTION,
        openapi_tags=openapi.TAGS,
        dependencies=[Depends(openapi.BEARER)],
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    _routes(app)
    return app


def furnish(
    app: FastAPI,
    settings: WebSettings,
    *,
    clock: Clock | None = None,
    database: Database | None = None,
    objects: ObjectStore | None = None,
    jobs: Jobs | None = None,
    node_transport: httpx2.AsyncBaseTransport | None = None,
) -> None:
    """Layers and state, all new: of what stood behind the routes before nothing is left. Tests hand in clock, database
    and objects; a process builds them from the settings."""
    app.user_middleware = _onion(settings, measured := metrics.Metrics())
    app.middleware_stack = None
    app.state = State()
    app.state.metrics = measured
    app.state.settings = settings
    app.state.clock = clock or SystemClock()
    app.state.database = database or Database(make_engine(settings.database_url))
    watch(app.state.database, app.state.clock)
    app.state.objects = objects or open_store(settings.objects)
    app.state.keys = load_keys(settings.seat_key)
    app.state.passwords = Passwords()
    app.state.rates = Rates(settings.redis_url)
    app.state.oidc = Provider(settings)
    app.state.demo = False
    app.state.jobs = jobs or Jobs(settings)
    app.state.nodes = live.Nodes(app.state.keys.seat, app.state.clock, node_transport)
    app.state.seating = Seating(
        app.state.database, app.state.nodes, app.state.clock, app.state.keys.seat, app.state.clock.monotonic()
    )
    app.state.mover = Mover(app.state.database, app.state.nodes, app.state.clock)


def _onion(settings: WebSettings, measured: metrics.Metrics) -> list[Middleware]:
    """Outermost first. Each layer relies on those above it."""
    upload = settings.upload_mb * 1_000_000 + 100_000  # the form around the file

    def body_limit(path: str) -> int:
        if path.endswith("/decks"):
            return upload
        if path == "/admin/exchange" or path.endswith("/agreement"):
            return 11 * BODY_BYTES  # workbooks and signed papers, ten of them, and the form around
        return 8 * BODY_BYTES if path == "/internal/facts" else BODY_BYTES

    async def who(connection: HTTPConnection) -> Identity | None:
        kinds: tuple[CookieKind, ...] = ("person", "device", "companion")
        tokens = [token for kind in kinds if (token := read_cookie(connection, kind))]
        state = connection.app.state
        code, asked = read_cookie(connection, "code"), f"{connection.scope['method']} {connection.url.path}"
        if code and (found := await codes.identify(state.database, code, asked, state.clock.now())):
            return found
        if not tokens:
            return None
        return await identify(state.database, tokens, state.clock.now(), state.settings.session_hours)

    async def machine(connection: HTTPConnection, token: str) -> Scope | None:
        return await tokens.opens(connection.app.state.database, token, connection.app.state.clock.now())

    return [
        Middleware(metrics.Metered, metrics=measured),
        Middleware(Headers),
        Middleware(Locale),
        Middleware(Boundary),
        Middleware(RateLimit),
        Middleware(BodyLimit, limits=body_limit),
        Middleware(SignInLayer, identify=who, machine=machine),
        Middleware(Csrf),
    ]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    await refresh_demo(app)
    async with collecting():
        yield
    await app.state.nodes.aclose()
    await app.state.rates.close()
    await app.state.database.dispose()
    await app.state.objects.close()


async def refresh_demo(app: FastAPI) -> None:
    """Whether this is a demo database: its pages say so and its login page offers the demo accounts."""
    async with app.state.database.reading() as session:
        app.state.demo = await accounts.has_demo(session, SYSTEM)


def _routes(app: FastAPI) -> None:
    for kind in (HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _answer)
    for package in PACKAGES:
        for part in ("routes", "pages"):
            name = f"server.{package}.{part}"
            if importlib.util.find_spec(f"server.{package}") and importlib.util.find_spec(name):
                app.include_router(importlib.import_module(name).router)
    app.include_router(live.router)
    app.include_router(metrics.router)
    app.include_router(live.doors)
    _health(app)
    app.mount("/static/{version}", Assets(), name="static")


async def _answer(request: Request, error: Exception) -> Response:
    return respond(request, error)


def _health(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/api/docs", include_in_schema=False)
    async def docs() -> Response:
        # The description itself: a viewer would need scripts of strangers, which our CSP does not let in.
        return RedirectResponse("/api/v1/openapi.json", 307)

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        checks: dict[str, Any] = {}
        try:
            async with app.state.database.reading() as session:
                await session.execute(text("SELECT 1"))
            checks["database"] = "ok"
        except Exception as error:
            log.warning("not ready: %s", error)
            checks["database"] = "unreachable"
        ready = all(state == "ok" for state in checks.values())
        return JSONResponse({"status": "ok" if ready else "unavailable", **checks}, 200 if ready else 503)


class Assets(StaticFiles):
    """/static/{version}/…: for ever under the present version, not at all kept under another."""

    def __init__(self) -> None:
        super().__init__(directory=FRONTEND)

    async def get_response(self, path: str, scope: Asgi) -> Response:
        if not path.startswith(STATIC) or path.split("/", 1)[0] not in STATIC:
            raise HTTPException(404)
        response = await super().get_response(path, scope)
        current = scope["path_params"].get("version") == assets_version()
        response.headers["cache-control"] = f"public, max-age={YEAR}, immutable" if current else "no-cache"
        return response
