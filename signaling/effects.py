"""What the pure core asks the world to do. ``net/rooms.py`` carries effects out in the order given.

A connection is an opaque id: of a WebSocket, or of one WHIP / WHEP request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from media.parameters import SlotParameters, Source, TrackParameters, TransportParameters
from signaling.facts import Fact
from signaling.messages import ServerMessage
from signaling.ops import Entry
from signaling.sdp.answer import Accepted
from signaling.sdp.model import Description


@dataclass(frozen=True, slots=True)
class Send:
    """One message to some connections, encoded once."""

    connections: tuple[str, ...]
    message: ServerMessage


@dataclass(frozen=True, slots=True)
class Close:
    """Close a socket after what was sent before. ``code`` is the WebSocket's (RFC 6455 section 7.4)."""

    connection: str
    code: int = 1000


@dataclass(frozen=True, slots=True)
class Append:
    """Make these durable; then tell the room (``LiveRoom.durable``)."""

    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Count:
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Negotiate:
    """Media calls of one offer and what the answer is made of. ``kind``: a new transport, an ICE restart of a known
    one, or the known one unchanged. On failure the connection gets an error and nothing else of this happens."""

    connection: str
    request: str
    pc: Literal["pub", "sub"]
    transport: str
    kind: Literal["new", "ice", "same"]
    parameters: TransportParameters
    publish: tuple[tuple[str, TrackParameters], ...]
    unpublish: tuple[str, ...]
    slots: tuple[SlotParameters, ...]
    offer: Description
    accepted: dict[int, Accepted]


@dataclass(frozen=True, slots=True)
class RemoveTransport:
    transport: str


@dataclass(frozen=True, slots=True)
class Route:
    transport: str
    mid: str
    track: str | None


@dataclass(frozen=True, slots=True)
class Record:
    """Keep this track of the lead teacher's under its source's name; ``parameters`` None: stop."""

    track: str
    source: Source
    parameters: TrackParameters | None


@dataclass(frozen=True, slots=True)
class Seal:
    """The lesson was closed: everything recorded so far goes to the store at once, so that the replay is whole."""


@dataclass(frozen=True, slots=True)
class Dispose:
    """The room is over: forget it once everything is saved. ``reason`` as in messages.Closed."""

    reason: str


Effect = Send | Close | Append | Count | Negotiate | RemoveTransport | Route | Record | Seal | Dispose
