"""Receipts -> roll-ups, a month at a time. Undone and redone as a whole: a run that did not say "done" leaves nothing
behind.

``stale`` (inputs changed) -> ``started`` (committed before work begins) -> ``done`` (with a fingerprint of the inputs).
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import astuple
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from server.clock import CITY, Clock
from server.database import Database
from server.ids import named_id
from server.indicators import store
from server.indicators.formulas import ReceiptFigures
from server.indicators.models import FillState
from server.indicators.registry import CATALOGUE, Level
from server.scope import SYSTEM

LOOK_AGAIN = timedelta(seconds=20)
"""A finished month's inputs are looked at again this often: a lesson ended unseen, was moved or called off."""

LOOK_BACK = timedelta(days=100)
"""Months whose plan may still change by itself; older ones change only through facts that come late (which mark
them).
"""


def period_of(moment: datetime) -> str:
    """A lesson counts in the city's calendar month in which it starts."""
    return moment.astimezone(CITY).strftime("%Y-%m")


def month_of(period: str) -> store.Moments:
    """[first moment of the month, first moment of the next) in the city."""
    year, month = int(period[:4]), int(period[5:])
    first = datetime(year, month, 1, tzinfo=CITY)
    return first, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=CITY)


def previous(period: str) -> str:
    return period_of(month_of(period)[0] - timedelta(days=1))


async def mark_stale(session: AsyncSession, periods: Collection[str]) -> None:
    await store.set_state(session, SYSTEM, periods, "stale")


async def catch_up(database: Database, clock: Clock) -> list[str]:
    """Rolls up every month that needs it; returns which."""
    now = clock.now()
    async with database.reading() as session:
        states = {state.period: state for state in await store.fill_states(session, SYSTEM)}
        wanted = [
            period
            for period in sorted({*states, period_of(now)})
            if await _needs(session, states.get(period), period, now)
        ]
    for period in wanted:
        await roll_up(database, period, clock.now())
    return wanted


async def _needs(session: AsyncSession, state: FillState | None, period: str, now: datetime) -> bool:
    if state is None or state.state != "done" or state.computed_at is None:
        return True
    if now - state.computed_at < LOOK_AGAIN or month_of(period)[1] < now - LOOK_BACK:
        return False
    receipts = await store.due_receipts(session, SYSTEM, month_of(period), now)
    return fingerprint(receipts) != state.fingerprint


async def roll_up(database: Database, period: str, now: datetime) -> None:
    async with database.transaction() as session:
        await store.set_state(session, SYSTEM, [period], "started")
    async with database.transaction() as session:
        state = await store.lock_state(
            session, SYSTEM, period
        )  # facts that come meanwhile mark the month stale after us
        receipts = await store.due_receipts(session, SYSTEM, month_of(period), now)
        parts = await store.parts(session, SYSTEM, month_of(period))
        await store.replace_roll_ups(session, SYSTEM, period, list(_rows(period, receipts, parts, now)))
        state.state, state.computed_at, state.facts_until = "done", now, now
        state.fingerprint = fingerprint(receipts)
        state.fact_count = await store.ledger_edge(session, SYSTEM, {receipt.lesson for receipt in receipts})


def fingerprint(receipts: Iterable[ReceiptFigures]) -> str:
    digest = hashlib.sha256()
    for receipt in receipts:
        digest.update(repr(astuple(receipt)).encode())
    return digest.hexdigest()


def groups(receipts: Iterable[ReceiptFigures]) -> dict[Level, dict[str, list[ReceiptFigures]]]:
    """The same receipts by every level: each larger part is the sum of its smaller ones."""
    levels: dict[Level, dict[str, list[ReceiptFigures]]] = {
        level: defaultdict(list) for level in ("room", "school", "lead", "district", "city")
    }
    for receipt in receipts:
        levels["room"][receipt.room].append(receipt)
        levels["school"][receipt.school].append(receipt)
        levels["lead"][receipt.lead_school].append(receipt)
        if receipt.district is not None:
            levels["district"][receipt.district].append(receipt)
        levels["city"]["city"].append(receipt)
    return levels


def _rows(
    period: str, receipts: list[ReceiptFigures], parts: dict[str, set[str]], now: datetime
) -> Iterator[dict[str, Any]]:
    by_level = groups(receipts)
    for indicator in CATALOGUE:
        for level in indicator.levels:
            for part in sorted(parts[level] | set(by_level[level])):
                numerator, denominator = indicator.formula(by_level[level].get(part, []))
                yield {
                    "id": named_id(indicator.code, period, level, part),
                    "code": indicator.code,
                    "period": period,
                    "level": level,
                    "part": part,
                    "numerator": float(numerator),
                    "denominator": float(denominator),
                    "computed_at": now,
                }
