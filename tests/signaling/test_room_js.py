"""The browser's reducer on the same vectors: by node where there is one, else in Chromium."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import sync_playwright

from tests.support.browser import ARGS, chromium

ROOT = Path(__file__).parents[2]
STATE_JS = ROOT / "frontend" / "modules" / "room" / "state.js"
VECTORS = ROOT / "tests" / "vectors"

RUN = """
(cases) => cases.map(({ before, ops }) => {
  const state = { ...emptyState(), ...before };
  const frozen = JSON.stringify(state);
  const after = ops.reduce(reduce, state);
  return { before: state, after, untouched: JSON.stringify(state) === frozen };
})
"""


def _in_node(node: str, cases: list[dict[str, Any]]) -> Any:
    script = f"""
import {{ emptyState, reduce }} from {json.dumps(STATE_JS.as_uri())};
import {{ readFileSync }} from "node:fs";
const run = {RUN.strip()};
console.log(JSON.stringify(run(JSON.parse(readFileSync(0, "utf8")))));
"""
    command = [node, "--input-type=module", "--eval", script]
    done = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _in_chromium(cases: list[dict[str, Any]]) -> Any:
    source = STATE_JS.read_text().replace("export ", "")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=ARGS)
        try:
            return browser.new_page().evaluate(f"(cases) => {{ {source}\nreturn ({RUN.strip()})(cases); }}", cases)
        finally:
            browser.close()


def _cases() -> list[dict[str, Any]]:
    return [case for path in sorted(VECTORS.glob("*.json")) for case in json.loads(path.read_text())["cases"]]


def _check(cases: list[dict[str, Any]], results: Any) -> None:
    assert len(results) == len(cases)
    for case, result in zip(cases, results, strict=True):
        assert result["after"] == {**result["before"], **case["after"]}, case["name"]
        assert result["untouched"], case["name"]


def test_vectors() -> None:
    node = shutil.which("node")
    _check(_cases(), _in_node(node, _cases()) if node else _in_chromium(_cases()))


@pytest.mark.e2e
def test_vectors_in_chromium() -> None:
    _check(_cases(), _in_chromium(_cases()))
