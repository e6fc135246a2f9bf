"""Whether pages of this site can reach its nodes: for ``tongtang doctor``. Nothing is connected to."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import SplitResult, urlsplit

from server.config import WebSettings
from server.findings import Finding, short

HEARD_WITHIN = timedelta(days=1)
"""A node that was taken away for good says nothing any more."""


async def node_urls(settings: WebSettings) -> list[str]:
    """How browsers reach the nodes that lately reported; none where the database cannot say (``database`` does)."""
    from server.database import Database, make_engine
    from server.lessons import store
    from server.scope import SYSTEM

    since = datetime.now(UTC) - HEARD_WITHIN
    held = Database(make_engine(settings.database_url))
    try:
        async with asyncio.timeout(10), held.reading() as session:
            return [one.public_url for one in await store.nodes(session, SYSTEM) if one.seen_at > since]
    except Exception:
        return []
    finally:
        await held.dispose()


def nodes(settings: WebSettings, urls: Iterable[str]) -> Iterator[Finding]:
    """Whether a page of this site can reach each node: not as mixed content, under a name that is known, by its CSP."""
    site = urlsplit(settings.public_origin or "")
    secure = site.scheme == "https" or settings.tls_certificate is not None
    for told in sorted(set(urls)):
        url = told.replace("{host}", _host(site)) if site.netloc else told
        found = [
            *([Finding("bad", "node_mixed", {"url": url})] if secure and url.startswith("ws:") else []),
            *_is_known(url),
            *_is_allowed(settings, site, url, told),
        ]
        yield from found or [Finding("good", "node_url", {"url": url})]


def _host(site: SplitResult) -> str:
    return re.sub(r":\d+$", "", site.netloc)


def _is_known(url: str) -> Iterator[Finding]:
    name = urlsplit(url).hostname or ""
    if "{" in name:
        return
    try:
        socket.getaddrinfo(name, None)
    except OSError as error:
        yield Finding("bad", "node_unknown", {"url": url, "host": name, "why": short(error)})


def _is_allowed(settings: WebSettings, site: SplitResult, url: str, told: str) -> Iterator[Finding]:
    """Signalling and the path check each need their scheme: not every browser takes wss: for https:."""
    if not settings.node_origins and (not site.netloc or "{host}" in told):
        return  # the page's own origin is not known here, or `tongtang up` names both to its children
    parts = urlsplit(url)
    plain = {"ws": ("ws", "http"), "wss": ("wss", "https")}.get(parts.scheme, (parts.scheme,))
    named = (origin.replace("{host}", _host(site)) if site.netloc else origin for origin in settings.node_origins)
    allowed = {_place(origin) for origin in named}
    allowed |= {
        _place(f"{scheme}://{site.netloc}") for scheme in {"https": ("https", "wss")}.get(site.scheme, ("http", "ws"))
    }
    needed = [f"{scheme}://{parts.netloc}" for scheme in plain]
    if missing := [origin for origin in needed if not allowed & {_place(origin), _place(origin, weaker=True)}]:
        yield Finding("bad", "node_not_allowed", {"url": url, "origins": ",".join(missing)})


def _place(origin: str, *, weaker: bool = False) -> tuple[str, str, int]:
    """Scheme, host, port. ``weaker``: as the plain scheme, which allows the secure one too."""
    parts = urlsplit(origin)
    scheme = {"wss": "ws", "https": "http"}.get(parts.scheme, parts.scheme) if weaker else parts.scheme
    return scheme, (parts.hostname or ""), parts.port or (443 if parts.scheme in ("wss", "https") else 80)
