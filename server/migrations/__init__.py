"""The database's versions, from Python: no alembic.ini, no working folder. ``tongtang migrate`` goes to the newest.

Rule: a migration that has left the house is never changed; what it made wrong, the next one mends.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

HERE = Path(__file__).resolve().parent


def sync_url(url: str) -> str:
    """The same database without asyncio: migrations run before anything else does."""
    return url.replace("sqlite+aiosqlite:", "sqlite:")


def config(url: str, seat_key: Path | None = None) -> Config:
    """``seat_key``: what seals secrets in rows; without it a database that holds some is not touched."""
    held = Config()
    held.set_main_option("script_location", str(HERE))
    held.attributes["url"], held.attributes["seat_key"] = sync_url(url), seat_key
    return held


def upgrade(url: str, revision: str = "head", seat_key: Path | None = None) -> None:
    command.upgrade(config(url, seat_key), revision)


def downgrade(url: str, revision: str, seat_key: Path | None = None) -> None:
    command.downgrade(config(url, seat_key), revision)


def head() -> str | None:
    return ScriptDirectory.from_config(config("")).get_current_head()


def current(url: str) -> str | None:
    """The version a database is at; None when it is empty."""
    engine = create_engine(sync_url(url))
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
