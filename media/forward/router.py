"""One room's routing: which track is published by whom, which slot shows it. Decides nothing, remembers everything."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.forward.clock import PublisherClock, SenderClock
from media.forward.keyframes import KeyFrameRequests
from media.parameters import SlotParameters, TrackParameters
from media.record.sink import TrackSink


@dataclass(slots=True)
class PublishedTrack:
    """``stream`` is the engine's handle. Report state is that of RFC 3550 appendix A.3."""

    name: str
    transport: str
    router: str
    stream: int
    parameters: TrackParameters
    key_frames: KeyFrameRequests = field(default_factory=KeyFrameRequests)
    sr: SenderClock | None = None
    active: bool = False
    sink: TrackSink | None = None
    prior: tuple[int, int] = (0, 0)  # (expected, received) at the last report

    @property
    def video(self) -> bool:
        return self.parameters.kind == "video"


@dataclass(slots=True)
class Slot:
    """``link`` is the engine's handle."""

    transport: str
    link: int
    parameters: SlotParameters
    track: str | None = None


@dataclass(slots=True)
class Subscriber:
    """What the peer's reports say of what it receives."""

    loss: float = 0.0
    rtt: float | None = None
    nacks: int = 0
    key_frames: int = 0
    remb: int | None = None


@dataclass(slots=True)
class Router:
    """Ids of everything that belongs to one room."""

    name: str
    transports: set[str] = field(default_factory=set)


@dataclass(slots=True)
class PeerState:
    """Per transport: its slots by mid, its clock as publisher, its reports as subscriber."""

    tracks: set[str] = field(default_factory=set)
    slots: dict[str, Slot] = field(default_factory=dict)
    clock: PublisherClock = field(default_factory=PublisherClock)
    subscriber: Subscriber = field(default_factory=Subscriber)
    feedback_count: int = 0
    transport_cc: bool = False
