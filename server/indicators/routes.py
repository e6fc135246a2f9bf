"""The figures as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from server.dependencies import ClockDep, Reading, SignedIn
from server.indicators import service
from server.indicators.registry import SHOWN, Indicator, Level

router = APIRouter(prefix="/api/v1/indicators", tags=["indicators"])


@router.get("")
async def catalogue(scope: SignedIn) -> list[dict[str, Any]]:
    service.ask(scope)
    return [_shown(indicator) for indicator in SHOWN]


@router.get("/{level}")
async def figures(
    session: Reading,
    scope: SignedIn,
    clock: ClockDep,
    level: Level,
    period: Annotated[str | None, Query(max_length=7)] = None,
) -> dict[str, Any]:
    """Every visible part of a level in one month; ``value`` null where the indicator does not apply."""
    service.ask(scope)
    month = await service.period_asked(session, scope, period, clock.now())
    rows = await service.rows(session, scope, month, level)
    return {
        "period": month,
        "level": level,
        "parts": [
            {
                "id": row.part.id,
                "name": row.part.name,
                "figures": {
                    code: {
                        "value": figure.value,
                        "numerator": figure.numerator,
                        "denominator": figure.denominator,
                        "target": figure.target,
                        "band": figure.band,
                        "before": figure.before,
                    }
                    for code, figure in row.figures.items()
                },
            }
            for row in rows
        ],
    }


def _shown(indicator: Indicator) -> dict[str, Any]:
    return {
        "code": indicator.code,
        "unit": indicator.unit,
        "levels": indicator.levels,
        "periods": indicator.periods,
        "direction": indicator.direction,
        "target": indicator.target,
        "measured_against": indicator.target_of,
    }
