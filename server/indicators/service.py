"""Reading the figures: who may look, which months there are, values with targets, bands and the month before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from server.errors import ForbiddenError, NotFoundError
from server.indicators import store
from server.indicators.formulas import value
from server.indicators.models import FillState, RollUp
from server.indicators.registry import BY_CODE, LEVELS, SHOWN, Band, Indicator, Level, band
from server.indicators.rollup import month_of, period_of, previous
from server.indicators.store import CountedReceipt, PartName
from server.scope import Scope, allows


@dataclass(frozen=True, slots=True)
class Figure:
    """One indicator of one part in one month."""

    indicator: Indicator
    numerator: float
    denominator: float
    value: float | None
    target: float | None
    band: Band
    before: float | None
    """The month before, for comparison."""

    @property
    def change(self) -> float | None:
        return None if self.value is None or self.before is None else self.value - self.before


@dataclass(frozen=True, slots=True)
class Row:
    part: PartName
    figures: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Behind:
    """Everything behind one figure."""

    indicator: Indicator
    level: Level
    part: PartName
    figure: Figure
    receipts: list[CountedReceipt]
    agrees: bool
    """The receipts give the same figure again."""
    trend: list[tuple[str, float | None]]


def ask(scope: Scope) -> None:
    if not allows(scope, "report.read"):
        raise ForbiddenError


def levels_of(scope: Scope) -> tuple[Level, ...]:
    """Levels with more than one part for the asker, the widest first."""
    if scope.city:
        return ("district", "school", "lead", "room")
    return ("school", "lead", "room") if scope.districts else ("room", "school", "lead")


async def levels_shown(session: AsyncSession, scope: Scope) -> list[Level]:
    """Of those levels the ones that have a part in the scope: a village school leads nobody."""
    return [level for level in levels_of(scope) if await store.names(session, scope, level, 1)]


async def home_of(session: AsyncSession, scope: Scope) -> tuple[Level, PartName] | None:
    """The part whose figures stand on top: the city, one's district, one's school as receiver or else as leader."""
    for level in ("city", "district", "school", "lead"):
        if found := await store.names(session, scope, level, 1):
            return level, next(iter(found.values()))
    return None


def report_of(home: tuple[Level, PartName] | None) -> str | None:
    """The monthly report that belongs to a part: "city", "district-<code>", "school-<id>"."""
    if home is None:
        return None
    level, part = home
    return "city" if level == "city" else f"{'district' if level == 'district' else 'school'}-{part.id}"


async def periods(session: AsyncSession, scope: Scope, now: datetime) -> list[str]:
    """Months with figures, newest first; the current one always."""
    states = await store.fill_states(session, scope)
    return sorted({period_of(now), *(state.period for state in states)}, reverse=True)


async def period_asked(session: AsyncSession, scope: Scope, wanted: str | None, now: datetime) -> str:
    """The month asked for, else the newest that holds anything."""
    states = await store.fill_states(session, scope)
    if wanted is None:
        filled = [state.period for state in states if state.fact_count]
        return max(filled, default=period_of(now))
    if wanted not in {period_of(now), *(state.period for state in states)}:
        raise NotFoundError
    return wanted


async def state_of(session: AsyncSession, scope: Scope, period: str) -> FillState | None:
    return await store.fill_state(session, scope, period)


async def rows(session: AsyncSession, scope: Scope, period: str, level: Level) -> list[Row]:
    names = await store.names(session, scope, level)
    figures = await _figures(session, scope, period, level, None)
    return [Row(name, figures[part]) for part, name in names.items() if part in figures]


async def figures_of(session: AsyncSession, scope: Scope, period: str, level: Level, part: str) -> Mapping[str, Figure]:
    return (await _figures(session, scope, period, level, [part])).get(part, {})


async def _figures(
    session: AsyncSession, scope: Scope, period: str, level: Level, parts: Collection[str] | None
) -> dict[str, dict[str, Figure]]:
    before = previous(period)
    found = await store.roll_ups(session, scope, [period, before], level, parts)
    return {
        part: {indicator.code: _figure(indicator, of_part, period, before) for indicator in SHOWN}
        for part, of_part in _by_part(found).items()
        if any(held_period == period for _, held_period in of_part)
    }


def _by_part(found: Iterable[RollUp]) -> dict[str, dict[tuple[str, str], RollUp]]:
    by_part: dict[str, dict[tuple[str, str], RollUp]] = {}
    for row in found:
        by_part.setdefault(row.part, {})[(row.code, row.period)] = row
    return by_part


def _figure(indicator: Indicator, held: Mapping[tuple[str, str], RollUp], period: str, before: str) -> Figure:
    now_row = held.get((indicator.code, period))
    numerator, denominator = (now_row.numerator, now_row.denominator) if now_row else (0.0, 0.0)
    current = value(numerator, denominator)
    target = indicator.target
    if indicator.target_of is not None:
        target = _value(held.get((indicator.target_of, period)))
    return Figure(
        indicator=indicator,
        numerator=numerator,
        denominator=denominator,
        value=current,
        target=target,
        band=band(indicator, current, None if target is None else target * indicator.target_share),
        before=_value(held.get((indicator.code, before))),
    )


def _value(row: RollUp | None) -> float | None:
    return None if row is None else value(row.numerator, row.denominator)


async def behind(session: AsyncSession, scope: Scope, code: str, period: str, level: str, part: str) -> Behind:
    """A figure with the receipts it came from, computed from them once more."""
    indicator = BY_CODE.get(code)
    known = next((one for one in LEVELS if one == level), None)
    if indicator is None or indicator.hidden or known is None:
        raise NotFoundError
    name = (await store.names(session, scope, known)).get(part)
    state = await store.fill_state(session, scope, period)
    if name is None or state is None or state.computed_at is None:
        raise NotFoundError
    held = await figures_of(session, scope, period, known, part)
    if code not in held:
        raise NotFoundError
    figure = held[code]
    receipts = await store.receipts_of(session, scope, month_of(period), state.computed_at, known, part)
    again = indicator.formula([receipt.figures for receipt in receipts])
    return Behind(
        indicator=indicator,
        level=known,
        part=name,
        figure=figure,
        receipts=receipts,
        agrees=(float(again[0]), float(again[1])) == (figure.numerator, figure.denominator),
        trend=await _trend(session, scope, code, known, part, period),
    )


async def _trend(
    session: AsyncSession, scope: Scope, code: str, level: Level, part: str, period: str
) -> list[tuple[str, float | None]]:
    states = [state.period for state in await store.fill_states(session, scope) if state.period <= period][-6:]
    found = {row.period: row for row in await store.roll_ups(session, scope, states, level, [part]) if row.code == code}
    return [(one, _value(found.get(one))) for one in states]


async def districts(session: AsyncSession, scope: Scope) -> list[PartName]:
    """Districts one can filter by: those of one's scope."""
    return list((await store.names(session, scope, "district")).values())
