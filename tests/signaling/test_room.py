"""The reducer on the shared vectors, and what the vectors themselves must cover."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from signaling.messages import Op
from signaling.room import _KINDS, RoomState, reduce, state_from_json, state_to_json

VECTORS = Path(__file__).parents[1] / "vectors"
CASES = [case for path in sorted(VECTORS.glob("*.json")) for case in json.loads(path.read_text())["cases"]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_vector(case: dict[str, Any]) -> None:
    before = {**state_to_json(RoomState()), **case["before"]}
    state = state_from_json(before)
    for op in case["ops"]:
        state = reduce(state, Op.model_validate(op))
    assert state_to_json(state) == {**before, **case["after"]}


def test_every_kind_has_a_vector() -> None:
    kinds = {op["kind"] for case in CASES for op in case["ops"]}
    assert set(_KINDS) | {"room", "epoch"} <= kinds


def test_a_state_survives_json() -> None:
    for case in CASES:
        before = {**state_to_json(RoomState()), **case["before"]}
        assert state_to_json(state_from_json(json.loads(json.dumps(before)))) == before
