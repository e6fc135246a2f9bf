"""The list of error codes is true: each code that is emitted is documented, each documented one has its sentences."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "signaling" / "README.md").read_text()
TABLE = README[README.index("## Error codes") :]
CODES = {
    code
    for line in TABLE.splitlines()
    if line.startswith("| `")
    for code in re.findall(r"`([a-z_]+)`", line.split("|")[1])
}
SOURCES = "\n".join(path.read_text() for path in sorted((ROOT / "signaling").rglob("*.py")))


def emitted() -> set[str]:
    found = set(re.findall(r'(?:IntentError|SdpError|_fail|_error)\((?:wanted, )?"([a-z_]+)"', SOURCES))
    found |= set(re.findall(r'Error\(code="([a-z_]+)"', SOURCES))
    found |= {f"seat_{code}" for code in re.findall(r'SeatError\("([a-z_]+)"\)', SOURCES)}
    return found | {f"phase_{phase}" for phase in ("waiting", "live", "closed")}


def test_every_emitted_code_is_documented() -> None:
    assert len(emitted()) > 30
    assert emitted() <= CODES, emitted() - CODES


def test_every_documented_code_exists() -> None:
    named = {code for code in CODES if not code.startswith(("seat_", "phase_")) and f'"{code}"' not in SOURCES}
    assert not named


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_every_code_has_a_sentence(language: str) -> None:
    texts = json.loads((ROOT / "frontend" / "locale" / language / "live.json").read_text())
    assert not [code for code in sorted(CODES) if not texts.get(f"error_{code}")]


def test_every_file_is_named() -> None:
    files = [path for path in (ROOT / "signaling").glob("*.py") if path.stem not in ("__init__", "__main__")]
    assert not [path.name for path in files if path.name not in README]
