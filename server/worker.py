"""The worker process: draws slides, keeps attendance and roll-ups up to date, sends what waits for outside, sweeps
what has run out.

Each piece of work looks at rows, so it may run twice or late. The same piece never runs twice at once; a wake-up that
comes meanwhile makes it look once more.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable

from huey.consumer import Consumer

from server.accounts import store as accounts
from server.audit.sealer import Sealer
from server.audit.watch import watch
from server.clock import Clock, SystemClock
from server.config import WebSettings
from server.database import Database, make_engine
from server.exchange import job as exchange
from server.garbage import collecting, hold_back
from server.indicators import rollup
from server.jobs import EVERY, Jobs, Work
from server.lessons import decks, registering
from server.lessons import store as lessons
from server.objectstore import open_store
from server.outbox import posting
from server.participation import service as participation
from server.scope import SYSTEM
from server.selftests import store as selftests
from server.selftests.service import KEPT
from signaling.ports import ObjectStore

THREADS = 2  # a large deck must not hold the month's figures up
MAX_DELAY = 1.0  # seconds a wake-up may lie in the queue

log = logging.getLogger("tongtang.worker")

Piece = Callable[[WebSettings, Database, ObjectStore, Clock], Awaitable[None]]


async def _decks(settings: WebSettings, database: Database, objects: ObjectStore, clock: Clock) -> None:
    await decks.render_waiting(database, objects, settings)


async def _ledger(settings: WebSettings, database: Database, objects: ObjectStore, clock: Clock) -> None:
    await participation.catch_up(database, clock)
    await rollup.catch_up(database, clock)


async def _sweep(settings: WebSettings, database: Database, objects: ObjectStore, clock: Clock) -> None:
    async with database.transaction() as session:
        await lessons.forget_unbound(session, SYSTEM, clock.now())
        await accounts.forget_expired(session, SYSTEM, clock.now())
        await selftests.forget(session, SYSTEM, clock.now() - KEPT)
    await registering.round_(database, clock)


async def _exchange(settings: WebSettings, database: Database, objects: ObjectStore, clock: Clock) -> None:
    await exchange.run(database, objects, clock)


async def _outbox(settings: WebSettings, database: Database, objects: ObjectStore, clock: Clock) -> None:
    await posting.round_(database, settings, clock)


PIECES: dict[Work, Piece] = {
    "decks": _decks,
    "ledger": _ledger,
    "sweep": _sweep,
    "exchange": _exchange,
    "outbox": _outbox,
}


async def do(settings: WebSettings, work: Work, clock: Clock) -> None:
    """One piece of work, with connections of its own: it runs in a thread with an event loop of its own."""
    database = Database(make_engine(settings.database_url))
    watch(database, clock)
    objects = open_store(settings.objects)
    try:
        async with collecting():
            await PIECES[work](settings, database, objects, clock)
    finally:
        await database.dispose()
        await objects.close()


class Once:
    """Calls ``act(work)``, never twice at once for the same work, and once more when asked meanwhile."""

    def __init__(self, act: Callable[[Work], None]) -> None:
        self._act = act
        self._locks: dict[Work, threading.Lock] = {work: threading.Lock() for work in EVERY}
        self._asked: dict[Work, threading.Event] = {work: threading.Event() for work in EVERY}

    def __call__(self, work: Work) -> None:
        self._asked[work].set()
        while self._asked[work].is_set():
            if not self._locks[work].acquire(blocking=False):
                return
            try:
                self._asked[work].clear()
                self._act(work)
            finally:
                self._locks[work].release()


def run(settings: WebSettings) -> None:
    """Until SIGTERM or SIGINT. Failures are logged; the rows are still there a minute later."""
    clock = SystemClock()
    hold_back()

    def act(work: Work) -> None:
        try:
            asyncio.run(do(settings, work, clock))
        except Exception:
            log.exception("%s failed; will look again", work)

    jobs = Jobs(settings, Once(act))
    logging.getLogger("huey").setLevel(logging.WARNING)
    print("worker: ready", flush=True)
    with Sealer(settings, clock):
        Consumer(jobs.queue(), workers=THREADS, max_delay=MAX_DELAY, shutdown_timeout=5).run()
