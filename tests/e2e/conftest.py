"""One running site for the tests that leave it in order; bad days start their own."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.site import Site


@pytest.fixture(scope="session", autouse=True)
def alone() -> Iterator[None]:
    """Two runs at once on two cores would measure each other: a second one waits for the first. The workers of one run
    stand one another."""
    with (Path(tempfile.gettempdir()) / "tongtang-e2e.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if "PYTEST_XDIST_WORKER" in os.environ else fcntl.LOCK_EX)
        yield


@pytest.fixture(scope="session")
def site(alone: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site") / "data")
    yield site
    said = site.process.output()
    site.stop()
    # A process that dies is started again within a second: without this nobody would notice.
    assert " ended (" not in said, said[-3000:]
