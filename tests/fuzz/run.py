"""Runs rows of the table and counts. Rule: what is found is said with what reproduces it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from random import Random

from tests.fuzz.bend import bend
from tests.fuzz.targets import Target

SLOWEST = 2.0  # seconds: a case above it is an attack that works


@dataclass(frozen=True, slots=True)
class Ran:
    """``refused``: cases the parser said no to; ``found`` what broke the rule: case number, bytes, what happened."""

    name: str
    cases: int
    refused: int
    seconds: float
    found: tuple[str, ...]


def run(target: Target, cases: int, seed: int) -> Ran:
    chance = Random(f"{target.name} {seed}")
    count, refused, found = max(1, int(cases * target.share)), 0, list[str]()
    started = time.perf_counter()
    feed = target.make()
    for number in range(count):
        if number and number % target.renew == 0:
            feed = target.make()
        data, began = bend(chance, target.seeds), time.perf_counter()
        try:
            feed(data)
        except target.refuses:
            refused += 1
        except Exception as error:  # that is what is looked for
            found.append(f"{target.name} case {number} seed {seed}: {error!r} from {data.hex()}")
            feed = target.make()
        if time.perf_counter() - began > SLOWEST:
            found.append(f"{target.name} case {number} seed {seed}: took too long, {data.hex()}")
        if len(found) >= 5:
            break
    return Ran(target.name, number + 1, refused, time.perf_counter() - started, tuple(found))
