"""Small files, small functions, names of the field, a README in each folder, tests that mirror the tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.processes import ROOT
from tests.support.tree import PACKAGES, python_files, text, tracked, tree

FILE_LINES = 400
FUNCTION_LINES = 60
# Each with its reason; the list may shrink, it grows only with a word in the closing note.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}
# Vague names gather whatever nobody placed.
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "core", "base"}
# Jinja's own word for the page that others extend, and CSS's for the layer under all others.
FIELD_WORDS = {
    Path("frontend/templates/base.html"),
    Path("frontend/templates/admin/base.html"),
    Path("frontend/styles/base.css"),
}

CODE = python_files(*PACKAGES, "tests")
SCRIPTS = sorted(
    path for path in tracked() if path.suffix in {".js", ".mjs", ".css", ".html"} and path.parts[0] == "frontend"
)


def test_files_are_short() -> None:
    long = {str(path): lines for path in CODE + SCRIPTS if (lines := text(path).count("\n")) > FILE_LINES}
    assert long.keys() == LONG_FILES.keys(), f"split them, or name them here with a reason: {long}"


def functions() -> Iterator[tuple[str, int]]:
    """(file:function, length)"""
    for path in CODE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{path}:{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1


def test_functions_are_short() -> None:
    long = {name: lines for name, lines in functions() if lines > FUNCTION_LINES}
    assert long.keys() == LONG_FUNCTIONS.keys(), f"split them, or name them here with a reason: {long}"


def test_names_say_what_is_inside() -> None:
    vague = [str(path) for path in python_files(*PACKAGES) + SCRIPTS if path.stem in VAGUE and path not in FIELD_WORDS]
    assert vague == []


def test_a_file_says_what_it_is_for() -> None:
    silent = [str(p) for p in python_files(*PACKAGES) if text(p).strip() and not ast.get_docstring(tree(p))]
    assert silent == [], "no first lines that say what it is for"


def test_each_folder_has_a_readme() -> None:
    """Top folders and every package of the three: a screenful on purpose, rule, where to start reading."""
    # A noun's package under server/ repeats the same file names: server/README.md tells them once for all.
    wanted = {Path(p) for p in ("media", "signaling", "server", "frontend", "deploy", "tests")}
    missing = [folder for folder in sorted(wanted) if not (ROOT / folder / "README.md").is_file()]
    assert not missing, f"no README.md in {[str(p) for p in missing]}"


def test_readmes_are_a_screenful() -> None:
    long = [str(path) for path in tracked() if path.name == "README.md" and text(path).count("\n") > 160]
    assert not long, f"more than any screen: {long}"


def test_tests_mirror_the_tree() -> None:
    """tests/media/wire/test_stun.py stands for media/wire/stun.py: each folder of tests is a folder of code."""
    strays = [
        path
        for path in python_files("tests")
        if path.parts[1] in PACKAGES and not (ROOT / Path(*path.parts[1:-1])).is_dir()
    ]
    assert not strays, f"tests of nothing: {[str(p) for p in strays]}"


def test_the_top_level_is_fixed() -> None:
    """New things go into a folder that is there."""
    folders = {path.parts[0] for path in tracked() if len(path.parts) > 1}
    assert folders <= {".ci", "deploy", "frontend", "media", "server", "signaling", "tests"}, sorted(folders)
