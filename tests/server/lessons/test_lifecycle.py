"""The table of a lesson's life, row by row."""

from __future__ import annotations

import pytest

from server.lessons.lifecycle import CANCEL_REASONS, HELD, OPEN, TABLE, after
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
    ],
)
def test_every_event_does_what_the_table_says_and_nothing_else(event: str, rows: dict[str, str]) -> None:
    assert {state: new for state in STATES if (new := after(state, event)) is not None} == rows  # type: ignore[arg-type]


def test_the_table_knows_no_state_the_database_does_not() -> None:
    named = {state for rows in TABLE.values() for pair in rows.items() for state in pair}
    assert named == set(STATES)
    assert set(STATES) >= OPEN | HELD and not OPEN & HELD


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_state_and_reason_has_its_word(locale: str) -> None:
    t = texts(locale)
    keys = [f"common.lesson_state.{state}" for state in STATES] + [f"common.cancel_reason.{r}" for r in CANCEL_REASONS]
    assert [key for key in keys if t(key) == key] == []
