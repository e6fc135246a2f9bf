"""A short history as a small line: numbers in, points of SVG polylines out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 120, 24
MARGIN = 2


@dataclass(frozen=True, slots=True)
class Spark:
    """``parts``: one polyline a stretch with figures; a stretch of one point is drawn as a dot by its round cap."""

    parts: tuple[str, ...]
    top: float
    last: float | None


def spark(figures: Sequence[float | None]) -> Spark:
    """Oldest first; None leaves a hole. Zero lies at the bottom, the largest at the top."""
    known = [figure for figure in figures if figure is not None]
    top = max(known, default=0.0)
    step = WIDTH / max(1, len(figures) - 1)
    parts: list[list[str]] = [[]]
    for place, figure in enumerate(figures):
        if figure is None:
            parts.append([])
            continue
        height = (HEIGHT - 2 * MARGIN) * (figure / top if top > 0 else 0.0)
        parts[-1].append(f"{place * step:.1f},{HEIGHT - MARGIN - height:.1f}")
    drawn = (part if len(part) > 1 else part * 2 for part in parts if part)
    return Spark(tuple(" ".join(part) for part in drawn), top, figures[-1] if figures else None)
