"""The page of machine tokens: make one (shown once), see when each was last used, revoke."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy.ext.asyncio import AsyncSession

from server.dependencies import ClockDep, Html, Reading, SignedIn, Writing
from server.forms import Form, attempt, submitted
from server.schools import places
from server.schools.schemas import Id
from server.scope import Scope
from server.security import own_origin
from server.templating import Page
from server.tokens import service
from server.tokens.schemas import TokenBody

router = APIRouter(include_in_schema=False)

LIST = "/admin/tokens"
DAYS = (30, 90, 365)


async def _page(
    page: Page, session: AsyncSession, scope: Scope, clock: ClockDep, form: Form, made: str = "", done: str = ""
) -> Response:
    rows = await service.mine(session, scope)
    open_to = await places.choices(session, scope, "token.write", page.t("common.city"), page.locale)
    named = dict(open_to)
    return page.render(
        "admin/tokens.html",
        status=422 if form.bad else 200,
        rows=[(row, named.get(places.name_of(row), "")) for row in rows],
        places=open_to,
        days=DAYS,
        form=form,
        made=made,
        done=done,
        now=clock.now(),
        origin=own_origin(page.request),
    )


@router.get(LIST)
async def get_tokens(
    page: Html, session: Reading, scope: SignedIn, clock: ClockDep, done: Annotated[str, Query(max_length=20)] = ""
) -> Response:
    return await _page(page, session, scope, clock, Form(), done=done if done == "revoked" else "")


@router.post(LIST)
async def post_token(request: Request, page: Html, session: Writing, scope: SignedIn, clock: ClockDep) -> Response:
    """Answers with the page itself: the token is shown this once, and stands in no address."""
    form, body = await submitted(request, TokenBody, page.t)
    made = await attempt(request, form, service.make(session, scope, body, clock.now())) if body else None
    return await _page(page, session, scope, clock, Form() if made else form, made=made[1] if made else "")


@router.post(LIST + "/{token_id}/revoke")
async def post_revoke(session: Writing, scope: SignedIn, clock: ClockDep, token_id: Id) -> Response:
    await service.revoke(session, scope, token_id, clock.now())
    return RedirectResponse(f"{LIST}?done=revoked", 303)
