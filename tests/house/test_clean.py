"""Nothing of one machine gets into the tree: no path of a home or a work folder, no address of a package registry."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.processes import ROOT
from tests.support.tree import text, tracked

BINARY = {".png", ".webp", ".ico", ".pdf", ".woff2", ".gz", ".bin", ".pyc", ".mp4", ".webm"}
TEXTS = [path for path in tracked() if path.suffix not in BINARY]

# Written in pieces, so that this file does not find itself.
MACHINE = re.compile("|".join(["/" + "work/", "/" + r"root/(?!\.)", "/" + r"home/[a-z]+/", "/" + "opt/wheels"]))
HOSTS = [
    ("pypi", r"\.org"),
    ("files", r"\.pythonhosted"),
    ("registry", r"\.npmjs"),
    ("registry", r"\.yarnpkg"),
    ("deb", r"\.debian\.org"),
]
REGISTRIES = re.compile(
    "|".join(f"{name}{domain}" for name, domain in HOSTS),
    re.IGNORECASE,
)


def test_no_trace_of_a_machine() -> None:
    assert [str(path) for path in TEXTS if MACHINE.search(text(path))] == [], "a path of one machine"
    assert [str(path) for path in TEXTS if REGISTRIES.search(text(path))] == [], "the address of a registry"


@pytest.mark.parametrize("path", sorted((ROOT / "deploy").glob("*.lock")), ids=lambda p: p.name)
def test_python_locks_hold_hashes_and_no_address(path: Path) -> None:
    body = path.read_text("utf-8")
    assert "://" not in body and "--index" not in body and "--find-links" not in body and "--extra-index" not in body
    pins = re.findall(r"^([a-z0-9][a-z0-9._-]*)==(\S+)(.*?)(?=^\S|\Z)", body, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    assert pins, f"{path} pins nothing"
    bare = [name for name, _, rest in pins if "--hash=sha256:" not in rest]
    assert not bare, f"pins without hashes: {bare}"


def test_the_npm_lock_holds_integrity_and_no_address() -> None:
    for path in (path for path in tracked() if path.name == "package-lock.json"):
        body = text(path)
        assert '"resolved"' not in body and '"integrity"' in body
        assert "omit-lockfile-registry-resolved=true" in text(path.with_name(".npmrc")), (
            "npm would write addresses next time"
        )


def pins(name: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for package, version in re.findall(
        r"^([a-z0-9][a-z0-9._-]*)==(\S+)", (ROOT / "deploy" / name).read_text("utf-8"), re.MULTILINE
    ):
        found.setdefault(package, set()).add(version)
    return found


def test_tests_run_on_what_is_shipped() -> None:
    """The development lock holds every pin of the runtime lock, the same versions."""
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert {name: development.get(name) for name in runtime} == runtime


def test_locks_follow_pyproject() -> None:
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    for lock, wanted in (
        ("requirements.lock", project["dependencies"]),
        ("requirements-dev.lock", project["optional-dependencies"]["dev"]),
    ):
        names = {re.split(r"[\[<>=~! ;]", line)[0].lower().replace("_", "-") for line in wanted}
        assert names <= pins(lock).keys(), f"run `sh deploy/lock.sh`: {lock} lacks {names - pins(lock).keys()}"
