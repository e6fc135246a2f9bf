"""The packet path's contract: everything that happens per packet stands behind it, everything else outside.

``media/pyengine.py`` is its Python twin, always there; a C twin may come. Rule: numbers in, events out, no callbacks
per forwarded packet (a recorder's tap is the exception), no knowledge of ICE, DTLS, SDP or rooms. The caller chooses
the handles.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from media.parameters import Codec, Extensions, Kind
from media.record.sink import TrackSink
from media.transport.ice import Path
from media.transport.srtp import SrtpKeys

Address = tuple[str, int]


class Port(Protocol):
    """One local UDP socket or TCP connection; the real ones stand in ``net/``."""

    kind: str  # "udp" or "tcp"

    def receive_into(self, buffer: bytearray) -> tuple[int, Address, float | None] | None:
        """Size, sender, arrival (None: now) of the next waiting datagram, or None when there is none. Never raises."""
        ...

    def send(self, address: Address, data: memoryview, sizes: Sequence[int]) -> None:
        """Packets of ``sizes``, one behind the other in ``data``, valid only during the call. Drops, never blocks."""
        ...


# --- events: what is not media, or what media leads to ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Datagram:
    """STUN or DTLS, as ``kind`` ("stun", "dtls") says."""

    kind: str
    path: Path
    data: bytes


@dataclass(frozen=True, slots=True)
class RtcpArrived:
    """A decrypted compound."""

    peer: int
    data: bytes


@dataclass(frozen=True, slots=True)
class StreamActive:
    """First packet of a stream, or the first after a pause."""

    stream: int


@dataclass(frozen=True, slots=True)
class KeyFrameWanted:
    """The stream cannot be repaired, or a subscription waits for a picture to start at."""

    stream: int


@dataclass(frozen=True, slots=True)
class LinkSwitched:
    """From this packet on the link shows the stream that ``switch`` named."""

    link: int
    stream: int


EngineEvent = Datagram | RtcpArrived | StreamActive | KeyFrameWanted | LinkSwitched


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """An inbound stream. SSRCs not named are learnt by mid (and rid) extension, or by a payload type only it has."""

    kind: Kind
    mid: str
    codec: Codec
    extensions: Extensions
    ssrcs: tuple[int, ...] = ()
    rtx_ssrcs: tuple[int, ...] = ()
    rid: str | None = None  # the one layer that is taken where the peer names layers


@dataclass(frozen=True, slots=True)
class LinkConfig:
    """An outgoing stream to one peer: the subscriber's own SSRC, payload types, extension ids, mid."""

    kind: Kind
    mid: str
    codecs: tuple[Codec, ...]
    extensions: Extensions
    ssrc: int
    rtx_ssrc: int | None


@dataclass(frozen=True, slots=True)
class Reception:
    """What a receiver report needs (RFC 3550 section 6.4.1) and the end of what came."""

    ssrc: int
    highest: int
    expected: int
    received: int
    jitter: int
    bytes: int
    last_arrival: float


@dataclass(frozen=True, slots=True)
class Sending:
    """What a sender report needs, and the link's place in its source's clock.

    ``started``: as much of ``stream`` flows as is wanted; False while it waits for a key frame, and while paused.
    """

    ssrc: int
    packets: int
    octets: int
    stream: int | None
    timestamp_offset: int
    started: bool


class Detail(IntEnum):
    """How much of a video stream a link gets."""

    NOTHING = 0  # the numbering stands still and goes on without a gap
    STILLS = 1  # key frames only
    ALL = 2


@dataclass(frozen=True, slots=True)
class Loudness:
    """Audio levels (RFC 6464) of a stream since it was last asked: levels are -dBov, 0 loud to 127 silent."""

    packets: int
    voiced: int  # with the V bit
    loudest: int
    level_sum: int


@dataclass(frozen=True, slots=True)
class PeerCounters:
    received_packets: int
    received_bytes: int
    sent_packets: int
    sent_bytes: int
    retransmitted: int
    refused: int  # SRTP said no
    queued: int = 0  # bytes that wait for the pacer now
    dropped: int = 0  # packets the pacer gave up
    probed: int = 0  # bytes sent only to learn what the line carries


PAUSE = 2.0  # seconds without a packet after which a stream counts as paused


