"""Fixtures shared by the whole tree, and the rule about skips: with CI=true a skipped test fails the run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.support.services", "tests.support.browser", "tests.support.touched", "tests.support.counted"]

ROOT = Path(__file__).resolve().parent.parent

# No test judges how fast this machine is just now, and Hypothesis judges by default.
settings.register_profile("tongtang", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("tongtang"), max_examples=20)
settings.load_profile("tongtang")  # tests/run.sh quick asks for the other; all takes the library's hundred


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own TONGTANG_* settings never reach a test."""
    for name in [name for name in os.environ if name.startswith("TONGTANG_")]:
        monkeypatch.delenv(name)


class SkipsFail:
    """In CI everything can be had, so a skip means that the set-up is broken."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.skipped:
            self.skipped.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.skipped:
            terminalreporter.write_line(f"CI=true: {len(self.skipped)} skipped, and a skip fails here", red=True)


def pytest_configure(config: pytest.Config) -> None:
    is_worker = hasattr(config, "workerinput")  # pytest-xdist: the controller sees every report
    if os.environ.get("CI") == "true" and not is_worker:
        config.pluginmanager.register(SkipsFail(), "skips-fail")
