"""JSON of 开学向导: what a new term would take from an old one, and taking it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.errors import ForbiddenError
from server.paging import MAX_PAGE, MOST, PAGE_ROWS, page_of
from server.scope import allows
from server.timetable import wizard
from server.timetable.schemas import CandidateOut, CopiedOut, DraftOut, LapsedOut, TermId, WizardBody

router = APIRouter(prefix="/timetable/wizard")


@router.get("")
async def get_draft(
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    old: Annotated[TermId, Query()],
    new: Annotated[TermId, Query()],
    promote: Annotated[bool, Query(description="升级: grade + 1 where a new school year begins")] = True,
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
    size: Annotated[int, Query(ge=1, le=MOST)] = PAGE_ROWS,
) -> DraftOut:
    """Of the asker's classrooms of the old term: what each would become, and what has lapsed. Nothing is changed."""
    if not allows(scope, "classroom.write"):
        raise ForbiddenError
    some, paging = page_of(await wizard.mine(session, scope, old), page, size)
    body = WizardBody(old=old, new=new, promote=promote)
    drawn = await wizard.draft(session, scope, body, clock.now(), some)
    return DraftOut(
        old=drawn.old.id,
        new=drawn.new.id,
        promoted=drawn.promoted,
        known_until=drawn.known_until,
        items=[
            CandidateOut(
                classroom_id=one.classroom.id,
                name=one.classroom.name,
                grade=one.classroom.grade,
                new_grade=one.grade,
                copied=one.copied,
                leaves=one.leaves,
                lapsed=[LapsedOut(what=what, name=name) for what, name in one.lapsed],
            )
            for one in drawn.candidates
        ],
        count=paging.count,
        page=paging.page,
        pages=paging.pages,
    )


@router.post("", status_code=201)
async def post_copy(session: Writing, scope: SignedIn, clock: ClockDep, body: WizardBody) -> CopiedOut:
    """Copies what is named and not there yet; asked again, it copies nothing."""
    made = await wizard.copy(session, scope, body, clock.now())
    return CopiedOut(classrooms=[one.id for one in made])
