"""The answer to an offer: ICE-lite, DTLS passive, one bundle, an m-line for each of the offer's (RFC 8829 section
5.3.1).
"""

from __future__ import annotations

from dataclasses import dataclass

from media.parameters import (
    Candidate,
    Fingerprint,
    IceCredentials,
    SlotParameters,
    TransportAnswer,
    TransportParameters,
)
from signaling.sdp.codecs import EGRESS, INGRESS, answer_fmtp, payloads, red_of, rtx_of, taken
from signaling.sdp.model import Description, MediaSection, Payload, SdpError, Ssrc, SsrcGroup
from signaling.sdp.simulcast import answered, layers

FEEDBACK_IN = ("nack", "nack pli", "ccm fir", "transport-cc")
"""Publisher leg: without transport-cc feedback the estimate never rises (webrtc-notes, trap 3)."""
FEEDBACK_OUT = ("nack", "nack pli", "ccm fir", "transport-cc", "goog-remb")
"""Subscriber leg: transport-cc for our own estimator; who does not offer it answers with REMB."""
AUDIO_FEEDBACK = ("transport-cc",)
"""Both legs: a line that carries sound only is measured too."""
CNAME = "tongtang"
"""RFC 7022: one per sending endpoint; the node sends everything on one clock."""
FINGERPRINTS = ("sha-256", "sha-384", "sha-512")


@dataclass(frozen=True, slots=True)
class Accepted:
    """One m-line of the offer that we take: with ``slot`` we send on it, without we receive."""

    media: MediaSection
    mid: str
    slot: SlotParameters | None = None
    stream: str = ""
    """MediaStream id of a slot: Chromium keeps sound and picture of one stream in step."""


def transport_parameters(offer: Description, used: list[MediaSection]) -> TransportParameters:
    """What the peer said of its side, checked: BUNDLE and rtcp-mux on every m-line used, actpass or active."""
    if any(not media.rtcp_mux for media in used):
        raise SdpError("sdp_mux")
    if len(used) > 1 and any(media.mid not in offer.bundle for media in used):
        raise SdpError("sdp_bundle")
    first = used[0]
    if first.setup not in ("actpass", "active"):
        raise SdpError("sdp_setup", str(first.setup))
    if not first.ice_ufrag or not first.ice_pwd or len(first.ice_ufrag) < 4 or len(first.ice_pwd) < 22:
        raise SdpError("sdp_ice")  # RFC 8839 section 5.4: at least 4 and 22 characters
    prints = tuple(Fingerprint(*one) for one in first.fingerprints if one[0] in FINGERPRINTS and ":" in one[1])
    if not prints:
        raise SdpError("sdp_fingerprint")
    _one_id_per_uri(used)
    return TransportParameters(IceCredentials(first.ice_ufrag, first.ice_pwd), prints)


def _one_id_per_uri(used: list[MediaSection]) -> None:
    """RFC 8843 section 9.2: within a bundle an id means one URI."""
    seen: dict[int, str] = {}
    for media in used:
        for one in media.extmaps:
            if seen.setdefault(one.id, one.uri) != one.uri:
                raise SdpError("sdp_extmap", str(one.id))


def describe(offer: Description, accepted: dict[int, Accepted], ours: TransportAnswer, session_id: int) -> Description:
    """``accepted`` by index of the offer's m-line; those not in it are rejected with port 0."""
    media: list[MediaSection] = []
    for index, section in enumerate(offer.media):
        one = accepted.get(index)
        # Candidates are of mux category TRANSPORT (RFC 8859): they stand in the tagged m-line only, the bundle's first
        # (RFC 9143 section 7.1.3). Browsers and GStreamer look there; credentials stand everywhere: aiortc wants them.
        first = not any(earlier.port for earlier in media)
        media.append(_take(one, ours, first) if one else _reject(section))
    return Description(
        media=tuple(media),
        session_id=session_id,
        version=session_id,
        bundle=tuple(one.mid for _, one in sorted(accepted.items())),
        ice_lite=True,
        extmap_allow_mixed=offer.extmap_allow_mixed,
    )


