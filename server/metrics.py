"""/metrics of the web, for Prometheus: requests by route, and what stands in the database at the moment of asking.

Rule: no person, no lesson, no address in a label: routes by their pattern. Only this machine or the bearer of
TONGTANG_METRICS_TOKEN may read it. Counts are of one process: Prometheus adds several up.
"""

from __future__ import annotations

import hmac
import time

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Asgi

from server.dependencies import ClockDep, Reading
from server.errors import ForbiddenError
from server.lessons import placement, store
from server.participation import store as ledger
from server.scope import SYSTEM

LOOPBACK = ("127.0.0.1", "::1")
FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")
"""A proxy on this machine speaks for others."""
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)

router = APIRouter(include_in_schema=False)


class Metrics:
    """One web process's registry; nothing global."""

    def __init__(self) -> None:
        self.registry = held = CollectorRegistry()
        ProcessCollector(registry=held)
        labels = ["method", "route", "status"]
        self.requests = Counter("tongtang_http_requests", "Requests by route and status class.", labels, registry=held)
        self.seconds = Histogram(
            "tongtang_http_seconds", "Time to the answer's first byte.", ["route"], buckets=BUCKETS, registry=held
        )
        self.nodes = Gauge("tongtang_nodes", "Nodes by state.", ["state"], registry=held)
        self.load = Gauge("tongtang_node_load", "CPU share of each node.", ["node"], registry=held)
        self.live = Gauge("tongtang_lessons_live", "Lessons going on.", registry=held)
        self.marked = Gauge("tongtang_ledger_waiting", "Lessons whose attendance is to be computed.", registry=held)


class Metered:
    """Outermost layer: counts every answer, errors too."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Asgi, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                status = f"{message['status'] // 100}xx"
                self.metrics.requests.labels(scope["method"], route, status).inc()
                self.metrics.seconds.labels(route).observe(time.perf_counter() - began)
            await send(message)

        await self.app(scope, receive, counted)


def may_scrape(request: Request, token: str) -> bool:
    """This machine, asking for itself; or whoever shows the token."""
    shown = request.headers.get("authorization", "").removeprefix("Bearer ")
    if token and hmac.compare_digest(shown.encode(), token.encode()):
        return True
    own = request.client is not None and request.client.host in LOOPBACK
    return own and not any(header in request.headers for header in FORWARDED)


@router.get("/metrics")
async def get_metrics(request: Request, session: Reading, clock: ClockDep) -> Response:
    if not may_scrape(request, request.app.state.settings.metrics_token):
        raise ForbiddenError
    metrics: Metrics = request.app.state.metrics
    now = clock.now()
    nodes = await store.nodes(session, SYSTEM)
    up = [node for node in nodes if placement.healthy(node, now)]
    metrics.nodes.labels("up").set(len(up))
    metrics.nodes.labels("silent").set(len(nodes) - len(up))
    metrics.load.clear()
    for node in up:
        metrics.load.labels(node.id).set(node.load)
    metrics.live.set(await store.count_live(session, SYSTEM))
    metrics.marked.set(await ledger.marked(session, SYSTEM, now))
    return Response(generate_latest(metrics.registry), headers={"content-type": CONTENT_TYPE_LATEST})
