"""What a forwarder adds to a packet's way, from datagram in to datagram out: both twins and Janus side by side.

From our system call to the kernel's stamp at the room's socket. Half load: each forwarder gets the rate at which it is
busy half the time, with sixty rooms, of which this process reads six: it is not the limit. A picture is a burst of
eight packets, and the last one waits for seven. Our pacer is off: it lets pictures out five milliseconds apart, which
says nothing where hundreds a second are needed to make any load. Prints a table; the last line is JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics

from media.cengine import find_native
from tests.bench.fanout import NAMES, forwarders
from tests.support import janus
from tests.support.fanning import Load, identity

ROOMS, WATCHED = 60, 6
MOST = 6000  # packets a second in: what this process sends and reads without falling behind
HALF = 0.5


def half_load(load: Load) -> int:
    """Tried thrice: a packet costs less the more there are."""
    rate = 500
    for _ in range(3):
        tried = load.run(rate, 0.4)
        rate = min(MOST, round(rate * HALF / max(0.01, tried.cpu / tried.passed)))
    return rate


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def run(quick: bool) -> None:
    turns, seconds = (2, 1.0) if quick else (5, 2.0)
    if janus.program() is None:
        print("Janus: not installed here (Debian: apt-get install janus); its row is left out")
    loads = [Load(f, WATCHED) for f in forwarders(ROOMS, identity(), None, paced=False)]
    found: dict[str, dict[str, float]] = {}
    gc.disable()  # this process is the clock
    print(f"{'':<20}{'in/s':>7}{'of a core':>11}{'p50 µs':>9}{'p99 µs':>9}{'arrived':>10}")
    try:
        for load in loads:
            name, rate = load.forwarder.name, half_load(load)
            runs = [load.run(rate, seconds, delays=True) for _ in range(turns)]
            core = statistics.median(r.cpu / r.passed for r in runs)
            share = sum(r.arrived for r in runs) / (sum(r.sent for r in runs) * WATCHED)
            p50, p99 = (statistics.median(percentile(r.delays, s) * 1e6 for r in runs) for s in (0.5, 0.99))
            limited = "  (the generator's limit)" if rate == MOST else ""
            print(f"{NAMES[name]:<20}{rate:>7}{core:>11.0%}{p50:>9.0f}{p99:>9.0f}{share:>10.2%}{limited}", flush=True)
            found[name] = {"p50": round(p50), "p99": round(p99), "rate": rate, "core": round(core, 2)}
    finally:
        for load in loads:
            load.forwarder.close()
    best = "native" if find_native() is not None else "python"
    limited = [name for name, one in found.items() if one["rate"] == MOST]
    figures = {"bench": "added-latency", "value": found[best]["p99"], "unit": "us", "p50": found[best]["p50"], **found}
    print(json.dumps(figures | {"generator_limit": limited}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two runs of a second")
    run(parser.parse_args().quick)


if __name__ == "__main__":
    main()
