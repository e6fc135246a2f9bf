"""The indicators, one entry each: what is counted, for whom, how often, against what. Names stand in the locale files.

Texts of an entry: ``indicators.<code>.name``, ``.formula`` (how it is computed, in words) and ``.short``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from server.indicators import formulas
from server.indicators.formulas import Formula

Level = Literal["room", "school", "lead", "district", "city"]
Unit = Literal["percent", "hours"]
Band = Literal["met", "warning", "missed", "none"]

LEVELS: tuple[Level, ...] = ("room", "school", "lead", "district", "city")
"""``school`` counts a school as receiver, ``lead`` as leader: hours go to who taught, presence to who sat there."""

WARNING_SHARE = 0.85
"""预警 from 85 % of the target, as 余项 85 % in 优质均衡 (domain.md section 7)."""


@dataclass(frozen=True, slots=True)
class Indicator:
    code: str
    unit: Unit
    levels: tuple[Level, ...]
    periods: tuple[Literal["month"], ...]
    direction: Literal["up", "down"]
    formula: Formula
    target: float | None = None
    """A fixed target, in the unit of the value."""
    target_of: str | None = None
    """Or the code of the indicator that holds the plan this one is measured against (a dependency)."""
    target_share: float = 1.0
    """Share of that plan that is enough: a lesson that begins half a minute late is no missed target."""
    hidden: bool = False
    """Computed for others' sake, not shown by itself."""


CATALOGUE: tuple[Indicator, ...] = (
    Indicator("L1", "percent", LEVELS, ("month",), "up", formulas.delivery_rate, target=0.95),
    Indicator("L3", "hours", LEVELS, ("month",), "up", formulas.received_hours, target_of="L3P", target_share=0.95),
    Indicator("L3P", "hours", LEVELS, ("month",), "up", formulas.planned_hours, hidden=True),
    Indicator("A1", "percent", LEVELS, ("month",), "up", formulas.online_rate, target=0.97),
)

BY_CODE = {indicator.code: indicator for indicator in CATALOGUE}
SHOWN = tuple(indicator for indicator in CATALOGUE if not indicator.hidden)


def band(indicator: Indicator, value: float | None, target: float | None) -> Band:
    """达标 at or beyond the target, 预警 within 85 % of it, 未达标 below, 不适用 without a value or a target."""
    if value is None or not target:
        return "none"
    share = value / target if indicator.direction == "up" else (target / value if value else 1.0)
    if share >= 1:
        return "met"
    return "warning" if share >= WARNING_SHARE else "missed"
