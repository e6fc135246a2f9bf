"""JSON: sign-ins that are missing, asking to make them good, and the school's answer."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from server.dependencies import ClockDep, Reading, SignedIn, Writing
from server.lessons.mends import service
from server.lessons.mends.schemas import AnswerBody, AskBody, MendOut, MissingOut
from server.lessons.models import Mend

router = APIRouter(prefix="/api/v1", tags=["lessons"])

Id = Annotated[str, Path(max_length=24)]


def out(row: Mend) -> MendOut:
    return MendOut(
        id=row.id,
        lesson=row.lesson_id,
        room=row.room_id,
        person=row.person_id,
        reason=row.reason,
        note=row.note,
        asked_at=row.asked_at,
        asked_by=row.asked_by,
        answer=row.answer,
        answered_at=row.answered_at,
        answered_by=row.answered_by,
        why=row.why,
    )


def missing_out(one: service.Missing) -> MissingOut:
    return MissingOut(
        lesson=one.lesson.id,
        title=one.lesson.title,
        starts_at=one.lesson.starts_at,
        room=one.receipt.room_id,
        room_name=one.receipt.room.name,
        school=one.receipt.room.school_id,
        assistant=one.receipt.assistant_id,
        days_left=one.left,
        asked=out(one.asked) if one.asked else None,
    )


@router.get("/mends")
async def get_missing(session: Reading, scope: SignedIn, clock: ClockDep) -> list[MissingOut]:
    """待补签: receipts that only lack their sign-in and may still be made good, of those the asker has a say in."""
    return [missing_out(one) for one in await service.missing(session, scope, clock.now())]


@router.post("/lessons/{lesson_id}/mends", status_code=201)
async def post_mend(lesson_id: Id, body: AskBody, session: Writing, scope: SignedIn, clock: ClockDep) -> MendOut:
    """An administrator's word about somebody else needs no other approval: its answer is "approved" at once."""
    return out(await service.ask(session, scope, lesson_id, body, clock.now()))


@router.post("/mends/{mend_id}/answer")
async def post_answer(mend_id: Id, body: AnswerBody, session: Writing, scope: SignedIn, clock: ClockDep) -> MendOut:
    agreed = body.answer == "approve"
    return out(await service.answer(session, scope, mend_id, agreed, body.why, clock.now()))
