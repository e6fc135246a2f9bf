"""What a forwarded packet costs: Python twin, C twin, the C twin without ciphers (floor), and Janus, side by side.

One teacher, N rooms on this machine, joined by real ICE and DTLS (AES-128-GCM everywhere); this process plays them all
and each forwarder is a child. Cost = CPU of the forwarder / packets that arrived. The forwarders take turns, the others
stand still meanwhile. Of each load the median of seven runs. Prints a table; the last line is JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path

from media.cengine import find_native
from tests.support import janus, native
from tests.support.fanning import Forwarder, Load, Run, identity
from tests.support.forwarders import Ours
from tests.support.joining import Identity

# rooms -> packets a second in: a light load, and one of 24,000 to 50,000 packets a second out
LOADS = {3: (2000, 8000), 10: (1000, 5000), 100: (200, 500)}
NAMES = {"python": "Python twin", "native": "C twin", "floor": "floor: C, no cipher", "janus": "Janus, 1 loop, GCM"}

Figures = dict[tuple[int, int], dict[str, float]]


def forwarders(rooms: int, own: Identity, floor: str | None, paced: bool = True) -> list[Forwarder]:
    made: list[Forwarder] = [Ours("python", rooms, own, paced=paced)]
    if find_native() is not None:
        made.append(Ours("native", rooms, own, paced=paced))
    if floor is not None:
        made.append(Ours("floor", rooms, own, floor))
    if janus.program() is not None:
        made.append(janus.Janus(rooms, own))
    return made


def row(rooms: int, rate: int, name: str, runs: list[Run]) -> None:
    costs = sorted(r.us for r in runs)
    share = sum(r.arrived for r in runs) / (sum(r.sent for r in runs) * rooms)
    core = statistics.median(r.cpu / r.passed for r in runs)
    print(
        f"1→{rooms:<4}{rate * rooms:>7}/s  {NAMES[name]:<20}{statistics.median(costs):>7.2f}"
        f"  [{costs[0]:.2f}–{costs[-1]:.2f}]{core:>8.1%}{share:>9.2%}",
        flush=True,
    )


def compare(rooms: int, rates: tuple[int, ...], turns: int, seconds: float, floor: str | None) -> Figures:
    own, found = identity(), Figures()
    loads = [Load(f) for f in forwarders(rooms, own, floor)]
    try:
        for rate in rates:
            taken: dict[str, list[Run]] = {load.forwarder.name: [] for load in loads}
            for _ in range(turns):
                for load in loads:
                    taken[load.forwarder.name].append(load.run(rate, seconds))
            for name, runs in taken.items():
                row(rooms, rate, name, runs)
                assert all(r.verified for r in runs), f"{name} forwarded nothing"
            found[rooms, rate] = {name: statistics.median(r.us for r in runs) for name, runs in taken.items()}
    finally:
        for load in loads:
            load.forwarder.close()
    return found


def summary(found: Figures) -> dict[str, object]:
    """The issue's figure is 1→10, loaded."""
    main = found[10, LOADS[10][1]]
    ratio: Callable[[str, str], float | None] = lambda a, b: (  # noqa: E731
        round(main[a] / main[b], 2) if a in main and b in main else None
    )
    rounded = {name: round(us, 2) for name, us in main.items()}
    return {
        "bench": "fanout",
        "value": rounded.get("native"),
        "unit": "us",
        "python": rounded["python"],
        "floor": rounded.get("floor"),
        "janus": rounded.get("janus"),
        "vs_janus": ratio("janus", "native"),
        "python_vs_janus": ratio("janus", "python"),
        "vs_floor": ratio("native", "floor"),
        "loads": {f"1x{n}@{r}": {k: round(v, 2) for k, v in us.items()} for (n, r), us in found.items()},
    }


def run(quick: bool) -> None:
    turns, seconds = (3, 0.5) if quick else (7, 0.7)
    if find_native() is None:
        print("C twin: not built here, or no OpenSSL 3 that gives the known answers")
    if janus.program() is None:
        print("Janus: not installed here (Debian: apt-get install janus); its column is left out")
    with tempfile.TemporaryDirectory() as folder:
        floor = str(native.build(Path(folder), "-DTONGTANG_FLOOR")) if native.compiler() else None
        print(f"{'':<17}{'':<20}{'µs/packet':>9}  [min–max]  of a core  arrived")
        found: Figures = {}
        gc.disable()  # this process is the clock
        for rooms, rates in LOADS.items():
            found |= compare(rooms, rates, turns, seconds, floor)
            gc.collect()
    print(json.dumps(summary(found)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three runs of half a second")
    run(parser.parse_args().quick)


if __name__ == "__main__":
    main()
