"""Hundreds of thousands of rows into SQLite or PostgreSQL, as fast as each takes them (executemany; COPY).

Rows are dicts of columns; what is missing gets the model's own default, so that a new column breaks no bench. Values
pass the column types' own processors: what lies on disk is what the product would have written.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import psycopg
from sqlalchemy import JSON, make_url
from sqlalchemy.dialects import postgresql, sqlite

Row = dict[str, Any]
AT_ONCE = 20_000


class Bulk:
    """One connection that only adds; ``close`` commits, and lets the database look at what it holds (ANALYZE)."""

    def __init__(self, url: str) -> None:
        parts = make_url(url)
        self._lite = parts.drivername.startswith("sqlite")
        self._dialect: Any = sqlite.dialect() if self._lite else postgresql.psycopg.dialect()  # type: ignore[no-untyped-call]
        self.rows = 0
        if self._lite:
            self._sqlite = sqlite3.connect(str(parts.database), isolation_level=None)
            for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-400000"):
                self._sqlite.execute(f"PRAGMA {pragma}")
            self._sqlite.execute("BEGIN")
        else:
            self._postgres = psycopg.connect(parts.set(drivername="postgresql").render_as_string(hide_password=False))

    def add(self, model: Any, rows: Iterable[Row]) -> None:
        table = model.__table__
        columns = list(table.columns)
        makers = [self._maker(column) for column in columns]
        names = ", ".join(f'"{column.name}"' for column in columns)
        lines = (tuple(make(row) for make in makers) for row in rows)
        if self._lite:
            marks = ", ".join("?" * len(columns))
            statement = f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})'
            for some in _chunks(lines):
                self._sqlite.executemany(statement, some)
                self.rows += len(some)
            return
        with self._postgres.cursor() as cursor, cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
            for line in lines:
                copy.write_row(line)
                self.rows += 1

    def _maker(self, column: Any) -> Callable[[Row], Any]:
        process = column.type.dialect_impl(self._dialect).bind_processor(self._dialect)
        as_text = not self._lite and isinstance(column.type, JSON)
        name, default = column.key, column.default

        def make(row: Row) -> Any:
            value = row[name] if name in row else _default(default, column)
            if as_text:
                return None if value is None else json.dumps(value)
            return process(value) if process is not None and value is not None else value

        return make

    def close(self) -> None:
        if self._lite:
            self._sqlite.execute("COMMIT")
            self._sqlite.execute("ANALYZE")
            self._sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._sqlite.close()
            return
        self._postgres.commit()
        self._postgres.autocommit = True
        self._postgres.execute("VACUUM (ANALYZE)")
        self._postgres.close()


def _default(default: Any, column: Any) -> Any:
    if default is None:
        held = column.server_default
        return str(held.arg) if held is not None and isinstance(getattr(held, "arg", None), str) else None
    return default.arg(None) if default.is_callable else default.arg


def _chunks(lines: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    some: list[tuple[Any, ...]] = []
    for line in lines:
        some.append(line)
        if len(some) == AT_ONCE:
            yield some
            some = []
    if some:
        yield some
