"""Facts as JSON, and what each kind must carry before a figure may rest on it.

The ledger keeps whatever a node sends that fits its columns; computing passes over facts that do not carry what their
kind needs (``sound``), so that one broken sender neither stops the spool nor bends a figure.
"""

from __future__ import annotations

from typing import Annotated, Any, get_args

from pydantic import BaseModel, ConfigDict, Field

from signaling.facts import FACTS_VERSION, Fact, FactKind

MAX_BATCH = 1000
"""Facts a node may send at once: about 300 kB, one transaction of well under a second."""

MAX_MOMENT_MS = 4_102_444_800_000
"""2100-01-01: later moments are noise, and PostgreSQL must be able to hold them."""

Id = Annotated[str, Field(min_length=1, max_length=24, pattern=r"^[0-9A-Za-z_.-]+$")]

NEEDS: dict[str, dict[str, type]] = {
    "EndpointJoined": {"role": str, "seat": str},
    "EndpointLeft": {"role": str, "seat": str},
    "Presence": {"role": str, "seat": str, "from_at": int, "to_at": int, "connected": bool, "heard_ms": int},
    "AssistantSignedIn": {"seat": str},
    "Headcount": {"expected": int, "present": int},
    "Hand": {"seat": str, "up": bool},
    "Floor": {"seat": str, "given": bool},
}


def sound(fact: Fact) -> bool:
    """Known kind, known version, with everything its kind needs."""
    if fact.kind not in get_args(FactKind) or fact.v > FACTS_VERSION:
        return False
    return all(type(fact.data.get(key)) is wanted for key, wanted in NEEDS.get(fact.kind, {}).items())


class FactIn(BaseModel):
    """One fact of a node's batch. Unknown kinds and keys of data are kept: an older web serves a newer node."""

    model_config = ConfigDict(extra="ignore")

    id: Annotated[str, Field(min_length=1, max_length=80)]
    kind: Annotated[str, Field(min_length=1, max_length=24)]
    lesson: Id
    epoch: Annotated[int, Field(ge=0, le=2**31 - 1)]
    room_ms: Annotated[int, Field(ge=-(2**53), le=2**53)]
    at_ms: Annotated[int, Field(ge=0, le=MAX_MOMENT_MS)]
    room: Id | None = None
    person: Id | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    v: Annotated[int, Field(ge=1, le=1000)] = FACTS_VERSION

    def fact(self) -> Fact:
        return Fact(**self.model_dump())


class FactBatch(BaseModel):
    facts: Annotated[list[dict[str, Any]], Field(max_length=MAX_BATCH)]


class FactsTaken(BaseModel):
    """``acknowledged``: on disk, the spool may forget them.
    ``refused``: can never be stored; set aside, say so, go on.
    """

    acknowledged: list[str]
    refused: list[str]
