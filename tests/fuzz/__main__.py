"""``python -m tests.fuzz [--long] [--cases N] [--seed N] [--only NAME]``: every row, with its count."""

from __future__ import annotations

import argparse
import sys

from media.cengine import find_native
from tests.fuzz.run import run
from tests.fuzz.targets import targets

SHORT, LONG = 4_000, 250_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long", action="store_true", help=f"{LONG:,} cases a row instead of {SHORT:,}")
    parser.add_argument("--cases", type=int, help="cases a row")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="rows with this in their name")
    arguments = parser.parse_args()
    cases = arguments.cases or (LONG if arguments.long else SHORT)
    rows = [row for row in targets(find_native() is not None) if arguments.only in row.name]
    print(f"{'parser':<24}{'cases':>10}{'refused':>10}{'seconds':>9}  found")
    total, fell = 0, False
    for row in rows:
        ran = run(row, cases, arguments.seed)
        total, fell = total + ran.cases, fell or bool(ran.found)
        outcome = len(ran.found) or "–"
        print(f"{ran.name:<24}{ran.cases:>10,}{ran.refused:>10,}{ran.seconds:>9.1f}  {outcome}", flush=True)
        for line in ran.found:
            print(f"    {line}", file=sys.stderr)
    print(f"{total:,} cases, seed {arguments.seed}")
    return int(fell)


if __name__ == "__main__":
    sys.exit(main())
