"""Builds the C twin of the packet engine aside, with other flags than the product's: sanitizers, null ciphers.

Rule: the sources and the macros are those of ``pyproject.toml``; nothing is left in the tree.
"""

from __future__ import annotations

import importlib.machinery
import importlib.util
import shutil
import subprocess
import sysconfig
import tomllib
from pathlib import Path
from typing import Any

from tests.support.processes import ROOT


def compiler() -> str | None:
    """A C compiler, if there is one and Python's headers are there."""
    header = Path(sysconfig.get_paths()["include"]) / "Python.h"
    return (shutil.which("gcc") or shutil.which("cc")) if header.is_file() else None


def build(folder: Path, *flags: str) -> Path:
    """The extension compiled into ``folder``; ``flags`` come last."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["ext-modules"][0]
    made = folder / f"_engine{sysconfig.get_config_var('EXT_SUFFIX')}"
    macros = [f"-D{name}={value}" for name, value in settings["define-macros"]]
    command = [compiler() or "cc", "-shared", "-fPIC", "-g", *macros, *settings["extra-compile-args"], *flags]
    command += [f"-I{sysconfig.get_paths()['include']}", *settings["sources"], "-o", str(made)]
    command += [f"-l{name}" for name in settings["libraries"]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return made


def load(path: Path) -> Any:
    """The module at ``path``, beside the one that is installed."""
    loader = importlib.machinery.ExtensionFileLoader("media._engine", str(path))
    spec = importlib.util.spec_from_file_location("media._engine", path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module
