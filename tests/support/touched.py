"""The inner loop's choice (``--touched``): what is pure, and pages on a database only where somebody is working.

Two thirds of the fast tests' time are pages on a database. ``tests/run.sh quick`` takes those of the folders that
changed since the commit before last; ``all`` takes everything.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHANGED = (("diff", "--name-only", "HEAD~1"), ("ls-files", "--others", "--exclude-standard"))


def folders(changed: Iterable[str]) -> frozenset[str]:
    """Folders of tests for changed files: of ``server/lessons/x.py``, ``frontend/templates/lessons/x.html`` and
    ``tests/server/lessons/test_x.py`` it is ``tests/server/lessons``."""
    found = set()
    for name in changed:
        parts = PurePosixPath(name).parent.parts
        if parts[:2] == ("frontend", "templates"):
            parts = ("server", *parts[2:])
        found.add("/".join(parts if parts[:1] == ("tests",) else ("tests", *parts)))
    return frozenset(found)


def changed_files() -> list[str] | None:
    """None where nobody can say: no git, or no commit before this one."""
    names: list[str] = []
    for words in CHANGED:
        try:
            told = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            return None
        names += told.stdout.split("\n")
    return [name for name in names if name]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--touched", action="store_true", help="tests that ask a database only where files changed")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    changed = changed_files() if config.getoption("--touched") else None
    if changed is None:
        return
    near = folders(changed)
    away = [item for item in items if _asks_database(item) and _folder(item) not in near]
    config.hook.pytest_deselected(items=away)
    items[:] = [item for item in items if item not in set(away)]


def _asks_database(item: pytest.Item) -> bool:
    return "database" in getattr(item, "fixturenames", ())


def _folder(item: pytest.Item) -> str:
    return item.path.parent.relative_to(ROOT).as_posix()
