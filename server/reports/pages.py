"""The monthly report as a page that prints well, and as a table for Excel and WPS."""

from __future__ import annotations

from collections.abc import Iterator

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, Response

from server.clock import CITY
from server.dependencies import ClockDep, Html, Reading, SignedIn
from server.errors import NotFoundError
from server.indicators import service as indicators
from server.indicators.registry import SHOWN
from server.indicators.rollup import previous
from server.indicators.store import CountedReceipt
from server.reports import service
from server.reports.service import Report
from server.sheets import sheet
from server.templating import Texts

router = APIRouter(include_in_schema=False)


@router.get("/reports")
async def own_report(session: Reading, scope: SignedIn, clock: ClockDep) -> Response:
    """The newest month of what one is responsible for."""
    indicators.ask(scope)
    key = indicators.report_of(await indicators.home_of(session, scope))
    if key is None:
        raise NotFoundError
    period = await indicators.period_asked(session, scope, None, clock.now())
    return RedirectResponse(f"/reports/{period}/{key}", 303)


@router.get("/reports/{period}/{key}.csv")
async def report_sheet(
    session: Reading, scope: SignedIn, page: Html, clock: ClockDep, period: str, key: str
) -> Response:
    report = await service.report(session, scope, period, key, clock.now())
    head = [page.t(f"reports.csv.{column}") for column in COLUMNS]
    rows = [*_rows(report, page.t)]
    if page.request.app.state.demo:
        rows.append([page.t("common.demo_note"), *[""] * (len(head) - 1)])
    return sheet(f"{period}-{report.part.name or page.t('common.city')}", head, rows)


@router.get("/reports/{period}/{key}")
async def report_page(
    session: Reading, scope: SignedIn, page: Html, clock: ClockDep, period: str, key: str
) -> Response:
    report = await service.report(session, scope, period, key, clock.now())
    return page.render(
        "reports/report.html",
        report=report,
        catalogue=SHOWN,
        month_before=previous(period),
        periods=await indicators.periods(session, scope, clock.now()),
        now=clock.now(),
    )


COLUMNS = (
    "role",
    "time",
    "title",
    "subject",
    "grade",
    "lead_school",
    "teacher",
    "school",
    "room",
    "planned",
    "online",
    "heard",
    "signed_in",
    "result",
)


def _rows(report: Report, t: Texts) -> Iterator[list[object]]:
    """One row a receipt: what every figure of the report was made of."""
    for section in report.sections:
        for receipt in (one for lesson in section.lessons for one in lesson.receipts):
            figures = receipt.figures
            yield [
                t(f"indicators.level.{section.level}"),
                receipt.starts_at.astimezone(CITY).strftime("%Y-%m-%d %H:%M"),
                receipt.title,
                t(f"common.subject.{receipt.subject}"),
                figures.grade,
                receipt.lead_school_name,
                receipt.teacher,
                receipt.school_name,
                receipt.room_name,
                round(figures.planned_ms / 60_000, 1),
                round(figures.online_ms / 60_000, 1),
                "" if receipt.heard_ms is None else round(receipt.heard_ms / 60_000, 1),
                _signed(receipt, t),
                _result(receipt, t),
            ]


def _signed(receipt: CountedReceipt, t: Texts) -> str:
    if receipt.signed_in_at:
        return receipt.signed_in_at.astimezone(CITY).strftime("%H:%M")
    return t("indicators.made_good") if receipt.made_good_at else ""


def _result(receipt: CountedReceipt, t: Texts) -> str:
    figures = receipt.figures
    if figures.cancel_reason is not None:
        return t("indicators.cancelled", reason=t(f"common.cancel_reason.{figures.cancel_reason}"))
    return t("indicators.effective") if figures.effective else t(f"indicators.reason.{receipt.reason or 'pending'}")
