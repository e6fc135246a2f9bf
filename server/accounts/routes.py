"""JSON: sign in and out, my sign-ins, my password."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.accounts import service
from server.accounts.models import Person
from server.accounts.schemas import Me, PasswordBody, SignInBody, SignInSeen
from server.audit import store as audit
from server.audit.watch import Actor, entry_of
from server.clock import Clock
from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.scope import SYSTEM
from server.security import drop_cookie, new_token, read_cookie, set_cookie

router = APIRouter(prefix="/api/v1/accounts", tags=["accounts"])

SEED_SECONDS = 180 * 86400


async def sign_in(request: Request, response: Response, clock: Clock, login: str, password: str) -> None:
    """Shared by the form and the JSON route: check, open a session, give cookies (a new CSRF seed with each)."""
    state = request.app.state
    address = request.client.host if request.client else "-"
    person = await service.check_password(
        state.database, state.passwords, state.rates, login, password, address, clock.now()
    )
    now = clock.now()
    if person.password_hash and state.passwords.outdated(person.password_hash):
        person.password_hash = await state.passwords.hash(password)
    person.failures, person.locked_at = 0, None
    async with state.database.transaction() as session:
        await session.merge(person, load=True)
        await open_for(request, response, session, person, now, {})


async def open_for(
    request: Request, response: Response, session: AsyncSession, person: Person, now: datetime, how: dict[str, Any]
) -> None:
    """A session for who has proved to be this person, told to the log; its cookie and a new CSRF seed."""
    address = request.client.host if request.client else "-"
    lifetime = timedelta(hours=request.app.state.settings.session_hours)
    agent = request.headers.get("user-agent", "")
    entry = entry_of(
        Actor(person.id, None, address), now, "sign_in", "account", person.id, how, (person.school_id, None)
    )
    await audit.add(session, SYSTEM, entry)
    token = await service.open_session(session, now, lifetime, kind="person", person=person.id, user_agent=agent)
    set_cookie(request, response, "person", token, int(lifetime.total_seconds()))
    set_cookie(request, response, "seed", new_token(), SEED_SECONDS)


@router.post("/sign-in", status_code=204)
async def post_sign_in(request: Request, response: Response, body: SignInBody, clock: ClockDep) -> None:
    await sign_in(request, response, clock, body.login, body.password)


@router.post("/sign-out", status_code=204)
async def post_sign_out(
    request: Request, response: Response, session: Writing, scope: SignedIn, clock: ClockDep
) -> None:
    await service.sign_out(session, scope, request.state.sign_in, clock.now())
    drop_cookie(request, response, "person")
    if read_cookie(request, "companion"):
        drop_cookie(request, response, "companion")


@router.post("/sign-out-everywhere", status_code=204)
async def post_sign_out_everywhere(
    request: Request, response: Response, session: Writing, scope: SignedIn, clock: ClockDep
) -> None:
    await service.sign_out_everywhere(session, scope, clock.now())
    drop_cookie(request, response, "person")


@router.get("/me")
async def get_me(request: Request, scope: SignedIn) -> Me:
    return Me(
        person=scope.person,
        name=request.state.me,
        posts=sorted(scope.posts),
        school=scope.school,
        device=scope.device,
        rooms=sorted(scope.rooms),
    )


@router.get("/sign-ins")
async def get_sign_ins(request: Request, session: Reading, scope: SignedIn, clock: ClockDep) -> list[SignInSeen]:
    return await service.my_sign_ins(session, scope, request.state.sign_in, clock.now())


@router.delete("/sign-ins/{sign_in_id}", status_code=204)
async def delete_sign_in(sign_in_id: str, session: Writing, scope: SignedIn, clock: ClockDep) -> None:
    await service.revoke_sign_in(session, scope, sign_in_id, clock.now())


@router.post("/password", status_code=204)
async def post_password(
    request: Request, body: PasswordBody, session: Writing, scope: SignedIn, clock: ClockDep
) -> None:
    passwords = request.app.state.passwords
    await service.change_password(session, scope, passwords, body.current, body.new, request.state.sign_in, clock.now())
