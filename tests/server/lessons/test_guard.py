"""Illegal moves are impossible in the database too: every pair of states, as migrated, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import IntegrityError

from server import migrations
from server.lessons import guard
from server.lessons.lifecycle import moves
from server.lessons.models import STATES

ROWS = (
    "INSERT INTO districts (id, name, name_en, kind) VALUES ('120113', 'd', 'd', 'ring')",
    "INSERT INTO schools (id, code, name, short_name, phase, located_in, key_school, weak, demo, created_at) VALUES "
    "('s', '2112000001', 's', 's', 'primary', '120113', false, false, false, '2026-11-16 01:00:00')",
    "INSERT INTO rooms (id, school_id, name, kind, pupils, code) VALUES ('r', 's', 'r', 'lead', 30, 'r')",
    "INSERT INTO people (id, login, name, locale, demo, created_at) VALUES "
    "('p', 'p', 'p', 'zh-CN', false, '2026-11-16 01:00:00')",
    "INSERT INTO lessons (id, title, subject, grade, kind, form, state, lead_room_id, teacher_id, starts_at, ends_at, "
    "created_at, demo) VALUES ('l', 't', 'maths', 3, 'formal', 'delivery', 'planned', 'r', 'p', "
    "'2026-11-16 01:00:00', '2026-11-16 01:40:00', '2026-11-16 00:00:00', false)",
)


def refused(url: str) -> set[tuple[str, str]]:
    """The pairs a database as migrated refuses; the row is put into the old state by deleting and inserting it."""
    migrations.upgrade(url)
    engine = create_engine(migrations.sync_url(url))
    with engine.begin() as connection:
        for statement in ROWS[:-1]:
            connection.execute(text(statement))
    found = set()
    for old in STATES:
        for new in STATES:
            with engine.begin() as connection:
                connection.execute(text("DELETE FROM lessons"))
                connection.execute(text(ROWS[-1].replace("'planned'", f"'{old}'")))
            try:
                with engine.begin() as connection:
                    connection.execute(text("UPDATE lessons SET state = :state"), {"state": new})
            except IntegrityError as error:
                assert guard.REFUSAL in str(error)
                found.add((old, new))
    engine.dispose()
    return found


IMPOSSIBLE = {(old, new) for old in STATES for new in STATES if old != new} - set(moves())


def test_on_sqlite(tmp_path: Path) -> None:
    assert refused(f"sqlite+aiosqlite:///{tmp_path / 'guarded.db'}") == IMPOSSIBLE


@pytest.mark.real
def test_on_postgresql(postgres_url: str) -> None:
    assert refused(postgres_url) == IMPOSSIBLE
