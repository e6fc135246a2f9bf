"""Engine, sessions and column types. One writer at a time on SQLite (``BEGIN IMMEDIATE``), acknowledged means on disk.
Writers of one process wait in a queue: SQLite itself lets them poll, and the unlucky one polls for seconds.

Nobody calls ``commit()``: the request (``transaction``) or the job is the unit of work.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from sqlalchemy import DateTime, MetaData, event
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator
from sqlalchemy.util import await_only

NAMING = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


WAIT_SECONDS = 30
"""For other writers on SQLite."""


class UtcDateTime(TypeDecorator[datetime]):
    """Aware datetimes in, aware UTC datetimes out, on every database. Pages show the city's time (``clock.py``)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("naive datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: UtcDateTime}


def make_engine(url: str) -> AsyncEngine:
    """``url`` as SQLAlchemy writes it: "sqlite+aiosqlite:///…" or "postgresql+psycopg://…"."""
    if url.startswith("sqlite"):
        engine = create_async_engine(url, connect_args={"timeout": WAIT_SECONDS})
        _configure_sqlite(engine)
        return engine
    # a statement of ours takes milliseconds: to compile it first takes most of a second, to share it out ten; and what
    # is asked for is in memory, where an index leads to a row as fast as reading on does
    short = {"options": "-c jit=off -c max_parallel_workers_per_gather=0 -c random_page_cost=1.1"}
    # the connection used last first: it has our statements prepared and the catalogue at hand
    pool = {"pool_size": 10, "max_overflow": 10, "pool_pre_ping": True, "pool_use_lifo": True}
    return create_async_engine(url, connect_args=short, **pool)


def _configure_sqlite(engine: AsyncEngine) -> None:
    # one a loop: tests run many
    turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()

    @event.listens_for(engine.sync_engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        busy = f"busy_timeout={WAIT_SECONDS * 1000}"
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", busy):
            cursor = connection.cursor()
            cursor.execute(f"PRAGMA {pragma}")
            cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def on_begin(connection: Any) -> None:
        # A deferred transaction that turns to writing fails at once in spite of busy_timeout: writers say so first.
        if connection.get_execution_options().get("read_only", False):
            connection.exec_driver_sql("BEGIN")
            return
        turn = turns.setdefault(asyncio.get_running_loop(), asyncio.Lock())
        await_only(_acquired(turn))
        connection.info["turn"] = turn
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine.sync_engine, "checkin")
    def on_checkin(_connection: Any, record: Any) -> None:  # committed, rolled back or broken: it is over
        if turn := record.info.pop("turn", None):
            turn.release()


async def _acquired(turn: asyncio.Lock) -> None:
    """Who waits longer than SQLite itself would is told so: a transaction inside another waits for itself."""
    async with asyncio.timeout(WAIT_SECONDS):
        await turn.acquire()


class Database:
    """Sessions of one engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.writers = type("Writer", (Session,), {})
        """The class of the sessions that may write, for who wants to be told of changes (``audit.watch``)."""
        self._write = async_sessionmaker(engine, expire_on_commit=False, sync_session_class=self.writers)
        self._read = async_sessionmaker(engine.execution_options(read_only=True), expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        """A unit of work that may write: committed when the block ends, rolled back when it raises."""
        async with self._write() as session, session.begin():
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncSession]:
        """A unit of work that only reads."""
        async with self._read() as session, session.begin():
            yield session

    async def dispose(self) -> None:
        await self.engine.dispose()
