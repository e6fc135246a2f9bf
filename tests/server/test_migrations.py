"""Migrations make exactly what the models say, can be undone, and make a ledger that cannot be rewritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from server import migrations
from server.models import Base
from server.outbox.vault import Vault


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'migrated.db'}"


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return list(compare_metadata(context, Base.metadata))


def checks(connection: Connection) -> dict[str, set[str | None]]:
    look = inspect(connection)
    return {name: {one["name"] for one in look.get_check_constraints(name)} for name in look.get_table_names()}


def check(url: str) -> None:
    """The whole story on one empty database: up, like the models, ledger shut, down, up again."""
    migrations.upgrade(url)
    engine = create_engine(migrations.sync_url(url))
    with engine.connect() as connection:
        assert differences(connection) == []
        assert "ck_lessons_state" in checks(connection)["lessons"]
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO facts (id, kind, lesson_id, epoch, room_ms, at, received_at, data, v) VALUES "
                "('a:1:1', 'Chat', 'a', 1, 0, '2026-11-16 01:00:00', '2026-11-16 01:00:00', '{}', 1)"
            )
        )
    for change in ("UPDATE facts SET kind = 'Hand'", "DELETE FROM facts"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(change))
    engine.dispose()
    migrations.downgrade(url, "base")
    assert migrations.current(url) is None
    migrations.upgrade(url)
    assert migrations.current(url) == migrations.head()


def test_on_sqlite(url: str) -> None:
    check(url)


@pytest.mark.real
def test_on_postgresql(postgres_url: str) -> None:
    check(postgres_url)


def channel(url: str) -> tuple[str, str]:
    engine = create_engine(migrations.sync_url(url))
    with engine.connect() as connection:
        row = connection.execute(text("SELECT endpoint, secret FROM channels")).one()
    engine.dispose()
    return row.endpoint, row.secret


def check_sealed(url: str, key: Path) -> None:
    """0017 seals what stood there in clear, and goes back; without the key it touches nothing."""
    migrations.upgrade(url, "0016")
    engine = create_engine(migrations.sync_url(url))
    with engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO channels (id, kind, name, endpoint, secret, events, only_urgent, created_at) VALUES "
                "('c1', 'webhook', 'x', 'https://a.example/?key=1', '密', '[]', false, '2026-11-16 01:00:00')"
            )
        )
    engine.dispose()
    clear = ("https://a.example/?key=1", "密")
    with pytest.raises(RuntimeError, match="knows the key"):
        migrations.upgrade(url)
    assert channel(url) == clear and migrations.current(url) == "0016"
    vault = Vault.at(key)
    for _ in range(2):
        migrations.upgrade(url, seat_key=key)
        endpoint, secret = channel(url)
        assert endpoint.startswith("f1.") and (vault.open(endpoint), vault.open(secret)) == clear
        migrations.downgrade(url, "0016", seat_key=key)
        assert channel(url) == clear


def test_channels_are_sealed_on_sqlite(url: str, seat_key_file: Path) -> None:
    check_sealed(url, seat_key_file)


@pytest.mark.real
def test_channels_are_sealed_on_postgresql(postgres_url: str, seat_key_file: Path) -> None:
    check_sealed(postgres_url, seat_key_file)


def check_cameras(url: str, key: Path) -> None:
    """0025 seals what stood there in clear, and goes back; without the key it touches nothing."""
    migrations.upgrade(url, "0024")
    engine = create_engine(migrations.sync_url(url))
    with engine.begin() as connection:
        school(connection)
        connection.execute(
            text(
                "INSERT INTO rooms (id, school_id, name, kind, pupils, code, equipment) VALUES"
                " ('r', 's', 'x', 'lead', 1, 'R1', '[]')"
            )
        )
        connection.execute(
            text(
                "INSERT INTO room_sources (room_id, address, secret, changed_at) VALUES"
                " ('r', 'rtsp://10.0.0.1/a?pwd=b&c=1', 'admin:p@ss', '2026-11-16 01:00:00')"
            )
        )

    def held() -> tuple[str, str]:
        with engine.connect() as connection:
            row = connection.execute(text("SELECT address, secret FROM room_sources")).one()
        return row.address, row.secret

    clear = held()
    with pytest.raises(RuntimeError, match="knows the key"):
        migrations.upgrade(url)
    assert held() == clear and migrations.current(url) == "0024"
    vault = Vault.at(key)
    for _ in range(2):
        migrations.upgrade(url, seat_key=key)
        assert held()[0] == "rtsp://10.0.0.1/a?pwd=***&c=1"
        assert vault.open(held()[1]) == "rtsp://admin:p%40ss@10.0.0.1/a?pwd=b&c=1"
        migrations.downgrade(url, "0024", seat_key=key)
        assert held() == clear
    engine.dispose()


def test_cameras_are_sealed_on_sqlite(url: str, seat_key_file: Path) -> None:
    check_cameras(url, seat_key_file)


@pytest.mark.real
def test_cameras_are_sealed_on_postgresql(postgres_url: str, seat_key_file: Path) -> None:
    check_cameras(postgres_url, seat_key_file)


def school(connection: Connection) -> None:
    """Of any version of the tables."""
    connection.execute(text("INSERT INTO districts (id, name, name_en, kind) VALUES ('120101', 'x', 'x', 'far')"))
    connection.execute(
        text(
            "INSERT INTO schools"
            " (id, code, name, short_name, phase, located_in, key_school, weak, demo, created_at) VALUES"
            " ('s', '2112000001', 'x', 'x', 'primary', '120101', false, false, false, '2026-09-01 01:00:00')"
        )
    )


def check_gaps(url: str) -> None:
    """0023: a need may be declared again; going back, its last declaration stays, and what was posted for it."""
    migrations.upgrade(url, "0023")
    engine = create_engine(migrations.sync_url(url))
    gap = (
        "INSERT INTO gaps (id, school_id, term, grade, subject, weekly, note, declared_on, withdrawn_on) VALUES "
        "(:id, 's', '2026-1', 4, 'music', 1, '', :since, :until)"
    )
    with engine.begin() as connection:
        school(connection)
        for id_, since, until in (("old", "2026-09-20", "2026-10-10"), ("new", "2026-11-16", None)):
            connection.execute(text(gap), {"id": id_, "since": since, "until": until})
    with pytest.raises(DBAPIError), engine.begin() as connection:
        connection.execute(text(gap), {"id": "twice", "since": "2026-11-17", "until": None})
    migrations.downgrade(url, "0020")
    with engine.begin() as connection:
        assert list(connection.scalars(text("SELECT id FROM gaps"))) == ["new"]
    engine.dispose()
    migrations.upgrade(url, "0023")


def test_gaps_are_declared_again_on_sqlite(url: str) -> None:
    check_gaps(url)


@pytest.mark.real
def test_gaps_are_declared_again_on_postgresql(postgres_url: str) -> None:
    check_gaps(postgres_url)
