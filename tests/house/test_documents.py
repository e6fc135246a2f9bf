"""Documents are true: paths they name exist; settings, commands, indicators, messages and facts stand in tables.

The tables of server/README.md and signaling/README.md between ``<!-- NAME -->`` and ``<!-- /NAME -->`` are made by
``python -m tests.house.test_documents``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import signaling.config
from server.config import WebSettings
from server.indicators.registry import CATALOGUE
from signaling.config import NodeSettings
from signaling.facts import Fact, FactKind
from signaling.messages import ClientMessage, ServerMessage
from tests.support.processes import ROOT
from tests.support.tree import text, tracked

README_FILES = [path for path in tracked() if path.name in ("README.md", "CHANGELOG.md")]
TEXTS = json.loads((ROOT / "frontend" / "locale" / "zh-CN" / "indicators.json").read_text("utf-8"))

# A path in a document: back-quoted, with a slash or a known ending, of plain characters.
NAMED = re.compile(r"`([A-Za-z0-9_.][A-Za-z0-9_./-]*)`")
ENDINGS = (".py", ".sh", ".js", ".css", ".html", ".json", ".yml", ".conf", ".env", ".md", ".lock", ".toml")


def paths_named(document: Path) -> Iterator[str]:
    yield from (name for name in NAMED.findall(text(document)) if name.endswith(ENDINGS))


def test_every_named_file_exists() -> None:
    """Relative to the root, to the document's folder, or anywhere below it."""
    files = {str(path) for path in tracked()}
    missing = []
    for document in README_FILES:
        folder = document.parent
        below = [str(path) for path in tracked() if path.is_relative_to(folder)]
        for name in paths_named(document):
            plain = name.removeprefix("../")
            known = plain in files or any(path == name or path.endswith(f"/{name}") for path in below)
            if not known and name not in MADE_ELSEWHERE:
                missing.append(f"{document}: {name}")
    assert missing == [], "\n".join(missing)


# Files that set-up or running makes, and names on other machines.
MADE_ELSEWHERE = {"settings.env", "manifest.json", ".env"}


# --- tables -----------------------------------------------------------------------------------------------------------


def settings_table(fields: Any) -> list[str]:
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for name, field in fields.items():
        default = "" if field.is_required() or field.default in (None, "", ()) else str(field.default)
        rows.append(f"| `TONGTANG_{name.upper()}` | {f'`{default}`' if default else ''} | {field.description} |")
    return rows


def commands_table() -> list[str]:
    from typer.main import get_command

    from server.cli import app

    rows = ["| command | what |", "|---|---|"]
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        words = " " + " \\| ".join(inner) if inner else ""
        rows.append(f"| `tongtang {name}{words}` | {(command.help or '').splitlines()[0]} |")
    return rows


def indicators_table() -> list[str]:
    rows = ["| indicator | 指标 | target |", "|---|---|---|"]
    for one in CATALOGUE:
        name = TEXTS.get(f"{one.code}.name", "（为 L3 的对照计算，不单独显示）")
        target = one.target_of or (f"{one.target:.0%}" if one.target else "")
        rows.append(f"| `{one.code}` | {name} | {target} |")
    return rows


def messages_table() -> list[str]:
    rows = ["| message | from | fields |", "|---|---|---|"]
    for union, sender in ((ClientMessage, "client"), (ServerMessage, "node")):
        for message in get_args(union):
            fields = [name for name in message.model_fields if name != "type"]
            kind = get_args(message.model_fields["type"].annotation)[0]
            rows.append(f"| `{kind}` | {sender} | {', '.join(f'`{name}`' for name in fields)} |")
    return rows


def facts_table() -> list[str]:
    told = dict(re.findall(r"^ {4}(\w+) {2,}(\{.*?\})", Fact.__doc__ or "", re.MULTILINE))
    return [
        "| fact | data |",
        "|---|---|",
        *(f"| `{kind}` | {_cell(told.get(kind, ''))} |" for kind in get_args(FactKind)),
    ]


def _cell(value: str) -> str:
    return f"`{value}`".replace("|", "\\|") if value else ""


TABLES: dict[str, dict[str, Callable[[], list[str]]]] = {
    "server/README.md": {
        "commands": commands_table,
        "settings": lambda: settings_table(WebSettings.model_fields),
        "indicators": indicators_table,
    },
    "signaling/README.md": {
        "messages": messages_table,
        "facts": facts_table,
        "settings": lambda: settings_table(NodeSettings.model_fields),
    },
}


def with_tables(document: str, body: str) -> str:
    for name, make in TABLES[document].items():
        marks = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        assert marks[0] in body and marks[1] in body, f"{document}: no place for the table of {name}"
        before, _, rest = body.partition(marks[0])
        _, _, after = rest.partition(marks[1])
        body = before + marks[0] + "\n".join(make()) + "\n" + marks[1] + after
    return body


def test_tables_are_true() -> None:
    for document in TABLES:
        body = (ROOT / document).read_text("utf-8")
        assert with_tables(document, body) == body, f"{document}: run `python -m tests.house.test_documents`"


def test_every_setting_is_explained() -> None:
    for fields in (WebSettings.model_fields, NodeSettings.model_fields):
        assert [name for name, field in fields.items() if not field.description] == []
    assert signaling.config.PREFIX == "TONGTANG_"


if __name__ == "__main__":
    for document in TABLES:
        path = ROOT / document
        path.write_text(with_tables(document, path.read_text("utf-8")), "utf-8")
