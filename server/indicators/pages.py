"""Pages of the figures: a table by level, behind each number its receipts, behind each lesson its intervals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from server.dependencies import ClockDep, Html, Reading, SignedIn
from server.errors import NotFoundError
from server.indicators import service
from server.indicators.formulas import ReceiptFigures
from server.indicators.registry import SHOWN, Level
from server.indicators.service import Row
from server.paging import ListPage, base_of, page_of
from server.participation.evidence import evidence
from server.participation.receipts import EFFECTIVE_PERCENT

router = APIRouter(include_in_schema=False)

CHART_ROWS = 20
"""More bars than this say less than the table below them."""

PAGE_ROWS = 50
ONLY: dict[str, Callable[[ReceiptFigures], bool]] = {
    "effective": lambda figures: figures.effective,
    "missed": lambda figures: not figures.effective,
}
Text = Annotated[str | None, Query(max_length=32)]


@router.get("/indicators")
async def indicators(
    session: Reading,
    scope: SignedIn,
    page: Html,
    clock: ClockDep,
    period: Text = None,
    level: Text = None,
    district: Text = None,
    sort: Text = None,
    number: ListPage = 1,
) -> Response:
    service.ask(scope)
    month = await service.period_asked(session, scope, period, clock.now())
    levels = await service.levels_shown(session, scope)
    if level and level not in levels:
        raise NotFoundError
    # A school that neither leads nor receives yet has no level: its page says so.
    shown = next((one for one in levels if one == level), next(iter(levels), service.levels_of(scope)[0]))
    rows = await service.rows(session, scope, month, shown)
    if district and shown != "district":
        rows = [row for row in rows if row.part.district == district]
    home = await service.home_of(session, scope)
    part, paging = page_of(_sorted(rows, sort), number, PAGE_ROWS)
    return page.render(
        "indicators/index.html",
        catalogue=SHOWN,
        period=month,
        periods=await service.periods(session, scope, clock.now()),
        levels=levels,
        level=shown,
        rows=part,
        paging=paging,
        turn=base_of({"period": month, "level": shown, "district": district, "sort": sort}),
        charted=len(rows) <= CHART_ROWS,
        districts=(await service.districts(session, scope)),
        district=district,
        sort=sort,
        home=home,
        report=service.report_of(home),
        top=await service.figures_of(session, scope, month, home[0], home[1].id) if home else {},
        state=await service.state_of(session, scope, month),
    )


def _sorted(rows: list[Row], sort: str | None) -> list[Row]:
    """By an indicator's value, those without one last; unknown sorts keep the order of districts and names."""
    code = (sort or "").removeprefix("-")
    if code not in {indicator.code for indicator in SHOWN}:
        return rows
    with_value = [row for row in rows if row.figures[code].value is not None]
    without = [row for row in rows if row.figures[code].value is None]
    down = (sort or "").startswith("-")
    return sorted(with_value, key=lambda row: row.figures[code].value or 0.0, reverse=down) + without


@router.get("/indicators/lessons/{lesson_id}")
async def lesson_evidence(session: Reading, scope: SignedIn, page: Html, lesson_id: str) -> Response:
    service.ask(scope)
    held = await evidence(session, scope, lesson_id)
    return page.render("indicators/lesson.html", held=held, lesson=held.lesson, percent_needed=EFFECTIVE_PERCENT)


@router.get("/indicators/{code}/{period}/{level}/{part}")
async def behind(
    session: Reading,
    scope: SignedIn,
    page: Html,
    code: str,
    period: str,
    level: Level,
    part: str,
    only: Text = None,
    room: Text = None,
    cause: Text = None,
    number: Annotated[int, Query(alias="page", ge=1, le=10_000)] = 1,
) -> Response:
    """``room`` and ``cause`` narrow to a line of the monthly report: one room's receipts, one cause's 停课."""
    service.ask(scope)
    found = await service.behind(session, scope, code, period, level, part)
    counted = [one for one in found.receipts if not room or one.figures.room == room]
    counted = [one for one in counted if not cause or one.figures.cancel_reason == cause]
    receipts = [one for one in counted if ONLY[only](one.figures)] if only in ONLY else counted
    return page.render(
        "indicators/part.html",
        found=found,
        period=period,
        only=only if only in ONLY else None,
        room=room,
        cause=cause,
        counted=counted,
        receipts=receipts[(number - 1) * PAGE_ROWS : number * PAGE_ROWS],
        count=len(receipts),
        number=number,
        pages=-(-len(receipts) // PAGE_ROWS),
        state=await service.state_of(session, scope, period),
    )
