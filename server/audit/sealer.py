"""The worker's thread that seals the log every two seconds: within five after the change, even while a large file is
being checked. With several workers each tries, and the database lets one (``store.only_sealer``).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from types import TracebackType

from server.audit import chain
from server.clock import Clock
from server.config import WebSettings
from server.database import Database, make_engine

EVERY_SECONDS = 2.0

log = logging.getLogger("tongtang.audit")


class Sealer:
    """Runs while its block does."""

    def __init__(self, settings: WebSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)

    def __enter__(self) -> Sealer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        asyncio.run(self._seal())

    async def _seal(self) -> None:
        database = Database(make_engine(self._settings.database_url))
        try:
            while not self._stop.is_set():
                try:
                    await chain.seal(database, self._clock)
                except Exception as error:
                    log.warning("could not seal, will try again: %s", error)
                await asyncio.to_thread(self._stop.wait, EVERY_SECONDS)
        finally:
            await database.dispose()
