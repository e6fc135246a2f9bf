"""The life of a demand and of an offer as tables: state x event -> state. What is not in a table cannot happen."""

from __future__ import annotations

from server.errors import ConflictError

STATES = ("open", "agreed", "withdrawn")

DEMAND: dict[str, dict[str, str]] = {
    "accept": {"open": "agreed"},
    "withdraw": {"open": "withdrawn"},
}
OFFER: dict[str, dict[str, str]] = {
    "accept": {"standing": "accepted"},
    "pass": {"standing": "passed"},  # another one was accepted, or the need was withdrawn
    "withdraw": {"standing": "withdrawn"},
}


def after(table: dict[str, dict[str, str]], state: str, event: str) -> str:
    """The state that follows; refused where there is none."""
    found = table[event].get(state)
    if found is None:
        raise ConflictError("demand_state", state=state)
    return found
