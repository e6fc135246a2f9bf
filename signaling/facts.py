"""Everything worth counting, as it leaves the node. The ledger stores each ``id`` once, for ever.

Ids derive from where the fact came from, so that sending twice counts once: ``{lesson}:{epoch}:{op seq}`` for facts
made from ops, ``{lesson}:{epoch}:p{n}`` for presence and other facts of the node's own count. What the web itself adds
when the lesson is over is of epoch 0, where no node is: ``{lesson}:0:{what}-{room}``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

FACTS_VERSION = 1

FactKind = Literal[
    "LessonOpened",
    "LessonClosed",
    "LessonReopened",
    "EndpointJoined",
    "EndpointLeft",
    "Presence",
    "AssistantSignedIn",
    "Headcount",
    "Hand",
    "Floor",
    "Spoke",
    "Chat",
    "Page",
    "RecordingSaved",
    "RecordingGap",
    "Quality",
    "SignInMadeGood",
]


SHARED_TRACKS = ("screen", "screen-audio")
"""A still screen sends nothing, and a shared one comes and goes: such holes mean nothing there."""
NOT_SENT = ("pause", "reconnect")
"""Causes by which the publisher sent nothing."""


def lost(track: str, cause: str) -> bool:
    """Whether a hole in a recorded track means that something is missing."""
    return track not in SHARED_TRACKS or cause not in NOT_SENT


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened. ``data`` by kind (all times in ms):

    =================  =================================================================================================
    LessonOpened       {}
    LessonClosed       {}  (an undone close is followed by LessonReopened)
    EndpointJoined     {"role", "seat", "path"}
    EndpointLeft       {"role", "seat", "reason"}
    Presence           {"role", "seat", "from_at", "to_at", "connected": bool, "heard_ms": int, "saw_ms": int}
                       one per endpoint each 10 s, covering [from_at, to_at) of the node's wall clock; the interval
                       counts as *heard* when heard_ms is at least half of its length
    AssistantSignedIn  {"seat", "person"}
    Headcount          {"expected": int, "present": int, "absent_seats": [int]}
    Hand               {"seat", "up": bool, "pupil": int | None}
    Floor              {"seat", "given": bool}
    Spoke              {"role", "seat", "from_at", "to_at"}
                       somebody on the stage spoke during [from_at, to_at) of the node's wall clock, breaths included
    Chat               {"seat"}  (never the text)
    Page               {"deck", "page"}
    RecordingSaved     {"saved_ms": room ms up to which everything is in the object store, "bytes": int}
    RecordingGap       {"from_ms", "to_ms", "cause"}
    Quality            {"role", "seat", "from_at", "to_at", "gets"}
                       what a receiver got of the teacher's picture in [from_at, to_at) of the node's wall clock:
                       "high" | "mid" | "low" | "stills" | "sound"; one per change, at most a minute long
    SignInMadeGood     {"person", "asked_by", "approved_by", "reason"}
                       补签, by the web: the receiving school answers for it that ``person`` was with the class
    =================  =================================================================================================
    """

    id: str
    kind: FactKind
    lesson: str
    epoch: int
    room_ms: int
    """Room time: ms since the room's first opening, continued across epochs."""
    at_ms: int
    """The node's wall clock, Unix ms."""
    room: str | None = None
    """Receiving or lead room id, where the fact belongs to one."""
    person: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    v: int = FACTS_VERSION
