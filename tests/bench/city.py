"""A city's lessons at once on one node: each a simulcast teacher (2.5 + 0.5 + 0.15 Mbit/s and Opus), three two-way
receiving rooms, and a recording that reaches the store.

Counts the node's CPU, packets that it lost (by the numbers it gave itself, so that a packet which never reached it
counts too), and the time from a packet's sending to its reading by the viewer, over sound and delta frames: this
process's own delay is in it, so it is an upper bound. More lessons are tried until the generator itself falls behind,
and that is said. ``--minutes``: a soak; lessons come and go, memory must stay flat, no task and no file be left.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import tempfile
import time
from pathlib import Path

from media.cengine import find_native
from tests.support.city import City, Tally
from tests.support.city_node import city_node
from tests.support.joining import Node

STEPS, QUICK_STEPS = (5, 10, 20, 30), (5, 15, 30)
SECONDS, QUICK_SECONDS = 20.0, 8.0
WARM_SECONDS = 4.0  # until viewers are on the top layer and recorders have begun
BEHIND_MS = 20.0  # a frame of sound: who sends later than this is no classroom any more
ROUND_SECONDS, LEAST_ROUNDS = 5.0, 6
SETTLE_SECONDS = 10.0  # at most
GENTLE_FPS, GENTLE_STEP = 4, 0.005
FLAT_KB = 2500  # the breathing of what is alive
HEAD = (
    f"{'lessons':>7} {'in/s':>7} {'out/s':>7} {'of a core':>9} {'lost':>6} {'p50 ms':>7} {'p99 ms':>7} {'late ms':>8}"
)


def row(lessons: int, tally: Tally) -> dict[str, float]:
    late = tally.p(0.99, tally.late)
    found = {
        "lessons": lessons,
        "cores": round(tally.cpu / tally.seconds, 3),
        "lost": tally.lost,
        "out": tally.arrived,
        "p50_ms": round(tally.p(0.5, tally.delays), 2),
        "p99_ms": round(tally.p(0.99, tally.delays), 2),
        "generator_late_ms": round(late, 2),
        "generator_core": round(tally.own_cpu / tally.seconds, 2),
    }
    print(
        f"{lessons:>9} {tally.sent / tally.seconds:>9.0f} {tally.arrived / tally.seconds:>9.0f} {found['cores']:>9.1%}"
        f" {tally.lost:>9} {found['p50_ms']:>9.2f} {found['p99_ms']:>9.2f} {late:>9.2f}",
        flush=True,
    )
    return found


def measure(engine: str, quick: bool, most: int) -> None:
    steps = [n for n in (QUICK_STEPS if quick else STEPS) if n <= most] or [most]
    rows: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder, city_node(engine, Path(folder)) as (node, pid):
        city = City(node, pid)
        print(HEAD)
        gc.disable()
        for lessons in steps:
            city.grow(lessons)
            city.run(WARM_SECONDS)
            rows.append(row(lessons, city.run(QUICK_SECONDS if quick else SECONDS)))
            gc.collect()
            if rows[-1]["generator_late_ms"] > BEHIND_MS:
                print(
                    f"the generator is the limit: at {lessons} lessons it sends {rows[-1]['generator_late_ms']} ms late"
                )
                break
        qualities, recorded = node.ask("qualities"), node.ask("recorded")
    print(f"pictures got: {qualities}; the least recorded lesson has {recorded / 1000:.0f} s in the store")
    held = [one for one in rows if one["generator_late_ms"] <= BEHIND_MS] or rows[:1]
    best = held[-1]
    summary = {"bench": "city", "engine": engine, "value": best["cores"], "unit": "cores", **best}
    summary |= {"generator_limit": len(held) < len(rows), "qualities": qualities, "steps": rows}
    print(json.dumps(summary))


def soak(engine: str, minutes: float, lessons: int, gentle: bool) -> bool:
    """True when nothing grew and nothing was left. Every few seconds the oldest lesson ends and another one begins."""
    samples: list[tuple[int, int, int]] = []
    lost, until = 0, time.monotonic() + minutes * 60
    with tempfile.TemporaryDirectory() as folder, city_node(engine, Path(folder)) as (node, pid):
        empty = node.ask("held")
        city = City(node, pid, GENTLE_FPS, GENTLE_STEP) if gentle else City(node, pid)
        city.grow(lessons)
        city.run(WARM_SECONDS)
        while len(samples) < LEAST_ROUNDS or time.monotonic() < until:
            lost += city.run(ROUND_SECONDS).lost
            samples.append(node.ask("held"))
            city.replace_one()
        for lesson in city.lessons:
            lesson.end(node)
        city.lessons.clear()
        after = _settled(node, empty)
    third = len(samples) // 3
    middle, last = samples[third : 2 * third], samples[2 * third :]
    grown = statistics.median(s[0] for s in last) - statistics.median(s[0] for s in middle)
    tasks, files = after[1] - empty[1], after[2] - empty[2]
    ended = len(samples) + lessons
    print(
        f"{lessons} lessons at once, {minutes:g} minutes, {ended} ended: resident {samples[0][0]} -> {last[-1][0]} kB"
    )
    flat = grown <= FLAT_KB and tasks <= 0 and files <= 0
    figures = {"bench": "city-soak", "engine": engine, "minutes": minutes, "lessons": lessons, "ended": ended}
    figures |= {
        "value": round(grown),
        "unit": "kB",
        "lost": lost,
        "tasks_left": tasks,
        "files_left": files,
        "flat": flat,
    }
    print(json.dumps(figures))
    return flat


def _settled(node: Node, empty: tuple[int, int, int]) -> tuple[int, int, int]:
    """Closing the last recordings takes the spool a moment."""
    until = time.monotonic() + SETTLE_SECONDS
    while True:
        held: tuple[int, int, int] = node.ask("held")
        if (held[1] <= empty[1] and held[2] <= empty[2]) or time.monotonic() > until:
            return held
        time.sleep(0.5)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three steps of eight seconds: under two minutes")
    parser.add_argument("--minutes", type=float, help="a soak of so many minutes instead")
    parser.add_argument("--lessons", type=int, default=30, help="most lessons at once (in a soak: so many)")
    parser.add_argument("--gentle", action="store_true", help="a soak beside other work: 4 pictures a second, not 20")
    parser.add_argument("--engine", choices=("python", "native"), help="native where it is built")
    asked = parser.parse_args()
    engine = asked.engine or ("native" if find_native() is not None else "python")
    if asked.minutes:
        raise SystemExit(0 if soak(engine, asked.minutes, asked.lessons, asked.gentle) else 1)
    measure(engine, asked.quick, asked.lessons)


if __name__ == "__main__":
    main()
