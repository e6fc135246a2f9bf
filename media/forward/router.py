"""One room's routing: which track is published by whom, which slot shows it. Decides nothing, remembers everything."""

from __future__ import annotations

from dataclasses import dataclass, field

from media.engine import Detail
from media.forward.allocate import OFF
from media.forward.clock import PublisherClock
from media.forward.estimate import Estimator
from media.forward.hearing import Hearing
from media.forward.keyframes import KeyFrameRequests
from media.forward.layers import Layer
from media.forward.patience import Patience
from media.forward.probe import Prober
from media.forward.repairs import Repairs
from media.forward.sound import Repetition, Thrift, weighed
from media.forward.taps import LayerTap
from media.parameters import Quality, SlotParameters, TrackParameters

_THIN_LOSS = 0.1


@dataclass(slots=True)
class PublishedTrack:
    """``layers``, lowest first: one engine stream each; a track without rids has one."""

    name: str
    transport: str
    router: str
    layers: tuple[Layer, ...]
    parameters: TrackParameters
    key_frames: KeyFrameRequests = field(default_factory=KeyFrameRequests)
    keys_of: set[int] = field(default_factory=set)  # streams that the next request is for
    active: bool = False
    tap: LayerTap | None = None  # the recorder's
    wanted_said: tuple[str, ...] | None = None
    listener_loss: float = 0.0  # of the worst
    thrift: Thrift = field(default_factory=Thrift)

    @property
    def video(self) -> bool:
        return self.parameters.kind == "video"

    @property
    def stream(self) -> int:
        """The only stream of sound, the lowest layer of a picture."""
        return self.layers[0].stream

    def layer(self, stream: int | None) -> Layer | None:
        return next((one for one in self.layers if one.stream == stream), None)


@dataclass(slots=True)
class Slot:
    """``link`` is the engine's handle. ``target`` is the stream it was last told to show, ``shown`` the one it shows;
    ``level`` what was allotted (``allocate.py``), ``said`` the quality that signaling was told."""

    transport: str
    link: int
    parameters: SlotParameters
    track: str | None = None
    target: int | None = None
    shown: int | None = None
    detail: Detail = Detail.ALL
    level: int = OFF
    most: Quality | None = None  # no better one makes sense where it is seen
    said: Quality | None = None
    asked: float = float("-inf")  # when a still was last asked for
    patience: Patience = field(default_factory=Patience)
    loss: float = 0.0
    losing: float = 0.0  # see ``Subscriber``
    reported: int | None = None  # highest number that its last report named
    jitter: float | None = None  # seconds
    repetition: Repetition = field(default_factory=Repetition)  # of a sound
    silenced: bool = False  # a sound that the line has no room for

    @property
    def video(self) -> bool:
        return self.parameters.kind == "video"

    def clear(self) -> None:
        """It shows nothing any more."""
        self.track = self.target = self.shown = self.said = None
        self.level = OFF
        self.silenced = False
        self.patience = Patience()


@dataclass(slots=True)
class Subscriber:
    """What the peer's reports say of what it receives, and what is made of them."""

    loss: float = 0.0
    losing: float = 0.0
    """The same over the last few hundred packets: one in twenty is lost, and a report of two packets says "half"."""
    rtt: float | None = None
    nacks: int = 0
    key_frames: int = 0
    remb: int | None = None
    estimator: Estimator | None = None  # where transport-cc was negotiated
    prober: Prober = field(default_factory=Prober)
    paced: float | None = None
    pictures: float = 0.0  # bit/s of the moving pictures that were allotted
    sent: float = 0.0  # bit/s of all that was allotted
    spoke: bool = False  # something came that was encrypted with its keys
    hearing: Hearing = field(default_factory=Hearing)
    repairs: Repairs = field(default_factory=Repairs)

    @property
    def estimate(self) -> float | None:
        """Bit/s; None: nobody knows a limit."""
        if self.estimator is not None and (self.estimator.heard or self.remb is None):
            return self.estimator.rate
        return self.remb

    def lost(self, slot: Slot) -> float:
        """Share of a sound."""
        return weighed(slot.loss, self.estimator.loss if self.estimator is not None else 0.0)

    @property
    def heard(self) -> bool:
        return self.remb is not None or (self.estimator is not None and self.estimator.heard)

    @property
    def doubtful(self) -> bool:
        """Nothing said so far that the line does not carry one picture; REMB falls with what is sent, so only loss
        tells there."""
        if self.estimator is None:
            return self.losing < _THIN_LOSS
        return self.estimator.last_decrease == float("-inf") and not self.estimator.thin

    def unanswered(self, now: float) -> bool:
        """No sign yet that anything arrives: our last word of DTLS may have got lost, and what fills the line keeps the
        next one from coming through."""
        return self.estimator is not None and not self.spoke and self.estimator.unanswered(now)


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
    line: str | None = None  # see TransportParameters

    @property
    def idle(self) -> bool:
        """Sends nothing, is sent nothing: there is nothing to report either way."""
        return not self.tracks and all(slot.track is None for slot in self.slots.values())
