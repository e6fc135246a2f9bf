"""Run by alembic for every command. One migrator at a time (PostgreSQL: advisory lock), for several webs may start."""

from __future__ import annotations

from alembic import context
from sqlalchemy import Connection, create_engine, text

from server.models import Base

LOCK = 0x746F6E67  # "tong"


def migrate(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_as_batch=connection.dialect.name == "sqlite",  # SQLite alters a table by making it anew
        compare_type=True,
    )
    with context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))
        context.run_migrations()


engine = create_engine(context.config.attributes["url"])
try:
    with engine.connect() as held:
        migrate(held)
        held.commit()
finally:
    engine.dispose()
