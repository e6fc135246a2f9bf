"""The monthly report as JSON, for the bureau's other systems."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from server.clock import to_ms
from server.dependencies import ClockDep, Reading, SignedIn
from server.reports import service
from server.reports.service import Section

router = APIRouter(prefix="/api/v1/reports", tags=["reports"])


@router.get("/{period}/{key}")
async def report(session: Reading, scope: SignedIn, clock: ClockDep, period: str, key: str) -> dict[str, Any]:
    """``key``: "city", "district-<code>" or "school-<id>"."""
    held = await service.report(session, scope, period, key, clock.now())
    return {
        "period": held.period,
        "part": held.scope,
        "computed_ms": to_ms(held.state.computed_at) if held.state.computed_at else None,
        "fingerprint": held.state.fingerprint,
        "sections": [_shown(section) for section in held.sections],
    }


def _shown(section: Section) -> dict[str, Any]:
    return {
        "level": section.level,
        "figures": {
            code: {
                "value": figure.value,
                "numerator": figure.numerator,
                "denominator": figure.denominator,
                "target": figure.target,
                "band": figure.band,
                "before": figure.before,
            }
            for code, figure in section.figures.items()
        },
        "rooms": [
            {
                "room": line.room,
                "planned": line.planned,
                "effective": line.effective,
                "hours": line.hours,
                "online": line.online,
            }
            for line in section.rooms
        ],
        "cancelled": [
            {"reason": line.reason, "lessons": line.lessons, "receipts": line.receipts, "exempt": line.exempt}
            for line in section.causes
        ],
        "lessons": [
            {"id": line.id, "effective": line.effective, "receipts": len(line.receipts)} for line in section.lessons
        ],
    }
