"""Who may do what in a live room: one table, one test per row. Roles come from the signed seat, never from the
client.
"""

from __future__ import annotations

from signaling.seats import Role

RIGHTS: dict[str, frozenset[Role]] = {
    "publish.stage": frozenset({"teacher"}),
    "publish.room": frozenset({"class", "encoder"}),
    "subscribe": frozenset({"teacher", "class", "watch", "inspector"}),
    "lesson.open": frozenset({"teacher"}),
    "lesson.close": frozenset({"teacher"}),
    "lesson.reopen": frozenset({"teacher"}),
    "deck.open": frozenset({"teacher"}),
    "deck.close": frozenset({"teacher"}),
    "page.turn": frozenset({"teacher"}),
    "stage.blank": frozenset({"teacher"}),
    "hand.raise": frozenset({"class", "assistant"}),
    "hand.lower": frozenset({"class", "assistant", "teacher"}),
    "floor.give": frozenset({"teacher"}),
    "floor.take": frozenset({"teacher", "class", "assistant"}),
    "chat.say": frozenset({"teacher", "class", "assistant", "watch"}),
    "chat.erase": frozenset({"teacher"}),
    "headcount": frozenset({"assistant"}),
    "robot.drill": frozenset({"teacher"}),
    "signal": frozenset({"class", "assistant"}),
}


def may(role: Role, action: str) -> bool:
    """Unknown actions are nobody's."""
    return role in RIGHTS.get(action, frozenset())


def rights(role: Role) -> list[str]:
    return sorted(action for action, roles in RIGHTS.items() if role in roles)
