"""Work that outlives a request. A job is only a wake-up; the work is a row (a deck that waits, a month that is stale).
A lost or doubled wake-up does no harm: the worker looks by itself every minute.

The queue is huey: a SQLite file in the embedded default, Redis where TONGTANG_REDIS_URL is set.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from server.config import WebSettings

if TYPE_CHECKING:
    from huey.api import Huey

Work = Literal["decks", "ledger", "sweep", "exchange", "outbox"]
EVERY: dict[Work, str] = {"decks": "*", "ledger": "*", "sweep": "*/30", "exchange": "*", "outbox": "*"}
"""Minutes of the hour at which the worker looks without being woken."""

log = logging.getLogger("tongtang.jobs")


def make_queue(settings: WebSettings) -> Huey:
    # Imported late: huey brings every database driver it could use, and the web's start is what a recovery waits for.
    from huey import RedisHuey, SqliteHuey

    if settings.redis_url:
        return RedisHuey("tongtang", url=settings.redis_url, results=False)
    settings.data.mkdir(parents=True, exist_ok=True)
    return SqliteHuey("tongtang", filename=str(settings.data / "jobs.db"), results=False, fsync=False)


class Jobs:
    """Wakes the worker up. With ``do`` it is the worker's side: every wake-up and every minute calls ``do(work)``."""

    def __init__(self, settings: WebSettings, do: Callable[[Work], None] | None = None) -> None:
        self._settings = settings
        self._do = do
        self._queue: Huey | None = None
        self._tasks: dict[Work, Any] = {}

    def queue(self) -> Huey:
        if self._queue is None:
            self._queue = make_queue(self._settings)
            self._register(self._queue)
        return self._queue

    def _register(self, queue: Huey) -> None:
        from huey import crontab

        for work, minutes in EVERY.items():
            call = _call(work, self._do)
            self._tasks[work] = queue.task(name=f"wake_{work}")(call)
            if self._do is not None:
                queue.periodic_task(crontab(minute=minutes), name=f"look_{work}")(call)

    async def wake(self, work: Work) -> None:
        """Never fails: when the queue is away the worker finds the row within a minute."""
        try:
            await asyncio.to_thread(self._wake, work)
        except Exception as error:
            log.warning("could not wake the worker for %s: %s", work, error)

    def _wake(self, work: Work) -> None:
        self.queue()
        self._tasks[work]()


def _call(work: Work, do: Callable[[Work], None] | None) -> Callable[[], None]:
    def call() -> None:
        if do is not None:
            do(work)

    return call


class NullJobs(Jobs):
    """Remembers what was woken; for tests."""

    def __init__(self) -> None:
        self.woken: list[Work] = []

    async def wake(self, work: Work) -> None:
        self.woken.append(work)
