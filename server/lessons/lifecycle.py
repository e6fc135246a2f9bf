"""A lesson's life as a table: state x event -> state. What is not in the table cannot happen, in the database neither.

计划 planned → 发布 published → 候课 waiting → 上课 live → 下课 closed → 登记 registered → 归档 archived;
停课 cancelled; 异常申诉 disputed. 调课 is no state but a mark: a moved lesson goes on as what it was, under its id.
Open, close and reopen come from the room's facts: they happened, so a late one is passed over, never refused.
"""

from __future__ import annotations

from typing import Literal

State = Literal["planned", "published", "waiting", "live", "closed", "registered", "archived", "cancelled", "disputed"]
Event = Literal[
    "publish",
    "wait",
    "open",
    "close",
    "reopen",
    "register",
    "archive",
    "cancel",
    "restore",
    "dispute",
    "settle",
]

TABLE: dict[Event, dict[State, State]] = {
    "publish": {"planned": "published"},
    "wait": {"published": "waiting"},
    "open": {"published": "live", "waiting": "live"},
    "close": {"published": "closed", "waiting": "closed", "live": "closed"},
    "reopen": {"closed": "live"},
    "register": {"closed": "registered"},
    "archive": {"registered": "archived"},
    "cancel": {"planned": "cancelled", "published": "cancelled", "waiting": "cancelled"},
    # 停课 undone: as published as it was; one that waited has lost its room, and waits anew when somebody comes
    "restore": {"cancelled": "published"},
    # 异常申诉: what the ledger says of a held lesson is contested, until it is settled and registered
    "dispute": {"closed": "disputed", "registered": "disputed"},
    "settle": {"disputed": "registered"},
}

OPEN: frozenset[State] = frozenset({"published", "waiting", "live"})
"""States in which a room may be entered."""
HELD: frozenset[State] = frozenset({"closed", "registered", "archived", "disputed"})
"""States with a replay."""
AHEAD: frozenset[State] = frozenset({"planned", "published", "waiting"})
"""States in which a lesson may still be moved, called off or given another teacher or room."""

CANCEL_REASONS = ("power", "network", "teacher_ill", "school_event", "platform", "weather", "holiday", "other")
"""停课原因; texts are common.cancel_reason.<key>."""
EXEMPT_REASONS = ("weather", "holiday")
"""停课令, 自然灾害, 法定假 leave the denominators: the district says so, not the school (domain.md section 9)."""
MOVE_REASONS = ("teacher_ill", "teacher_away", "school_event", "exam", "room", "network", "other")
"""调课原因; texts are common.move_reason.<key>."""
REPLANNED = "replanned"
"""Not a 停课 anybody chooses: the timetable was published anew without this lesson."""


def after(state: str, event: Event) -> State | None:
    """The state that follows; None when the event does not apply."""
    return TABLE[event].get(state)  # type: ignore[call-overload, no-any-return]


def moves() -> frozenset[tuple[State, State]]:
    """Every (old, new) that some event allows: what the database's trigger lets through."""
    return frozenset(pair for rows in TABLE.values() for pair in rows.items())
