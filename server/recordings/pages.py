"""优课回放: the list of replays. Each leads to its lesson's page, where the player is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from server.dependencies import Html, Reading, SignedIn
from server.paging import MAX_PAGE, Paging, base_of
from server.recordings import store
from server.recordings.schemas import ReplayFilter

router = APIRouter(include_in_schema=False)

Word = Annotated[str, Query(max_length=60)]


@router.get("/replays")
async def get_replays(
    page: Html,
    session: Reading,
    scope: SignedIn,
    grade: Word = "",
    subject: Word = "",
    school: Word = "",
    teacher: Word = "",
    q: Word = "",
    number: Annotated[int, Query(ge=1, le=MAX_PAGE, alias="page")] = 1,
) -> Response:
    in_range = grade.isdecimal() and 1 <= int(grade) <= 9
    wanted = ReplayFilter(
        grade=int(grade) if in_range else None, subject=subject[:32], school=school[:24], teacher=teacher[:24], q=q
    )
    paging = Paging(number, await store.count(session, scope, wanted))
    lessons = await store.replays(session, scope, wanted, paging.offset, paging.size)
    return page.render(
        "recordings/list.html",
        lessons=lessons,
        recordings=await store.durations(session, scope, [lesson.id for lesson in lessons]),
        wanted=wanted,
        choices=await store.choices(session, scope),
        paging=paging,
        base=base_of(wanted.model_dump(exclude_none=True)) + "page=",
        narrowed=bool(wanted.model_dump(exclude_defaults=True)),
    )