class Engine(Protocol):
    """See the module's text. Unknown handles are ignored: teardown and packets cross each other."""

    native: bool
    garbage: int  # datagrams that meant nothing, since the start

    def attach(self, port: Port) -> int: ...
    def detach(self, port: int) -> None: ...
    def port_kind(self, port: int) -> str: ...

    def add_peer(self, peer: int) -> None: ...
    def set_keys(self, peer: int, keys: SrtpKeys) -> None: ...
    def add_path(self, peer: int, path: Path) -> None:
        """Packets from ``path`` are the peer's."""
        ...

    def drop_path(self, path: Path) -> None: ...
    def select_path(self, peer: int, path: Path) -> None:
        """Packets to the peer go there."""
        ...

    def remove_peer(self, peer: int) -> None: ...

    def add_stream(self, stream: int, peer: int, config: StreamConfig) -> None: ...
    def remove_stream(self, stream: int) -> None: ...
    def tap(self, stream: int, sink: TrackSink | None) -> None: ...

    def add_link(self, link: int, peer: int, config: LinkConfig) -> None: ...
    def switch(self, link: int, stream: int | None, *, keep: bool = False, delta: int | None = None) -> bool:
        """Shows ``stream`` on ``link`` from its next key frame on; False when the link lacks its codec.

        ``keep``: what is shown goes on until then (layers of one picture). ``delta``: added to the new stream's
        timestamps gives the old stream's clock (32 bit, from sender reports); None: the gap is taken from arrivals.
        ``LinkSwitched`` tells when it happened. VP8 picture ids and TL0PICIDX go on without a jump (RFC 7741).
        """
        ...

    def set_detail(self, link: int, detail: Detail) -> None:
        """Video only. Back to ALL begins at the next key frame. Dropped packets leave no gap in the numbers."""
        ...

    def set_redundancy(self, link: int, distance: int) -> None:
        """Audio: each packet repeats the ``distance`` (0..2) before it, as RED (RFC 2198), where the link's codecs
        hold "audio/red"; 0 sends plain Opus again. Without that codec nothing changes."""
        ...

    def pace(self, peer: int, bits_per_second: float | None) -> None:
        """Video to the peer leaves no faster than this, a burst of 5 ms apart; audio and repairs overtake. None: at
        once. A picture that would begin more than half a second late is dropped with all up to the next key frame,
        which is asked for when it would not have to wait too; what has begun leaves whole, unless it takes 2 s.
        A still may wait four seconds (on a line for sound only it takes that long)."""
        ...

    def pump(self, now: float) -> float | None:
        """Lets out what is due; the time of the next, None when nothing waits. Also called by ``service``."""
        ...

    def probe(self, link: int, size: int, now: float) -> int:
        """Sends about ``size`` bytes of the link's newest packets again as RTX, for an estimator; bytes sent (0 where
        the link has no RTX). Up to 255 bytes, or when all is forgotten, it is RTX of 255 bytes of padding each
        (RFC 3550 section 5.1), which receivers drop: a thin line is better told by several small packets."""
        ...

    def receive(self, data: bytes, path: Path, now: float) -> list[EngineEvent]:
        """One datagram. Call ``flush`` when the burst is over."""
        ...

    def service(self, port: int, now: float) -> list[EngineEvent]:
        """Everything that waits at the port (bounded, so that timers get their turn)."""
        ...

    def flush(self) -> None:
        """Sends what was forwarded since, one burst per peer."""
        ...

    def send(self, path: Path, data: bytes) -> None:
        """Plain bytes: STUN and DTLS."""
        ...

    def send_rtcp(self, peer: int, data: bytes) -> None: ...
    def resend(self, link: int, sequences: Sequence[int], now: float) -> int:
        """Answers a NACK, within bounds; packets sent. Where no RTX was negotiated, video only, the very same bytes."""
        ...

    def missing(self, stream: int, now: float) -> list[int]:
        """16-bit numbers to NACK now."""
        ...

    def arrivals(self, peer: int) -> list[tuple[int, float]]:
        """(extended transport-wide sequence, arrival) since the last call, ascending."""
        ...

    def departures(self, peer: int) -> list[tuple[int, float, int]]:
        """(extended transport-wide sequence, time sent, bytes of UDP payload) since the last call, ascending; only
        for peers with a link that negotiated transport-cc. Bounded: the oldest are forgotten."""
        ...

    def loudness(self, stream: int) -> Loudness | None: ...
    def reception(self, stream: int) -> Reception | None: ...
    def sending(self, link: int) -> Sending | None: ...
    def counters(self, peer: int) -> PeerCounters | None: ...
