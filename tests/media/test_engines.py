"""The C twin is taken where it can be had, asked for by name, and never missed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from media import engines
from media.errors import ResourceError


def test_auto_takes_the_c_twin_where_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert engines.open_engine("auto").native == (engines.find_native() is not None)
    monkeypatch.setattr(engines, "find_native", lambda: None)
    assert engines.name_of(engines.open_engine("auto")) == "python"
    with pytest.raises(ResourceError, match="C packet engine"):
        engines.open_engine("native")


def test_python_can_be_asked_for() -> None:
    assert engines.name_of(engines.open_engine("python")) == "python"


def test_a_library_without_the_ciphers_is_not_believed() -> None:
    script = "import media.cengine as c; c._crypto_libraries = lambda: ['libm.so.6', 'x.so']; print(c.find_native())"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


def test_it_says_itself_in_one_word() -> None:
    done = subprocess.run([sys.executable, "-m", "media.engines"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == engines.name_of(engines.open_engine("auto"))
