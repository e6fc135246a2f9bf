"""How many cases the fuzzers ran, said once at the end of a run: a green dot does not say whether it was one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest

CASES = "fuzz_cases"


def told(reports: Iterable[Sequence[tuple[str, object]]]) -> str | None:
    """The line, from each report's properties (they come from xdist's workers too)."""
    counts = [int(str(value)) for properties in reports for name, value in properties if name == CASES]
    return f"fuzzers: {sum(counts):,} cases in {len(counts)} rows" if counts else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    stats: Mapping[str, list[object]] = terminalreporter.stats
    reports = [one for kind in ("passed", "failed") for one in stats.get(kind, [])]
    tests = [one for one in reports if isinstance(one, pytest.TestReport) and one.when == "call"]
    if line := told(one.user_properties for one in tests):
        terminalreporter.write_line(line)
