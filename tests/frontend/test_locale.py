"""Sentences: both languages have the same keys and placeholders, and every key that code asks for exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from string import Formatter

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCALE = ROOT / "frontend" / "locale"
AREAS = sorted(path.stem for path in (LOCALE / "zh-CN").glob("*.json"))

LITERAL = re.compile(r"""\bt\(\s*(['"`])([a-z]+\.[A-Za-z0-9_.]+)\1\s*[,)]""")
"""t("area.key") with a whole key: what is built with ~ or f"" is not read here (pages' walks see those)."""


def sentences(locale: str, area: str) -> dict[str, str]:
    held: dict[str, str] = json.loads((LOCALE / locale / f"{area}.json").read_text("utf-8"))
    return held


def everything(locale: str) -> dict[str, str]:
    return {f"{area}.{key}": text for area in AREAS for key, text in sentences(locale, area).items()}


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_areas() -> None:
    assert sorted(path.stem for path in (LOCALE / "en").glob("*.json")) == AREAS
    assert AREAS


@pytest.mark.parametrize("area", AREAS)
def test_both_languages_have_the_same_keys_and_placeholders(area: str) -> None:
    zh, en = sentences("zh-CN", area), sentences("en", area)
    assert sorted(zh) == sorted(en)
    assert [key for key in zh if placeholders(zh[key]) != placeholders(en[key])] == []


def code_files() -> list[Path]:
    folders = [ROOT / "server", ROOT / "frontend" / "templates", ROOT / "frontend" / "modules"]
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in (".py", ".html", ".js")]


def test_every_key_asked_for_exists() -> None:
    known = everything("zh-CN")
    missing = sorted(
        f"{path.relative_to(ROOT)}: {key}"
        for path in code_files()
        for _, key in LITERAL.findall(path.read_text("utf-8"))
        if key not in known and key.split(".", 1)[0] in AREAS
    )
    assert missing == []


def test_every_error_has_its_sentence() -> None:
    """Keys of raised errors: ``InvalidError("school_marks", …)`` needs errors.school_marks."""
    known = sentences("zh-CN", "errors")
    raised = re.compile(r"""\b[A-Z][A-Za-z]*Error\(\s*"([a-z_]+)"\s*[,)]""")
    ours = re.compile(r"(Invalid|Conflict|Forbidden|NotFound|TooLarge|TooMany|Unavailable)Error")
    missing = sorted(
        f"{path.relative_to(ROOT)}: {key}"
        for path in sorted((ROOT / "server").rglob("*.py"))
        for line in path.read_text("utf-8").splitlines()
        if ours.search(line)
        for key in raised.findall(line)
        if key not in known
    )
    assert missing == []


@pytest.mark.parametrize("area", [area for area in AREAS if area != "doctor"])  # the doctor's mends are commands
def test_chinese_is_chinese(area: str) -> None:
    """Nothing left in English, and none of the words this field does not use (experience.md, Words)."""
    zh, en = sentences("zh-CN", area), sentences("en", area)
    same = [key for key, text in zh.items() if text == en[key] and re.search("[a-z]{4}", re.sub(r"\{\w+\}", "", text))]
    assert same == []
    assert {key: text for key, text in zh.items() if re.search("会议|参会|与会|请下", text)} == {}