def _reject(section: MediaSection) -> MediaSection:
    # RFC 3264 section 6: port 0, same formats
    return MediaSection(section.kind, 0, section.protocol, section.formats, mid=section.mid, direction="inactive")


def _take(one: Accepted, ours: TransportAnswer, first: bool) -> MediaSection:
    chosen = payloads(one.media)
    if one.slot is None:
        chosen = chosen[:1]  # one codec leaves the sender no choice
    listed = _listed(one, chosen)
    wanted = EGRESS if one.slot else INGRESS
    sources = _sources(one.slot, one.stream) if one.slot else ((), ())
    rids, simulcast = answered(() if one.slot else layers(one.media, chosen[0]))
    return MediaSection(
        kind=one.media.kind,
        port=9,
        protocol=one.media.protocol,
        formats=tuple(str(payload.payload_type) for payload in listed),
        mid=one.mid,
        direction="sendonly" if one.slot else "recvonly",
        payloads=listed,
        extmaps=taken(one.media.extmaps, wanted),
        ice_ufrag=ours.ice.ufrag,
        ice_pwd=ours.ice.pwd,
        fingerprints=((ours.fingerprint.algorithm, ours.fingerprint.value),),
        setup="passive",  # RFC 5763 section 5: WHIP and WHEP servers answer passive
        rtcp_mux=True,
        rtcp_rsize=one.media.kind == "video",
        msid=f"{one.stream} {one.mid}" if one.slot else None,
        ssrc_groups=sources[0],
        ssrcs=sources[1],
        rids=rids,
        simulcast=simulcast,
        candidates=tuple(candidate_line(candidate) for candidate in ours.candidates) if first else (),
        end_of_candidates=first,
    )


def _listed(one: Accepted, chosen: list[Payload]) -> tuple[Payload, ...]:
    listed: list[Payload] = []
    for payload in chosen:
        video = FEEDBACK_OUT if one.slot else FEEDBACK_IN
        feedback = AUDIO_FEEDBACK if one.media.kind == "audio" else video
        kept = tuple(line for line in feedback if line in payload.feedback)
        listed.append(
            Payload(
                payload.payload_type, payload.name, payload.clock_rate, payload.channels, answer_fmtp(payload), kept
            )
        )
        rtx = rtx_of(one.media, payload) if one.media.kind == "video" else None
        if rtx:
            listed.append(Payload(rtx.payload_type, "rtx", 90000, 1, f"apt={payload.payload_type}"))
        # Publishers send plain Opus: RED is made here, for those listeners whose line loses packets.
        red = red_of(one.media, payload) if one.slot and one.media.kind == "audio" else None
        if red:
            listed.append(Payload(red.payload_type, "red", 48000, 2, red.fmtp))
    return tuple(listed)


def _sources(slot: SlotParameters, stream: str) -> tuple[tuple[SsrcGroup, ...], tuple[Ssrc, ...]]:
    """The primary SSRC before the RTX one: the other way round Chromium shows nothing (webrtc-notes, trap 1)."""
    attributes = (("cname", CNAME), ("msid", f"{stream} {slot.mid}"))
    primary = Ssrc(slot.ssrc, attributes)
    if slot.rtx_ssrc is None:
        return (), (primary,)
    return (SsrcGroup("FID", (slot.ssrc, slot.rtx_ssrc)),), (primary, Ssrc(slot.rtx_ssrc, attributes))


def candidate_line(one: Candidate) -> str:
    tail = " tcptype passive" if one.protocol == "tcp" else ""  # RFC 6544 section 4.5
    return f"{one.foundation} 1 {one.protocol} {one.priority} {one.address} {one.port} typ host{tail}"
