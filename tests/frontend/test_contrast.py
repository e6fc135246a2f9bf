"""Pairs of tokens that carry text reach WCAG 2.1 AA (4.5 : 1), borders and focus rings 3 : 1, on both themes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

STYLES = Path(__file__).resolve().parents[2] / "frontend" / "styles"
GROUNDS = ("paper", "surface", "surface-sunk", "surface-hover")
TEXT = [(ink, ground) for ink in ("ink", "ink-soft", "accent", "bad") for ground in GROUNDS]
TEXT += [("ink-faint", "paper"), ("ink-faint", "surface"), ("ink-faint", "surface-sunk")]
TEXT += [(band, f"{band}-soft") for band in ("good", "caution", "bad", "note", "accent")]
TEXT += [("ink", f"{band}-soft") for band in ("good", "caution", "bad", "note", "accent")]
TEXT += [(band, "surface") for band in ("good", "caution", "note", "live")]
TEXT += [("on-accent", "accent"), ("on-accent", "accent-hover"), ("on-seal", "seal"), ("live", "bad-soft")]
SHAPES = [
    ("line-strong", "surface"),
    ("focus", "paper"),
    ("focus", "surface"),
    ("accent", "paper"),
    ("chart-1", "surface"),
]


def themes() -> dict[str, dict[str, str]]:
    css = (STYLES / "tokens.css").read_text("utf-8")
    found: dict[str, dict[str, str]] = {}
    for selector, body in re.findall(r"(:root|\[data-theme=\"stage\"\]) \{(.*?)\n\}", css, re.S):
        found[selector] = dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", body))
    return found


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_formula_agrees_with_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [":root", '[data-theme="stage"]'])
def test_pairs_reach_aa(theme: str) -> None:
    tokens = themes()[theme]
    poor = [
        f"{ink} on {ground}: {contrast(tokens[ink], tokens[ground]):.2f} < {floor}"
        for pairs, floor in ((TEXT, 4.5), (SHAPES, 3.0))
        for ink, ground in pairs
        if contrast(tokens[ink], tokens[ground]) < floor
    ]
    assert poor == []


def test_colours_live_in_tokens_only() -> None:
    """No raw colour in the other sheets (a veil's rgba aside), so that the stage theme reaches everything."""
    for path in STYLES.glob("*.css"):
        if path.name not in ("tokens.css", "print.css"):
            css = re.sub(r"/\*.*?\*/", "", path.read_text("utf-8"), flags=re.S)
            css = re.sub(r"@media print \{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", css)  # paper is black on white
            assert re.findall(r"[:\s(]#[0-9a-fA-F]{3,8}\b", css) == [], path.name
