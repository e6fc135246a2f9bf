"""An offer and a seat become media calls and an answer. Pure: SDP in, ``Plan`` out.

Rule: clients always offer, the node always answers; what a slot shows is routing and never an SDP exchange.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from media.parameters import Kind, SlotParameters, Source, TrackParameters, TransportParameters
from signaling.messages import AudioBudget, Layers
from signaling.sdp.answer import Accepted, transport_parameters
from signaling.sdp.codecs import EGRESS, INGRESS, codec, extensions, payloads, red_of, taken
from signaling.sdp.model import Description, MediaSection, SdpError
from signaling.sdp.parse import parse
from signaling.sdp.simulcast import layers
from signaling.seats import Role

Pc = Literal["pub", "sub"]

SOURCES: dict[Role, frozenset[Source]] = {
    "teacher": frozenset({"camera", "mic", "screen", "screen-audio"}),
    "class": frozenset({"camera", "mic"}),
    "encoder": frozenset({"camera", "mic", "screen", "screen-audio"}),
}
"""What a role may publish; roles not listed publish nothing."""

SLOTS: dict[Role, tuple[int, int]] = {"teacher": (3, 8), "class": (3, 6), "watch": (3, 6), "inspector": (3, 6)}
"""Audio and video m-lines of a role's receiving connection; those beyond are rejected."""

WHIP_SOURCES: dict[str, tuple[Source, ...]] = {"video": ("camera", "screen"), "audio": ("mic", "screen-audio")}
"""RFC 9725 offers do not say what they send: the first picture is the camera."""

AUDIO_SOURCES: frozenset[Source] = frozenset({"mic", "screen-audio"})


@dataclass(slots=True)
class Leg:
    """One of a participant's two peer connections, as the node knows it."""

    pc: Pc
    transport: str
    resource: str | None
    """Of WHIP / WHEP; None when it was offered over the participant's WebSocket."""
    parameters: TransportParameters
    connected: bool = False
    path: str = ""
    tracks: dict[str, tuple[str, TrackParameters]] = field(default_factory=dict)
    """mid -> (track id, parameters) of what is published."""
    slots: dict[str, SlotParameters] = field(default_factory=dict)
    shown: dict[str, str | None] = field(default_factory=dict)
    """mid -> track id that is routed there."""
    advice: dict[tuple[str, Source], Layers | AudioBudget] = field(default_factory=dict)
    """(type of message, source) -> what the publisher was last told to send."""

    def source_of(self, track: str) -> Source | None:
        return next((parameters.source for name, parameters in self.tracks.values() if name == track), None)


@dataclass(frozen=True, slots=True)
class Plan:
    kind: Literal["new", "ice", "same"]
    parameters: TransportParameters
    tracks: dict[str, tuple[str, TrackParameters]]
    publish: tuple[tuple[str, TrackParameters], ...]
    unpublish: tuple[str, ...]
    slots: dict[str, SlotParameters]
    new_slots: tuple[SlotParameters, ...]
    offer: Description
    accepted: dict[int, Accepted]


def guess_sources(sdp: str) -> dict[str, Source]:
    """For WHIP: mid -> source by the order of m-lines."""
    left = {kind: list(sources) for kind, sources in WHIP_SOURCES.items()}
    found: dict[str, Source] = {}
    for media in parse(sdp).media:
        if media.sends and media.mid is not None and left.get(media.kind):
            found[media.mid] = left[media.kind].pop(0)
    return found


def plan_pub(sdp: str, sources: dict[str, Source], role: Role, transport: str, leg: Leg | None) -> Plan:
    """``leg`` is the participant's present publishing connection, ``transport`` the id of a new one should it be
    another.
    """
    offer = parse(sdp)
    _check_sources(offer, sources, role)
    used = {index: media for index, media in enumerate(offer.media) if media.mid in sources}
    if not used:
        raise SdpError("sdp_empty")
    parameters = transport_parameters(offer, list(used.values()))
    kind = _kind(parameters, leg)
    prefix = transport if leg is None or kind == "new" else leg.transport
    tracks = {
        _mid(media): (f"{prefix}/{sources[_mid(media)]}", _track(media, sources[_mid(media)], role))
        for media in used.values()
    }
    before = dict(leg.tracks) if leg and kind != "new" else {}
    gone = tuple(track for mid, (track, held) in before.items() if tracks.get(mid, ("", None))[1] != held)
    fresh = tuple(pair for mid, pair in tracks.items() if before.get(mid, ("", None))[1] != pair[1])
    accepted = {index: Accepted(media, _mid(media)) for index, media in used.items()}
    return Plan(kind, parameters, tracks, fresh, gone, {}, (), offer, accepted)


