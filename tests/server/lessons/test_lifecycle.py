"""The table of a lesson's life, row by row."""

from __future__ import annotations

import pytest

from server.lessons.lifecycle import AHEAD, CANCEL_REASONS, HELD, OPEN, REPLANNED, TABLE, after, moves
from server.lessons.models import STATES
from server.templating import texts


@pytest.mark.parametrize(
    ("event", "rows"),
    [
        ("publish", {"planned": "published"}),
        ("wait", {"published": "waiting"}),
        ("open", {"published": "live", "waiting": "live"}),
        ("close", {"published": "closed", "waiting": "closed", "live": "closed"}),
        ("reopen", {"closed": "live"}),
        ("register", {"closed": "registered"}),
        ("archive", {"registered": "archived"}),
        ("cancel", {"planned": "cancelled", "published": "cancelled", "waiting": "cancelled"}),
        ("restore", {"cancelled": "published"}),
        ("dispute", {"closed": "disputed", "registered": "disputed"}),
        ("settle", {"disputed": "registered"}),
    ],
)
def test_every_event_does_what_the_table_says_and_nothing_else(event: str, rows: dict[str, str]) -> None:
    assert {state: new for state in STATES if (new := after(state, event)) is not None} == rows  # type: ignore[arg-type]


def test_the_table_knows_no_state_the_database_does_not() -> None:
    named = {state for rows in TABLE.values() for pair in rows.items() for state in pair}
    assert named == set(STATES)
    assert set(STATES) >= OPEN | HELD | AHEAD and not OPEN & HELD
    assert moves() == {(old, new) for rows in TABLE.values() for old, new in rows.items()}
    assert {old for old, _ in moves()} == set(STATES) - {"archived"}, "only the archive is an end"


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_state_and_reason_has_its_word(locale: str) -> None:
    t = texts(locale)
    reasons = (*CANCEL_REASONS, REPLANNED)
    keys = [f"common.lesson_state.{state}" for state in STATES] + [f"common.cancel_reason.{one}" for one in reasons]
    assert [key for key in keys if t(key) == key] == []
