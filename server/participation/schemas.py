"""What a fact must be to be kept, and what each kind must carry before a figure may rest on it.

The ledger keeps whatever a node sends that fits its columns; computing passes over facts that do not carry what their
kind needs (``sound``), so that one broken sender neither stops the spool nor bends a figure.
"""

from __future__ import annotations

from typing import get_args

from signaling.facts import FACTS_VERSION, Fact, FactKind

MAX_MOMENT_MS = 4_102_444_800_000
"""2100-01-01: later moments are noise, and PostgreSQL must be able to hold them."""

NEEDS: dict[str, dict[str, type]] = {
    "EndpointJoined": {"role": str, "seat": str},
    "EndpointLeft": {"role": str, "seat": str},
    "Presence": {"role": str, "seat": str, "from_at": int, "to_at": int, "connected": bool, "heard_ms": int},
    "AssistantSignedIn": {"seat": str},
    "Headcount": {"expected": int, "present": int},
    "Hand": {"seat": str, "up": bool},
    "Floor": {"seat": str, "given": bool},
    "Spoke": {"role": str, "seat": str, "from_at": int, "to_at": int},
    "Quality": {"role": str, "seat": str, "from_at": int, "to_at": int, "gets": str},
    "SignInMadeGood": {"person": str, "asked_by": str, "approved_by": str, "reason": str},
}


def sound(fact: Fact) -> bool:
    """Known kind, known version, with everything its kind needs."""
    if fact.kind not in get_args(FactKind) or fact.v > FACTS_VERSION:
        return False
    return all(type(fact.data.get(key)) is wanted for key, wanted in NEEDS.get(fact.kind, {}).items())


def storable(fact: Fact) -> bool:
    """Fits the ledger's columns on every database; one that does not would hold up the whole batch of its node."""
    return (
        0 < len(fact.id) <= 80
        and 0 < len(fact.kind) <= 24
        and all(_id(one) for one in (fact.lesson, fact.room, fact.person) if one is not None)
        and 0 <= fact.epoch < 2**31
        and abs(fact.room_ms) < 2**53
        and 0 <= fact.at_ms <= MAX_MOMENT_MS
        and "\0" not in fact.id
    )


def _id(text: str) -> bool:
    return 0 < len(text) <= 24 and text.isascii() and text.isprintable()
