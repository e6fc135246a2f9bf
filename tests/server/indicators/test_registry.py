"""Every entry is complete and described in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.indicators.registry import BY_CODE, CATALOGUE, LEVELS, SHOWN, band
from server.templating import Texts


def test_codes_are_unique_and_dependencies_known() -> None:
    assert len(BY_CODE) == len(CATALOGUE)
    for indicator in CATALOGUE:
        assert set(indicator.levels) <= set(LEVELS)
        assert indicator.target_of is None or indicator.target_of in BY_CODE


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_shown_indicator_has_its_words(locale: str) -> None:
    t = Texts(locale)
    for indicator in SHOWN:
        for word in ("name", "formula"):
            key = f"indicators.{indicator.code}.{word}"
            assert t(key) != key
        if indicator.unit == "percent":
            assert "{" not in t(f"indicators.{indicator.code}.terms", numerator="1", denominator="2")
    for level in LEVELS:
        assert t(f"indicators.level.{level}") != f"indicators.level.{level}"


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        (0.95, 0.95, "met"),
        (0.9499, 0.95, "warning"),
        (0.8075, 0.95, "warning"),
        (0.80, 0.95, "missed"),
        (0.0, 0.95, "missed"),
        (None, 0.95, "none"),
        (0.5, None, "none"),
        (0.0, 0.0, "none"),
    ],
)
def test_bands(value: float | None, target: float | None, expected: str) -> None:
    assert band(BY_CODE["L1"], value, target) == expected


def test_the_readme_lists_every_indicator(root: Path) -> None:
    table = (root / "server/participation/README.md").read_text("utf-8")
    rows = {line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")}
    assert rows >= {indicator.code for indicator in CATALOGUE}
