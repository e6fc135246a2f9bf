"""The whole municipality at its real size, on SQLite and on PostgreSQL, and once more at double size: what the heaviest
pages and calls cost with sixteen people at once, what a conflict check takes, how long 20,000 rows take to import.

First every page by itself (statements, CPU, time); the twelve that take longest are then asked for over HTTP by sixteen
clients, each reading for a second before the next click, and flat out. SQLite is served by one web process, as
`tongtang up` does; PostgreSQL by one a core. On a machine whose cores are shared with database, webs and clients,
``p99`` is a matter of the CPU a page takes: that stands in the table too.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server import migrations
from server.config import WebSettings
from server.security import private_pem
from tests.support.municipality import Known, Municipality, Size
from tests.support.processes import PYTHON, Process, accepts, free_ports, running
from tests.support.register_import import import_rows
from tests.support.register_pages import Cost, Site, anatomy, asked, conflict_checks, load, p
from tests.support.services import start_postgres

CLIENTS, HEAVIEST = 16, 12
PAUSE_SECONDS = 1.0
SECRET = "a-secret-for-nodes-of-benches"


@dataclass
class Result:
    """One database at one size."""

    name: str
    known: Known
    fill_s: float = 0.0
    costs: list[Cost] = field(default_factory=list)
    loaded: dict[str, list[float]] = field(default_factory=dict)
    flat_out: dict[str, list[float]] = field(default_factory=dict)
    conflicts: list[float] = field(default_factory=list)
    conflicts_flat_out: list[float] = field(default_factory=list)
    import_s: float = 0.0
    import_rows: int = 0

    @property
    def worst(self) -> float:
        return max((p(0.99, values) for values in self.loaded.values()), default=0.0)


@dataclass(frozen=True)
class Plan:
    """How much of everything."""

    factor: float
    turns: int
    rounds: int
    checks: int
    rows: int


FULL = Plan(1.0, 3, 5, 400, 20_000)
QUICK = Plan(0.1, 2, 3, 160, 2_000)


def settings(folder: Path, url: str) -> WebSettings:
    key = folder / "seat.pem"
    if not key.exists():
        key.write_bytes(private_pem(Ed25519PrivateKey.generate()))
    held = {"data": folder, "database_url": url, "seat_key": key, "node_secret": SECRET, "log_level": "warning"}
    return WebSettings.model_validate(held)


@contextlib.contextmanager
def webs(folder: Path, held: WebSettings, count: int) -> Iterator[list[int]]:
    """Real processes of the web, as they are run."""
    first = free_ports(count)
    environment = {
        "TONGTANG_DATA": str(folder),
        "TONGTANG_DATABASE_URL": held.database_url,
        "TONGTANG_SEAT_KEY": str(held.seat_key),
        "TONGTANG_NODE_SECRET": SECRET,
        "TONGTANG_LOG_LEVEL": "warning",
    }
    with contextlib.ExitStack() as stack:
        started = []
        for port in range(first, first + count):
            env = environment | {"TONGTANG_PORT": str(port)}
            web = Process([PYTHON, "-m", "server.cli", "web"], log=folder / f"web{port}.log", env=env)
            started.append((port, stack.enter_context(running(web))))
        for port, web in started:
            web.wait_for(lambda port=port: accepts(port), 60, "a web")
        yield [port for port, _ in started]


async def measure(name: str, url: str, plan: Plan, factor: float, folder: Path, processes: int) -> Result:
    began = time.monotonic()
    known = Municipality(Size(factor), datetime.now(UTC)).fill(url)
    result = Result(name, known, fill_s=time.monotonic() - began)
    say(f"{name}: {known.counts} in {result.fill_s:.0f} s")
    held = settings(folder, url)
    site = Site(held)
    try:
        await site.sign_in(known, CLIENTS)
        result.costs = await anatomy(site, asked(known), plan.turns)
        heavy = [one.asked for one in sorted(result.costs, key=lambda one: -one.ms)[:HEAVIEST]]
        result.conflicts = await conflict_checks(site, known, plan.checks, CLIENTS, PAUSE_SECONDS)
        result.conflicts_flat_out = await conflict_checks(site, known, plan.checks, CLIENTS, 0.0)
        with webs(folder, held, processes) as ports:
            result.loaded = await load(ports, heavy, site.tokens, CLIENTS, plan.rounds, PAUSE_SECONDS)
            result.flat_out = await load(ports, heavy, site.tokens, CLIENTS, max(2, plan.rounds // 4), 0.0)
        result.import_rows = plan.rows
        result.import_s = await import_rows(site.database, known, plan.rows)
    finally:
        await site.close()
    return result


def say(line: str) -> None:
    print(line, flush=True)


def table(result: Result) -> None:
    names = ("queries", "CPU ms", "alone", "kB", "p50", "p99", "flat p50", "p99")
    head = f"{'page or call':<26}" + "".join(f"{name:>9}" for name in names)
    say(f"\n{result.name}: milliseconds; 16 people, a click a second each; flat out\n{head}")
    for one in sorted(result.costs, key=lambda one: -one.ms):
        line = f"{one.asked.name:<26}{one.queries:>9}{one.cpu_ms:>9.1f}{one.ms:>9.1f}{one.kb:>9.0f}"
        for found in (result.loaded, result.flat_out):
            values = found.get(one.asked.name)
            line += f"{p(0.5, values):>9.0f}{p(0.99, values):>9.0f}" if values else ""
        say(line)
    say(
        f"conflict check: p50 {p(0.5, result.conflicts):.1f} p99 {p(0.99, result.conflicts):.1f} ms;"
        f" flat out p50 {p(0.5, result.conflicts_flat_out):.1f} p99 {p(0.99, result.conflicts_flat_out):.1f} ms;"
        f" import of {result.import_rows} rows: {result.import_s:.1f} s"
    )


def summary(results: list[Result], quick: bool) -> dict[str, Any]:
    lite, full, double = results
    before = {one.asked.name: one for one in full.costs}
    grown = [one.asked.name for one in double.costs if one.queries > before[one.asked.name].queries]
    ratios = [
        p(0.99, double.loaded[name]) / p(0.99, values) for name, values in full.loaded.items() if name in double.loaded
    ]
    return {
        "bench": "register",
        "value": round(full.worst, 1),
        "unit": "ms",
        "page_p99_ms": round(full.worst, 1),
        "conflict_ms": round(p(0.99, full.conflicts), 1),
        "conflict_flat_out_ms": round(p(0.99, full.conflicts_flat_out), 1),
        "import_20k_s": round(full.import_s * 20_000 / full.import_rows, 1),
        "growth": round(max(ratios, default=0.0), 2),
        "queries_grown": grown,
        "most_queries": max(one.queries for one in full.costs),
        "most_cpu_ms": round(max(one.cpu_ms for one in full.costs), 1),
        "flat_out_p99_ms": round(max(p(0.99, v) for v in full.flat_out.values()), 1),
        "sqlite_page_p99_ms": round(lite.worst, 1),
        "sqlite_conflict_ms": round(p(0.99, lite.conflicts), 1),
        "sqlite_import_20k_s": round(lite.import_s * 20_000 / lite.import_rows, 1),
        "quick": quick,
        "size": full.known.counts,
    }


def run(quick: bool) -> None:
    plan, cores = (QUICK if quick else FULL), os.cpu_count() or 1
    results = []
    with tempfile.TemporaryDirectory() as place, start_postgres() as server:
        folder = Path(place)
        urls = [("SQLite", f"sqlite+aiosqlite:///{folder / 'register.db'}", 1.0, 1)]
        for name, database, times in (("PostgreSQL", "once", 1.0), ("PostgreSQL, double", "twice", 2.0)):
            server.execute(f"CREATE DATABASE {database}")
            urls.append((name, server.url(database), times, cores))
        for name, url, times, processes in urls:
            migrations.upgrade(url)
            results.append(asyncio.run(measure(name, url, plan, plan.factor * times, folder, processes)))
            table(results[-1])
    print(json.dumps(summary(results, quick), ensure_ascii=False))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: under two minutes")
    run(parser.parse_args().quick)


if __name__ == "__main__":
    main()
