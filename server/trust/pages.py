"""信任本机证书: the authority's file and, system by system, where to put it. Open to everybody: who must read it cannot
sign in yet. Rule: only where this machine made the authority itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from server.dependencies import Html
from server.errors import NotFoundError
from server.tls import AUTHORITY, fingerprint

router = APIRouter(include_in_schema=False)

SYSTEMS = ("windows", "linux", "android", "ios")


def _authority(request: Request) -> Path:
    site: Path | None = request.app.state.settings.tls_certificate
    found = site.with_name(AUTHORITY) if site is not None else None
    if found is None or not found.exists():
        raise NotFoundError
    return found


@router.get("/trust")
async def get_trust(request: Request, page: Html) -> Response:
    authority = _authority(request)
    shown = await asyncio.to_thread(fingerprint, authority)
    return page.render("trust/trust.html", systems=SYSTEMS, fingerprint=shown)


@router.get("/trust/tongtang.crt")
async def get_authority(request: Request) -> Response:
    """The name and type that Windows, Android and iOS open their installer for."""
    content = await asyncio.to_thread(_authority(request).read_bytes)
    headers = {"Content-Disposition": 'attachment; filename="tongtang.crt"'}
    return Response(content, headers=headers, media_type="application/x-x509-ca-cert")
