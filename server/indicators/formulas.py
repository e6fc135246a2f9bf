"""Formulas of the indicators: pure, over receipts, exact until the last division.

Every formula gives (numerator, denominator); nothing below the line means "—" (不适用), never 0 and never 100 %.
Terms are fractions, so that no order of rows changes a digit of a sum of 40- and 45-minute hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

PRIMARY_MINUTES = 40
JUNIOR_MINUTES = 45
"""标准课时 by phase (domain.md section 4)."""

LAST_PRIMARY_GRADE = 6

EXEMPT_REASONS = frozenset({"holiday", "weather", "replanned"})
"""停课 for 法定假, 停课令, 自然灾害 leaves every denominator; any other cause stays in (domain.md sections 7 and 9).
What the timetable withdrew when it was published anew was never owed.
"""


@dataclass(frozen=True, slots=True)
class ReceiptFigures:
    """What indicators may know of one due receipt: one (lesson, receiving room) that is over."""

    lesson: str
    room: str
    school: str
    district: str | None
    """District accountable for the receiving school; None: 市直属."""
    lead_school: str
    grade: int
    planned_ms: int
    delivered_ms: int
    online_ms: int
    effective: bool
    cancel_reason: str | None = None
    """None: not cancelled."""

    @property
    def excused(self) -> bool:
        return self.cancel_reason in EXEMPT_REASONS


Terms = tuple[Fraction, Fraction]
Formula = Callable[[Iterable[ReceiptFigures]], Terms]


def lesson_hours(grade: int, ms: int) -> Fraction:
    """Standard lesson-hours (课时): 40 minutes in primary, 45 in junior grades."""
    minutes = PRIMARY_MINUTES if grade <= LAST_PRIMARY_GRADE else JUNIOR_MINUTES
    return Fraction(ms, minutes * 60_000)


def delivery_rate(receipts: Iterable[ReceiptFigures]) -> Terms:
    """L1 = effective receipts ÷ planned receipts."""
    due = [receipt for receipt in receipts if not receipt.excused]
    return Fraction(sum(receipt.effective for receipt in due)), Fraction(len(due))


def received_hours(receipts: Iterable[ReceiptFigures]) -> Terms:
    """L3 = Σ min(delivered, planned) of effective receipts, in standard lesson-hours."""
    hours = [
        lesson_hours(receipt.grade, min(receipt.delivered_ms, receipt.planned_ms))
        for receipt in receipts
        if receipt.effective
    ]
    return sum(hours, Fraction(0)), Fraction(1)


def planned_hours(receipts: Iterable[ReceiptFigures]) -> Terms:
    """L3P, what L3 is measured against: Σ planned of receipts not excused, in standard lesson-hours."""
    hours = [lesson_hours(receipt.grade, receipt.planned_ms) for receipt in receipts if not receipt.excused]
    return sum(hours, Fraction(0)), Fraction(1)


def online_rate(receipts: Iterable[ReceiptFigures]) -> Terms:
    """A1 = Σ union of online minutes ÷ Σ planned minutes of receipts not excused."""
    due = [receipt for receipt in receipts if not receipt.excused]
    return Fraction(sum(receipt.online_ms for receipt in due)), Fraction(sum(receipt.planned_ms for receipt in due))


def value(numerator: float, denominator: float) -> float | None:
    return None if denominator == 0 else numerator / denominator
