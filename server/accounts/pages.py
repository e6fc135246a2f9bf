"""Pages: sign in, sign out, my account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from server.accounts import service, store
from server.accounts.routes import sign_in
from server.audit.watch import acting
from server.dependencies import AnyScope, ClockDep, Html, Reading, SignedIn, Writing
from server.errors import TongtangError
from server.failures import sentence
from server.scope import SYSTEM, Scope, allows
from server.security import drop_cookie

router = APIRouter(include_in_schema=False)

DEMO_PASSWORD = "tongtang"
DEMO_LOGINS = ("teacher", "assistant", "school", "district", "city", "studio", "inspector", "evaluator", "pupil")
"""Accounts the demo city offers on its login page (server/demo makes them)."""


def home_of(scope: Scope) -> str:
    if scope.password_given:
        return "/me?done=first"
    if scope.has("teacher", "assistant"):
        return "/desk"
    if allows(scope, "lesson.create") or allows(scope, "room.write"):
        return "/admin"
    return "/"


def local_path(target: str) -> str | None:
    """A path of ours to go on to; never another site's."""
    good = target.startswith("/") and not target.startswith(("//", "/\\")) and "\n" not in target and "\r" not in target
    return target if good and len(target) < 500 else None


async def login_page(
    request: Request, page: Html, next_path: str, message: str | None, login: str, status: int
) -> Response:
    people = []
    if request.app.state.demo:
        async with request.app.state.database.reading() as session:
            people = await store.demo_people(session, SYSTEM, DEMO_LOGINS)
    demo = [{"login": p.login, "name": p.name, "password": DEMO_PASSWORD} for p in people]
    settings = request.app.state.settings
    return page.render(
        "accounts/login.html",
        status=status,
        next=next_path,
        message=message,
        login=login,
        demo_accounts=demo,
        oidc=(settings.oidc_name or page.t("accounts.oidc.name")) if settings.oidc_issuer else "",
    )


@router.get("/login")
async def get_login(request: Request, page: Html, scope: AnyScope, next: str = "") -> Response:
    if scope.person is not None:
        return RedirectResponse(local_path(next) or home_of(scope), 303)
    return await login_page(request, page, local_path(next) or "", None, "", 200)


@router.post("/login")
async def post_login(
    request: Request,
    page: Html,
    clock: ClockDep,
    login: Annotated[str, Form(max_length=64)] = "",
    password: Annotated[str, Form(max_length=128)] = "",
    next: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    response = RedirectResponse(local_path(next) or "/home", 303)
    try:
        await sign_in(request, response, clock, login, password)
    except TongtangError as error:
        return await login_page(request, page, local_path(next) or "", sentence(request, error), login, error.status)
    return response


@router.get("/home")
async def get_home(scope: SignedIn) -> Response:
    """Where a person belongs after signing in; the scope is known only with the next request."""
    return RedirectResponse(home_of(scope), 303)


@router.post("/logout")
async def post_logout(request: Request, session: Writing, scope: AnyScope, clock: ClockDep) -> Response:
    await service.sign_out(session, scope, request.state.sign_in, clock.now())
    response = RedirectResponse("/", 303)
    drop_cookie(request, response, "person")
    return response


@router.get("/me")
async def get_me(
    request: Request, page: Html, session: Reading, scope: SignedIn, clock: ClockDep, done: str = ""
) -> Response:
    return await _me(request, page, session, scope, clock, done=done)


async def _me(
    request: Request,
    page: Html,
    session: Reading,
    scope: Scope,
    clock: ClockDep,
    *,
    done: str = "",
    message: str = "",
    status: int = 200,
) -> Response:
    person = await service.me(session, scope)
    sign_ins = await service.my_sign_ins(session, scope, request.state.sign_in, clock.now())
    known = done if done in ("password", "everywhere", "revoked", "first") else ""
    return page.render("accounts/me.html", status=status, person=person, sign_ins=sign_ins, done=known, message=message)


@router.post("/me/password")
async def post_password(
    request: Request,
    page: Html,
    scope: SignedIn,
    clock: ClockDep,
    current: Annotated[str, Form(max_length=128)] = "",
    new: Annotated[str, Form(max_length=128)] = "",
) -> Response:
    state = request.app.state
    try:
        async with state.database.transaction() as session:
            acting(session, scope, request.client.host if request.client else None)
            await service.change_password(
                session, scope, state.passwords, current, new, request.state.sign_in, clock.now()
            )
    except TongtangError as error:
        async with state.database.reading() as session:
            text = sentence(request, error)
            return await _me(request, page, session, scope, clock, message=text, status=error.status)
    return RedirectResponse("/me?done=password", 303)


@router.post("/me/sign-ins/{sign_in_id}/revoke")
async def post_revoke(sign_in_id: str, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    await service.revoke_sign_in(session, scope, sign_in_id, clock.now())
    return RedirectResponse("/me?done=revoked", 303)


@router.post("/me/sign-out-everywhere")
async def post_everywhere(request: Request, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    await service.sign_out_everywhere(session, scope, clock.now(), keep=request.state.sign_in)
    return RedirectResponse("/me?done=everywhere", 303)
