"""What it costs to let somebody in and to keep them: CPU of a join, memory of a subscriber, CPU of a thousand idle.

A child process runs the media plane behind real sockets; this process plays all the clients (own ICE and DTLS, one
socket each), so that only the node is measured. Prints a table; the last line is JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from media.cengine import find_native
from media.wire import rtcp
from tests.support.janus import Janus, program
from tests.support.joining import Client, Identity, Idlers, Node, join, running_node
from tests.support.storm import weather

SUBSCRIBERS = 1000
_WARM = 100  # joins before the first figure: heaps, caches, the first key schedule
_PATIENCE = 120.0  # seconds: who joined first says nothing until the last one has, on however busy a machine
_WINDOW = 2.5  # seconds: each idler checks once
# A browser that receives: two report blocks, a name.
_REPORT = rtcp.build_receiver_report(
    rtcp.ReceiverReport(9, tuple(rtcp.ReportBlock(s, 0, 0, 1000, 20, 0, 0) for s in (1, 3)))
) + rtcp.build_cname(9, "bench")


@dataclass(frozen=True, slots=True)
class Figures:
    """Of one engine."""

    join_ms: float
    joins_s: float
    rss_kb: float
    idle_core: float

    def row(self, name: str) -> str:
        return f"{name:<10}{self.join_ms:>12.2f}{self.joins_s:>12.0f}{self.rss_kb:>14.1f}{self.idle_core:>15.1%}"


def measure(engine: str, subscribers: int, rounds: int, idle_s: float, slots: int) -> Figures:
    identity = Identity.generate()
    with running_node(engine, silence_s=_PATIENCE) as node:
        clients = [Client(f"c{i}", identity) for i in range(_WARM)]
        join(node, clients, slots)
        before_kb = node.ask("rss_kb")
        costs = []
        per_round = (subscribers - _WARM) // rounds
        for _ in range(rounds):
            fresh = [Client(f"c{len(clients) + i}", identity) for i in range(per_round)]
            began = node.ask("cpu")
            join(node, fresh, slots)
            costs.append((node.ask("cpu") - began) / len(fresh))
            clients += fresh
        kept_kb = (node.ask("rss_kb") - before_kb) / (len(clients) - _WARM)
        idle = _idle(node, clients, idle_s)
        connected, lost = node.ask("connected")
        assert connected == len(clients) and not lost, f"{connected} connected, lost: {lost}"
    for client in clients:
        client.close()
    cost = statistics.median(costs)
    return Figures(cost * 1000, 1 / cost, kept_kb, idle * SUBSCRIBERS / len(clients))


def _idle(node: Node, clients: list[Client], seconds: float) -> float:
    """CPU seconds per second, the median of windows: others may use the machine."""
    idlers = Idlers(clients, _REPORT)
    idlers.live(1.5)
    shares = []
    for _ in range(max(3, round(seconds / _WINDOW))):
        began, started = node.ask("cpu"), time.monotonic()
        idlers.live(_WINDOW)
        shares.append((node.ask("cpu") - began) / (time.monotonic() - started))
    return statistics.median(shares)


def run(quick: bool, slots: int) -> None:
    subscribers, rounds, idle_s = (SUBSCRIBERS, 3, 6.0) if quick else (SUBSCRIBERS, 6, 30.0)
    print(f"{subscribers} subscribers of {slots} slots; ICE and DTLS by a real socket each")
    print(f"{'engine':<10}{'ms a join':>12}{'joins/s':>12}{'kB kept each':>14}{'1000 idle':>15}")
    found: dict[str, Figures] = {}
    for name in engines():
        found[name] = measure(name, subscribers, rounds, idle_s, slots)
        print(found[name].row(name), flush=True)
    if "native" not in found:
        print("native: not built here")
    janus = janus_ms(quick)
    print(f"{'janus':<10}{janus:>12.2f}" if janus is not None else "janus: not installed here")
    best = found.get("native", found["python"])
    figures = {
        "bench": "join",
        "value": round(best.join_ms, 3),
        "unit": "ms",
        "joins_s": round(best.joins_s),
        "rss_kb": round(best.rss_kb, 1),
        "idle_1000_core": round(best.idle_core, 4),
        "janus_ms": None if janus is None else round(janus, 2),
        "engine": "native" if "native" in found else "python",
        "python": {
            "value": round(found["python"].join_ms, 3),
            "rss_kb": round(found["python"].rss_kb, 1),
            "idle_1000_core": round(found["python"].idle_core, 4),
        },
        "subscribers": subscribers,
    }
    print(json.dumps(figures))


def janus_ms(quick: bool) -> float | None:
    """CPU of Janus per subscriber that joins, its own timers meanwhile included: many rooms less few, start and all."""
    if program() is None:
        return None
    few, many = 5, 35 if quick else 105
    used = []
    for rooms in (few, many):
        janus = Janus(rooms, Identity.generate())
        used.append(cpu_of(janus.pid))
        janus.close()
    return (used[1] - used[0]) / (many - few) * 1000


def cpu_of(pid: int) -> float:
    """User and system seconds of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def storm(seconds: float) -> None:
    """20,000 hostile datagrams a second while a lesson's sound flows to three rooms."""
    print(f"{'engine':<10}{'hostile':>10}{'sound sent':>12}{'lost':>6}{'of a core':>11}")
    seen = {name: weather(name, rooms=3, rate=20_000, seconds=seconds) for name in engines()}
    for name, run in seen.items():
        print(f"{name:<10}{run.hostile:>10}{run.expected:>12}{run.lost:>6}{run.core:>11.1%}")
    shares = {name: {"lost": round(run.share, 5), "core": round(run.core, 3)} for name, run in seen.items()}
    worst = max(run.share for run in seen.values())
    print(json.dumps({"bench": "storm", "value": round(worst, 5), "unit": "share", "seconds": seconds, **shares}))


def engines() -> list[str]:
    return ["python"] + (["native"] if find_native() else [])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storm", action="store_true", help="instead: 50 s of 20,000 hostile datagrams a second")
    parser.add_argument("--quick", action="store_true", help="fewer rounds, a few idle seconds")
    parser.add_argument("--slots", type=int, default=2, help="m-lines of a subscriber (a kiosk has nine)")
    arguments = parser.parse_args()
    if arguments.storm:
        storm(5.0 if arguments.quick else 50.0)
    else:
        run(arguments.quick, arguments.slots)


if __name__ == "__main__":
    main()
