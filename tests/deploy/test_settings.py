"""Settings are documented where an operator looks, and web and node know each other's keys."""

from __future__ import annotations

import importlib.util

import pytest

import server.config
import signaling.config
from tests.support.processes import ROOT


def test_the_example_is_up_to_date() -> None:
    path = ROOT / "deploy" / "settings_example.py"
    spec = importlib.util.spec_from_file_location("settings_example", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "deploy" / "settings.example.env").read_text("utf-8")
    assert written == module.example(), "run `python deploy/settings_example.py`"


def test_the_example_is_itself_accepted() -> None:
    lines = (ROOT / "deploy" / "settings.example.env").read_text("utf-8").splitlines()
    keys = dict(line.lstrip("#").split("=", 1) for line in lines if line.startswith("#TONGTANG_"))
    assert len(keys) > 20
    server.config.check_keys(keys)
    signaling.config.check_keys(keys)


def test_web_and_node_know_each_others_keys() -> None:
    assert server.config.NODE_KEYS >= signaling.config.NODE_KEYS
    assert signaling.config.WEB_KEYS | signaling.config.NODE_KEYS >= server.config.WEB_KEYS
    assert server.config.NODE_KEYS | server.config.WEB_KEYS >= signaling.config.WEB_KEYS


@pytest.mark.parametrize("check", [server.config.check_keys, signaling.config.check_keys])
def test_an_unknown_key_is_an_error(check: object) -> None:
    with pytest.raises(Exception, match="TONGTANG_NODE_SECRT is not a setting; did you mean TONGTANG_NODE_SECRET"):
        check({"TONGTANG_NODE_SECRT": "x"})  # type: ignore[operator]
