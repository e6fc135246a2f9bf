"""The ledger as JSON: attendance of a lesson with its evidence, for those who may see its rooms."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from server.clock import to_ms
from server.dependencies import Reading, SignedIn
from server.errors import ForbiddenError
from server.participation import store
from server.participation.evidence import evidence
from server.participation.models import Attendance
from server.scope import allows

router = APIRouter(prefix="/api/v1/participation", tags=["participation"])


@router.get("/lessons/{lesson_id}")
async def lesson_attendance(session: Reading, scope: SignedIn, lesson_id: str) -> list[dict[str, Any]]:
    if not allows(scope, "report.read"):
        raise ForbiddenError
    return [_shown(row) for row in await store.attendance(session, scope, [lesson_id])]


@router.get("/lessons/{lesson_id}/talk")
async def lesson_talk(session: Reading, scope: SignedIn, lesson_id: str) -> list[dict[str, Any]]:
    """Who talked, and when: the lead teacher, then the rooms the asker may see."""
    if not allows(scope, "report.read"):
        raise ForbiddenError
    held = await evidence(session, scope, lesson_id)
    return [
        {"seat": talk.seat, "room": talk.room, "spoke_ms": talk.ms, "spoke": [list(one) for one in talk.spoke]}
        for talk in held.talks
    ]


def _shown(row: Attendance) -> dict[str, Any]:
    return {
        "room": row.room_id,
        "planned_ms": row.planned_ms,
        "delivered_ms": row.delivered_ms,
        "online_ms": row.online_ms,
        "heard_ms": row.heard_ms,
        "online": row.online,
        "heard": row.heard,
        "signed_in_ms": to_ms(row.signed_in_at) if row.signed_in_at else None,
        "made_good_ms": to_ms(row.made_good_at) if row.made_good_at else None,
        "expected": row.expected,
        "present": row.present,
        "hands": row.hands,
        "effective": row.effective,
        "reason": row.reason,
        "facts": row.fact_count,
        "computed_ms": to_ms(row.computed_at),
    }
