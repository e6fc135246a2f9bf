"""JSON: invitations and their answers."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.lessons.invitations import service, store
from server.lessons.models import Invitation
from server.paging import MAX_PAGE

router = APIRouter(prefix="/api/v1", tags=["lessons"])

MOST = 200


class InvitationOut(BaseModel):
    id: str
    school: str
    classroom: str | None
    lesson: str | None
    asked_at: datetime
    due_on: date
    answer: str
    answered_at: datetime | None
    objection: str
    escalated_at: datetime | None


class AnswerBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    answer: Literal["confirm", "object"]
    objection: str = Field(default="", max_length=200)


def out(row: Invitation) -> InvitationOut:
    return InvitationOut(
        id=row.id,
        school=row.school_id,
        classroom=row.classroom_id,
        lesson=row.lesson_id,
        asked_at=row.asked_at,
        due_on=row.due_on,
        answer=row.answer,
        answered_at=row.answered_at,
        objection=row.objection,
        escalated_at=row.escalated_at,
    )


@router.get("/invitations")
async def get_invitations(
    session: Reading,
    scope: SignedIn,
    answer: Literal["pending", "confirmed", "objected"] = "pending",
    page: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 1,
) -> list[InvitationOut]:
    """What is due first stands first; 200 a page, nothing after the last."""
    rows, paging = await store.invitations(session, scope, (answer,), page, MOST)
    return [out(row) for row in rows] if page <= paging.pages else []


@router.post("/invitations/{invitation_id}/answer")
async def post_answer(
    invitation_id: Annotated[str, Path(max_length=24)],
    body: AnswerBody,
    session: Writing,
    scope: SignedIn,
    clock: ClockDep,
) -> InvitationOut:
    agreed = body.answer == "confirm"
    return out(await service.answer(session, scope, invitation_id, agreed, body.objection, clock.now()))
