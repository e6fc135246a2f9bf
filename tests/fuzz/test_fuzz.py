"""The short run of every row; ``python -m tests.fuzz --long`` for the night."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from media.cengine import find_native
from tests.fuzz.bend import bend
from tests.fuzz.run import run
from tests.fuzz.targets import Target, targets
from tests.support import counted

CASES = 2_000


@pytest.mark.slow
@pytest.mark.parametrize("target", targets(find_native() is not None), ids=lambda target: target.name)
def test_nothing_but_a_refusal(target: Target, record_property: Callable[[str, object], None]) -> None:
    ran = run(target, CASES, seed=1)
    record_property(counted.CASES, ran.cases)
    assert ran.found == ()
    assert ran.cases == int(CASES * target.share)


def test_a_fault_is_found_and_said() -> None:
    def broken(data: bytes) -> None:
        if data[:1] == b"\xff":
            raise IndexError("boom")

    ran = run(Target("broken", (bytes(20),), lambda: broken), 5_000, seed=1)
    assert ran.found and "boom" in ran.found[0] and "seed 1" in ran.found[0]


def test_the_same_seed_bends_the_same() -> None:
    seeds = (bytes(30), b"abc" * 10)
    first, second = Random(3), Random(3)
    assert [bend(first, seeds) for _ in range(200)] == [bend(second, seeds) for _ in range(200)]


def test_the_sum_of_all_rows_is_said() -> None:
    assert counted.told([[(counted.CASES, 2000)], [("other", 1)], [], [(counted.CASES, "500")]]) == (
        "fuzzers: 2,500 cases in 2 rows"
    )
    assert counted.told([[], [("other", 1)]]) is None
