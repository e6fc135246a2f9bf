"""The way to the bureau's sign-in and back. Between the two a cookie keeps what only this browser may know, sealed.

Rule: a sign-in that this browser did not begin does not end here (state); what comes back is for this very one (nonce).
"""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from server.accounts.oidc import service
from server.accounts.oidc.provider import Provider
from server.accounts.pages import local_path, login_page
from server.accounts.routes import open_for
from server.audit.watch import acting
from server.dependencies import ClockDep, Html
from server.errors import InvalidError, NotFoundError, TongtangError
from server.failures import sentence
from server.scope import Scope
from server.security import drop_cookie, new_token, own_origin, read_cookie, set_cookie

router = APIRouter(include_in_schema=False)

BEGIN, BACK = "/login/oidc", "/login/oidc/back"
MINUTES = 10


def seal(key: bytes, held: dict[str, Any]) -> str:
    said = urlsafe_b64encode(json.dumps(held).encode()).decode()
    return f"{said}.{urlsafe_b64encode(hmac.digest(key, said.encode(), 'sha256')).decode()}"


def unseal(key: bytes, kept: str | None) -> dict[str, Any] | None:
    said, _, mark = (kept or "").partition(".")
    good = urlsafe_b64encode(hmac.digest(key, said.encode(), "sha256")).decode()
    if not said or not hmac.compare_digest(good, mark):
        return None
    found: dict[str, Any] = json.loads(urlsafe_b64decode(said))
    return found


def _provider(request: Request) -> Provider:
    provider: Provider = request.app.state.oidc
    if not provider.configured:
        raise NotFoundError
    return provider


@router.get(BEGIN)
async def get_begin(
    request: Request, page: Html, clock: ClockDep, next: Annotated[str, Query(max_length=500)] = ""
) -> Response:
    provider = _provider(request)
    held: dict[str, Any] = {
        "state": new_token(),
        "nonce": new_token(),
        "verifier": new_token(),
        "next": local_path(next) or "",
    }
    held["until"] = (clock.now() + timedelta(minutes=MINUTES)).timestamp()
    try:
        await _count(request)
        callback = own_origin(request) + BACK
        address = await provider.address(callback, held["state"], held["nonce"], held["verifier"])
    except TongtangError as error:
        return await login_page(request, page, held["next"], sentence(request, error), "", error.status)
    response = RedirectResponse(address, 303)
    set_cookie(request, response, "oidc", seal(request.app.state.keys.oidc, held), MINUTES * 60)
    return response


async def _count(request: Request) -> None:
    await request.app.state.rates.hit("oidc", request.client.host if request.client else "-")


@router.get(BACK)
async def get_back(
    request: Request,
    page: Html,
    clock: ClockDep,
    code: Annotated[str, Query(max_length=2000)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    provider = _provider(request)
    held = unseal(request.app.state.keys.oidc, read_cookie(request, "oidc"))
    try:
        await _count(request)
        if held is None or held["until"] < clock.now().timestamp() or not hmac.compare_digest(held["state"], state):
            raise InvalidError("oidc_stale")
        if not code:
            raise InvalidError("oidc_refused")
        claims = await provider.claims(own_origin(request) + BACK, code, held["nonce"], held["verifier"])
        response: Response = RedirectResponse(held["next"] or "/home", 303)
        async with request.app.state.database.transaction() as session:
            acting(session, Scope(), request.client.host if request.client else None)
            person = await service.person_of(session, provider.settings, claims, clock.now())
            await open_for(request, response, session, person, clock.now(), {"by": "oidc"})
    except TongtangError as error:
        next_path = held["next"] if held else ""
        response = await login_page(request, page, next_path, sentence(request, error), "", error.status)
    drop_cookie(request, response, "oidc")
    return response
