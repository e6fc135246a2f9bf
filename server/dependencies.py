"""What routes and pages ask for, as annotated parameters. Everything hangs on ``app.state`` (made by app.py)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from server.audit.watch import acting
from server.clock import Clock
from server.database import Database
from server.errors import PasswordGivenError, SignInNeededError
from server.scope import Scope
from server.templating import Page
from signaling.ports import ObjectStore

OWN_ACCOUNT = re.compile(r"^/(me|logout|api/v1/accounts)(/|$)")
"""What is open to who has not chosen a password yet."""


async def _reading(request: Request) -> AsyncIterator[AsyncSession]:
    async with cast(Database, request.app.state.database).reading() as session:
        yield session


async def _writing(request: Request) -> AsyncIterator[AsyncSession]:
    async with cast(Database, request.app.state.database).transaction() as session:
        acting(session, _scope(request), request.client.host if request.client else None)
        yield session


def _clock(request: Request) -> Clock:
    return cast(Clock, request.app.state.clock)


def _objects(request: Request) -> ObjectStore:
    return cast(ObjectStore, request.app.state.objects)


def _scope(request: Request) -> Scope:
    """Set by ``middleware.SignInLayer`` for every request; PUBLIC for strangers."""
    return cast(Scope, request.state.scope)


def _signed_in(request: Request) -> Scope:
    scope = _scope(request)
    if not scope.signed_in:
        raise SignInNeededError
    if scope.password_given and not OWN_ACCOUNT.match(request.url.path):
        raise PasswordGivenError
    return scope


def _page(request: Request) -> Page:
    return Page(request)


# The transaction ends before the response is sent: what was answered "done" is on disk.
Reading = Annotated[AsyncSession, Depends(_reading, scope="function")]
Writing = Annotated[AsyncSession, Depends(_writing, scope="function")]
ClockDep = Annotated[Clock, Depends(_clock)]
Objects = Annotated[ObjectStore, Depends(_objects)]
AnyScope = Annotated[Scope, Depends(_scope)]
SignedIn = Annotated[Scope, Depends(_signed_in)]
Html = Annotated[Page, Depends(_page)]
