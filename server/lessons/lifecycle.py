"""A lesson's life as a table: state x event -> state. What is not in the table cannot happen.

计划 planned → 发布 published → 候课 waiting → 上课 live → 下课 closed → 登记 registered → 归档 archived;
停课 cancelled.
Open, close and reopen come from the room's facts: they happened, so a late one is passed over, never refused.
"""

from __future__ import annotations

from typing import Literal

State = Literal["planned", "published", "waiting", "live", "closed", "registered", "archived", "cancelled"]
Event = Literal["publish", "wait", "open", "close", "reopen", "register", "archive", "cancel"]

TABLE: dict[Event, dict[State, State]] = {
    "publish": {"planned": "published"},
    "wait": {"published": "waiting"},
    "open": {"published": "live", "waiting": "live"},
    "close": {"published": "closed", "waiting": "closed", "live": "closed"},
    "reopen": {"closed": "live"},
    "register": {"closed": "registered"},
    "archive": {"registered": "archived"},
    "cancel": {"planned": "cancelled", "published": "cancelled", "waiting": "cancelled"},
}

OPEN: frozenset[State] = frozenset({"published", "waiting", "live"})
"""States in which a room may be entered."""
HELD: frozenset[State] = frozenset({"closed", "registered", "archived"})
"""States with a replay."""

CANCEL_REASONS = ("power", "network", "teacher_ill", "school_event", "platform", "weather", "holiday", "other")
"""停课原因; texts are common.cancel_reason.<key>."""


def after(state: str, event: Event) -> State | None:
    """The state that follows; None when the event does not apply."""
    return TABLE[event].get(state)  # type: ignore[call-overload, no-any-return]
