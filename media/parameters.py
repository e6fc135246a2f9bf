"""The contract between signaling and media: frozen values, no behaviour.

Vocabulary (ORTC, mediasoup): a *Router* is one room's packets (id = lesson id). A *Transport* is one peer connection's
secure path. A *Track* is one published stream. A *Slot* is one m-line of a receiving transport: what it shows is
routing, never SDP. ``signaling/negotiation.py`` makes these from an offer; ``media/sfu.py`` acts on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["audio", "video"]
Source = Literal["camera", "mic", "screen", "screen-audio"]
Quality = Literal["high", "mid", "low", "stills", "off"]


@dataclass(frozen=True, slots=True)
class IceCredentials:
    """RFC 8445 section 5.3. We are ICE-lite (section 2.5); the peer controls."""

    ufrag: str
    pwd: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """One host candidate of ours (RFC 8839 section 5.1); ``tcp`` means passive ICE-TCP (RFC 6544)."""

    protocol: Literal["udp", "tcp"]
    address: str
    port: int
    priority: int
    foundation: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """RFC 8122: ``algorithm`` as in SDP ("sha-256"), ``value`` upper-case hex pairs with colons."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class TransportParameters:
    """What the peer said of its side. The server is always DTLS server (a=setup:passive).

    ``line``: receivers with the same name share one line to the outside (the rooms of a school) and so one budget;
    ``line_rate``: bit/s that somebody once measured it to bring in.
    """

    ice: IceCredentials
    fingerprints: tuple[Fingerprint, ...]
    line: str | None = None
    line_rate: float | None = None


@dataclass(frozen=True, slots=True)
class TransportAnswer:
    """What our side answers with; the same for every transport but for ``ice``."""

    ice: IceCredentials
    fingerprint: Fingerprint
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Codec:
    """One negotiated payload type. ``mime``: "audio/opus", "video/H264", "video/VP8"; ``rtx`` its RTX payload type."""

    mime: str
    payload_type: int
    clock_rate: int
    channels: int = 1
    fmtp: str = ""
    rtx: int | None = None


@dataclass(frozen=True, slots=True)
class Extensions:
    """RTP header extension ids (RFC 8285) of one transport; None where not negotiated. Ids are per BUNDLE."""

    mid: int | None = None
    rid: int | None = None
    repaired_rid: int | None = None
    audio_level: int | None = None
    abs_send_time: int | None = None
    transport_cc: int | None = None


@dataclass(frozen=True, slots=True)
class TrackParameters:
    """One m-line on which the peer sends. ``ssrcs``: the primary SSRCs the offer named (empty: learnt by mid).

    ``deaf``: it may not hear requests for key frames (cameras, hardware encoders), so its last one is kept for joiners.
    """

    mid: str
    kind: Kind
    source: Source
    codec: Codec
    extensions: Extensions
    ssrcs: tuple[int, ...] = ()
    rtx_ssrcs: tuple[int, ...] = ()
    rids: tuple[str, ...] = ()
    deaf: bool = False


@dataclass(frozen=True, slots=True)
class SlotParameters:
    """One m-line on which the peer receives. We choose the SSRCs; ``codecs`` is what it can take, best first.

    A track is forwarded into a slot only if the slot has its codec (same mime; H264 needs the same packetization mode).
    """

    mid: str
    kind: Kind
    codecs: tuple[Codec, ...]
    extensions: Extensions
    ssrc: int
    rtx_ssrc: int | None


# --- events: what Sfu.events() drains --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TransportConnected:
    """ICE nominated and DTLS done with the promised fingerprint. ``path`` is "udp" or "tcp"."""

    router: str
    transport: str
    path: str


@dataclass(frozen=True, slots=True)
class TransportLost:
    """``reason``: "silence" (no STUN for 10 s), "closed" (DTLS close_notify), "fingerprint", "dtls"."""

    router: str
    transport: str
    reason: str


@dataclass(frozen=True, slots=True)
class TrackActive:
    """First packet of a track came, or came again after a pause (``active`` False: nothing for 2 s)."""

    router: str
    transport: str
    track: str
    active: bool


@dataclass(frozen=True, slots=True)
class SlotQuality:
    """What a video slot gets from now on: a layer, a picture every few seconds, or nothing ("off": the line carries
    sound only). Said when it changes; a slot that shows no track says nothing."""

    router: str
    transport: str
    mid: str
    quality: Quality


@dataclass(frozen=True, slots=True)
class LayersWanted:
    """Somebody takes these layers of the track, in the order of its rids; the publisher should pause the others
    (encodings[].active). Empty: nobody looks at all. Only for tracks with rids."""

    router: str
    transport: str
    track: str
    rids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AudioBudget:
    """How the publisher should send this sound from now on: its worst listener's line is thin (20 ms packets of
    32 kbit/s are 60 kbit/s on the wire), or no longer is."""

    router: str
    transport: str
    track: str
    bitrate: int
    ptime_ms: int


@dataclass(frozen=True, slots=True)
class Speaking:
    """Somebody speaks into this track, or has stopped: by audio levels (RFC 6464), with hysteresis."""

    router: str
    transport: str
    track: str
    on: bool


MediaEvent = TransportConnected | TransportLost | TrackActive | SlotQuality | LayersWanted | AudioBudget | Speaking


# --- statistics: what Sfu.stats(router) returns ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlotStats:
    """What one slot shows. ``rid``: the layer, None where the track has none or nothing is sent yet."""

    mid: str
    kind: Kind
    track: str | None
    rid: str | None
    quality: Quality


@dataclass(frozen=True, slots=True)
class TransportStats:
    """Cumulative counters of one transport; ``loss`` is the newest the peer reported (0..1), ``rtt_ms`` from RTCP.

    ``estimate`` is what its line is believed to carry (bit/s; None: nothing known yet), ``queued`` the bytes that wait
    for the pacer; ``jitter_ms`` the worst of its slots by its own reports. ``up_loss``, ``up_jitter_ms``: of what it
    sends, as we count it, the worst of its streams (None: it sends nothing).
    """

    transport: str
    path: str
    received_bytes: int
    sent_bytes: int
    received_packets: int
    sent_packets: int
    rtt_ms: float | None
    loss: float
    nacks_received: int
    retransmitted: int
    key_frames_requested: int
    tracks: tuple[str, ...] = field(default=())
    jitter_ms: float | None = None
    estimate: int | None = None
    queued: int = 0
    slots: tuple[SlotStats, ...] = ()
    up_loss: float | None = None
    up_jitter_ms: float | None = None
