"""The tracked tree as tests of the house see it: files, imports, sizes."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.support.processes import ROOT

PACKAGES = ("media", "signaling", "server")


@cache
def tracked() -> tuple[Path, ...]:
    """Files under version control, relative to the root; those not yet added count too, ignored ones do not."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return tuple(path for name in listing.split("\0") if name and (path := Path(name)) and (ROOT / path).is_file())


def python_files(*folders: str) -> list[Path]:
    return sorted(path for path in tracked() if path.suffix == ".py" and path.parts[0] in folders)


def text(path: Path) -> str:
    return (ROOT / path).read_text("utf-8")


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(text(path), str(path))


def module_name(path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Full names of everything a file imports, wherever in the file (``from a import b`` gives "a.b")."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
