"""Page of the rights: every row of ``scope.RIGHTS`` in words. Rule: it is made from the table that decides."""

from __future__ import annotations

from typing import Annotated, get_args

from fastapi import APIRouter, Query
from fastapi.responses import Response

from server.dependencies import Html
from server.schools.routes import Reader
from server.scope import READS, Post, Right, rights

router = APIRouter(include_in_schema=False)

POSTS: tuple[Post, ...] = get_args(Post)


def by_noun(post: str) -> dict[str, dict[str, list[Right]]]:
    """noun -> action -> rows, in the order of the table; of one post, or of all."""
    found: dict[str, dict[str, list[Right]]] = {}
    for right in rights():
        if post in ("", right.post):
            found.setdefault(right.action.partition(".")[0], {}).setdefault(right.action, []).append(right)
    return found


@router.get("/admin/rights")
async def get_rights(page: Html, scope: Reader, post: Annotated[str, Query(pattern="^[a-z_]{0,24}$")] = "") -> Response:
    """For whoever administers or inspects: who else may do what, and where."""
    chosen = post if post in POSTS else ""
    table = by_noun(chosen)
    return page.render(
        "rights/table.html",
        table=table,
        count=sum(len(rows) for actions in table.values() for rows in actions.values()),
        posts=POSTS,
        post=chosen,
        mine=scope.posts,
        reads=READS,
    )