def _check_sources(offer: Description, sources: dict[str, Source], role: Role) -> None:
    sending = {media.mid: media for media in offer.media if media.sends}
    if len(set(sources.values())) != len(sources):
        raise SdpError("sdp_sources", "twice")
    for mid, source in sources.items():
        media = sending.get(mid)
        wanted = "audio" if source in AUDIO_SOURCES else "video"
        if media is None or media.kind != wanted or source not in SOURCES.get(role, frozenset()):
            raise SdpError("sdp_sources", mid)


def plan_sub(sdp: str, role: Role, ssrc_base: int, leg: Leg | None) -> Plan:
    """``ssrc_base`` leaves room for two SSRCs an m-line; slots known already keep theirs."""
    offer = parse(sdp)
    used = _slot_lines(offer, SLOTS.get(role, (0, 0)))
    if not used:
        raise SdpError("sdp_empty")
    parameters = transport_parameters(offer, list(used.values()))
    kind = _kind(parameters, leg)
    before = dict(leg.slots) if leg and kind != "new" else {}
    slots: dict[str, SlotParameters] = {}
    accepted: dict[int, Accepted] = {}
    seen = {"audio": 0, "video": 0}
    for index, media in used.items():
        mid = _mid(media)
        slots[mid] = before.get(mid) or _slot(media, ssrc_base + 2 * index)
        # The first sound and the first picture of an audience are the teacher's: one stream, so that lips fit.
        stream = "stage" if role != "teacher" and not seen[media.kind] else f"slot-{mid}"
        accepted[index] = Accepted(media, mid, slots[mid], stream)
        seen[media.kind] += 1
    fresh = tuple(slot for mid, slot in slots.items() if mid not in before)
    return Plan(kind, parameters, {}, (), (), slots, fresh, offer, accepted)


def _slot_lines(offer: Description, limits: tuple[int, int]) -> dict[int, MediaSection]:
    left = {"audio": limits[0], "video": limits[1]}
    used: dict[int, MediaSection] = {}
    for index, media in enumerate(offer.media):
        if media.receives and left.get(media.kind, 0) > 0:
            left[media.kind] -= 1
            used[index] = media
    return used


def _mid(media: MediaSection) -> str:
    if media.mid is None:
        raise SdpError("sdp_bundle", "no mid")
    return media.mid


def _kind(parameters: TransportParameters, leg: Leg | None) -> Literal["new", "ice", "same"]:
    """Same certificate: the same peer connection; other ICE credentials then mean an ICE restart (RFC 8839 section
    4.4).
    """
    if leg is None or not set(leg.parameters.fingerprints) & set(parameters.fingerprints):
        return "new"
    return "same" if leg.parameters.ice == parameters.ice else "ice"


def _track(media: MediaSection, source: Source, role: Role) -> TrackParameters:
    kind: Kind = "audio" if media.kind == "audio" else "video"
    payload = payloads(media)[0]
    rtx = {
        group.ssrcs[1]: group.ssrcs[0]
        for group in media.ssrc_groups
        if group.semantics == "FID" and len(group.ssrcs) == 2
    }
    primary = tuple(one.ssrc for one in media.ssrcs if one.ssrc not in rtx)
    found = extensions(taken(media.extmaps, INGRESS), INGRESS)
    if rids := layers(media, payload):
        primary, rtx = (), {}  # layers are told apart by rid; an SSRC named here would be one of them
    deaf = role == "encoder" and kind == "video"
    return TrackParameters(_mid(media), kind, source, codec(media, payload), found, primary, tuple(rtx), rids, deaf)


def _slot(media: MediaSection, ssrc: int) -> SlotParameters:
    kind: Kind = "audio" if media.kind == "audio" else "video"
    found_payloads = payloads(media)
    if media.kind == "audio" and (red := red_of(media, found_payloads[0])):
        found_payloads = [*found_payloads, red]
    codecs = tuple(codec(media, payload) for payload in found_payloads)
    found = extensions(taken(media.extmaps, EGRESS), EGRESS)
    repaired = any(one.rtx is not None for one in codecs)
    return SlotParameters(_mid(media), kind, codecs, found, ssrc, ssrc + 1 if repaired else None)


def adopt(leg: Leg, plan: Plan) -> Leg:
    """The leg after the plan was carried out."""
    return replace(leg, parameters=plan.parameters, tracks=plan.tracks, slots=plan.slots)
