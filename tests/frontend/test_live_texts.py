"""Every way a live page can fail has its sentence in both languages, and every sentence a page asks for exists."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCALES = ("zh-CN", "en")
MODULES = ROOT / "frontend" / "modules" / "live"


def sentences(locale: str) -> dict[str, str]:
    return json.loads((ROOT / "frontend" / "locale" / locale / "live.json").read_text("utf-8"))


def node_codes() -> set[str]:
    """The error table of signaling/README.md."""
    table = (ROOT / "signaling" / "README.md").read_text("utf-8").split("## Error codes")[1]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    return {code for row in rows for code in re.findall(r"`([a-z_]+)`", row)}


def asked_for() -> set[str]:
    """Keys written out in scripts and templates; computed ones (``device_${code}_${kind}``) are tested below."""
    found: set[str] = set()
    for path in MODULES.glob("*.js"):
        found |= set(re.findall(r"\bt\(\"([a-z_]+)\"", path.read_text("utf-8")))
    for path in (ROOT / "frontend" / "templates" / "live").glob("*.html"):
        found |= set(re.findall(r"t\([\"']live\.([a-z_]+)", path.read_text("utf-8")))
    return found


def computed() -> set[str]:
    keys = {
        f"device_{code}_{kind}"
        for code in ("denied", "missing", "busy", "insecure", "failed", "lost")
        for kind in ("mic", "camera")
    }
    keys |= {
        f"why_{reason}"
        for reason in ("ended", "elsewhere", "moved", "revoked", "epoch", "full", "shutdown", "left", "version")
    }
    keys |= {
        f"why_{reason}" for reason in ("node_unreachable", "node_silent", "web_unreachable", "sign_in", "forbidden")
    }
    keys |= {f"do_{action}" for action in ("retry", "here", "reload", "unlock", "devices", "reopen")}
    keys |= {f"signal_{what}" for what in ("unheard", "unclear", "fast")}
    keys |= {f"phase_{phase}" for phase in ("waiting", "live", "closed")}
    keys |= {f"light_{light}" for light in ("green", "yellow", "red", "deaf", "away")}
    keys |= {f"gets_{gets}" for gets in ("high", "mid", "low", "stills", "sound")}
    keys |= {"line_stills", "line_sound", "encoder_on"}
    return keys | {"check_path_udp", "check_path_tcp", "error_cut", "error_timeout", "error_other"}


@pytest.mark.parametrize("locale", LOCALES)
def test_every_code_of_the_node_has_a_sentence(locale: str) -> None:
    assert node_codes()
    assert {f"error_{code}" for code in node_codes()} - set(sentences(locale)) == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_every_key_asked_for_exists(locale: str) -> None:
    assert (asked_for() | computed()) - set(sentences(locale)) == set()


def test_both_languages_fill_in_the_same() -> None:
    chinese, english = (sentences(locale) for locale in LOCALES)
    assert list(chinese) == list(english)
    holes = {
        key: (set(re.findall(r"\{(\w+)\}", chinese[key])), set(re.findall(r"\{(\w+)\}", english[key])))
        for key in chinese
    }
    assert {key: pair for key, pair in holes.items() if pair[0] != pair[1]} == {}


def test_trouble_says_what_to_do() -> None:
    """A sentence about an error is more than a name for it: it has a second half."""
    chinese = sentences("zh-CN")
    short = {
        key: text
        for key, text in chinese.items()
        if key.startswith(("error_", "device_")) and not re.search("[，。：；]", text)
    }
    assert short == {}


def test_troubles_are_all_worded() -> None:
    keys = set(re.findall(r'key: "([a-z_]+)"', (MODULES / "troubles.js").read_text("utf-8")))
    assert keys
    assert keys - set(sentences("zh-CN")) == set()
