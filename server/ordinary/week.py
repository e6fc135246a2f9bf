"""A week of an ordinary timetable as a table: weekdays across, 节次 down. Pure but for the rows it is handed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from server.ordinary.models import OrdinarySlot
from server.timetable.bells import Bell

WORKDAYS = 5


@dataclass(frozen=True, slots=True)
class Row:
    """``bell``: where the school rings this 节次."""

    period: int
    bell: Bell | None
    cells: list[list[OrdinarySlot]]


@dataclass(frozen=True, slots=True)
class Week:
    days: list[int]
    rows: list[Row]
    count: int


def week(hours: Sequence[OrdinarySlot], bells: Iterable[Bell]) -> Week:
    """Every 节次 that is rung or held; Saturday and Sunday only where something is on them."""
    rung = {one.period: one for one in bells}
    days = sorted({*range(1, WORKDAYS + 1), *(one.weekday for one in hours)})
    rows = [
        Row(period, rung.get(period), [[one for one in hours if at(one) == (day, period)] for day in days])
        for period in sorted({*rung, *(one.period for one in hours)})
    ]
    return Week(days, rows, len(hours))


def at(one: OrdinarySlot) -> tuple[int, int]:
    return one.weekday, one.period
