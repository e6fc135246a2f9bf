"""What a field of a form offers. Rule: a list that fits on a screen is a list; a longer one is looked up by typing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from server.choices import store
from server.choices.schemas import KINDS
from server.choices.store import Choice, Wanted
from server.errors import ForbiddenError, NotFoundError
from server.scope import Action, Scope, allows

FEW = 120
"""Choices that a person still finds in a list, and that cost a page little."""
FOUND = 20
READS: tuple[Action, ...] = ("school.read", "lesson.create", "gap.write", "group.write", "studio.write")


@dataclass(frozen=True, slots=True)
class Offer:
    """``url``: where to look for more, when there are more than ``rows``."""

    rows: tuple[Choice, ...] = ()
    chosen: tuple[Choice, ...] = ()
    url: str = ""

    def text(self, id_: object) -> str:
        """How the form shows what is chosen already."""
        found = next((one for one in (*self.chosen, *self.rows) if one.id == id_), None)
        return "" if found is None else f"{found.group} {found.text}".strip()

    def __contains__(self, id_: object) -> bool:
        return any(one.id == id_ for one in (*self.chosen, *self.rows))


def _may(scope: Scope, kind: str) -> None:
    if kind not in KINDS:
        raise NotFoundError
    if not any(allows(scope, action) for action in READS):
        raise ForbiddenError


async def find(
    session: AsyncSession, scope: Scope, kind: str, q: str, day: date, term: str = ""
) -> tuple[list[Choice], bool]:
    """The first choices in which every word is found, and whether there are more."""
    _may(scope, kind)
    rows = await store.choices(session, scope, KINDS[kind], Wanted(day, q=q, term=term, most=FOUND + 1))
    return rows[:FOUND], len(rows) > FOUND


async def offer(
    session: AsyncSession, scope: Scope, kind: str, day: date, chosen: Iterable[object] = (), term: str = ""
) -> Offer:
    """For a page that has checked its own right already."""
    wanted = Wanted(day, term=term, most=FEW + 1)
    rows = await store.choices(session, scope, KINDS[kind], wanted)
    if len(rows) <= FEW:
        return Offer(tuple(rows))
    ids = tuple(sorted({str(one) for one in chosen if one}))
    held = await store.choices(session, scope, KINDS[kind], replace(wanted, ids=ids)) if ids else []
    asked = f"?{urlencode({'term': term})}" if term else ""
    return Offer(tuple(rows[:FOUND]), tuple(held), f"/api/v1/choices/{kind}{asked}")
