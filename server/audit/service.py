"""Telling the log what no change tells: who looked at pupils' data, who took a file of it away, who came in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from starlette.requests import Request

from server.accounts.models import Person
from server.audit import store
from server.audit.watch import Actor, entry_of


async def looked(
    request: Request,
    act: str,
    kind: str,
    row_id: str | None = None,
    *,
    school: str | None = None,
    district: str | None = None,
    person: str | None = None,
    told: dict[str, Any] | None = None,
    once: timedelta | None = None,
) -> None:
    """In a transaction of its own, before the answer goes out: what could not be told is not shown. ``once``: what this
    person was told to have done to this row within that time, in the same words, is not told again."""
    state = request.app.state
    scope = request.state.scope
    actor = Actor(person or scope.person, scope.device, request.client.host if request.client else None)
    place = (school or scope.school, district or (next(iter(scope.districts)) if len(scope.districts) == 1 else None))
    entry = entry_of(actor, state.clock.now(), act, kind, row_id, told or {}, place)
    if once is not None:
        async with state.database.reading() as session:
            if await store.told_since(session, scope, entry, entry.at - once):
                return
    async with state.database.transaction() as session:
        await store.add(session, scope, entry)


async def looked_at_people(request: Request, people: Iterable[Person]) -> None:
    """Told when a pupil is among those shown: names and schools of minors."""
    pupils = [one for one in people if any(post.post == "pupil" for post in one.posts)]
    if pupils:
        one = pupils[0] if len(pupils) == 1 else None
        told = {"pupils": len(pupils), "page": request.url.path}
        school = one.school_id if one else None
        await looked(request, "view", "pupils", one.id if one else None, school=school, told=told)
