"""Which payload types of an offer we take: Opus, and RED around it where we send; H.264 constrained baseline with
packetization-mode 1, then VP8.

Everything else is left out of the answer, so that one stored set of media plays everywhere (design section 5).
"""

from __future__ import annotations

from media.parameters import Codec, Extensions
from signaling.sdp.model import ExtMap, MediaSection, Payload, SdpError

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"

# video-orientation is left out on purpose: Chromium then turns the picture before encoding (webrtc-notes, trap 16).
INGRESS = {
    MID: "mid",
    RID: "rid",
    REPAIRED_RID: "repaired_rid",
    AUDIO_LEVEL: "audio_level",
    ABS_SEND_TIME: "abs_send_time",
    TRANSPORT_CC: "transport_cc",
}
EGRESS = {MID: "mid", ABS_SEND_TIME: "abs_send_time", TRANSPORT_CC: "transport_cc"}
"""Who takes transport-cc sends the arrivals of every packet, who does not sends REMB, reckoned from abs-send-time
(webrtc-notes, trap 4)."""

ONE_BYTE_IDS = range(1, 15)
"""We write one-byte header extensions only (RFC 8285 section 4.2)."""


def _is_h264(payload: Payload) -> bool:
    """Baseline in the wide sense (RFC 6184 table 5: profile_idc 42); browsers that say 42001f send constrained
    baseline.
    """
    profile = (payload.parameter("profile-level-id") or "420010").lower()
    mode = payload.parameter("packetization-mode") or "0"
    return payload.name.upper() == "H264" and mode == "1" and profile.startswith("42")


def _constrained(payload: Payload) -> bool:
    return (payload.parameter("profile-level-id") or "").lower().startswith("42e0")


def video_payloads(media: MediaSection) -> list[Payload]:
    """Best first: constrained baseline, other baseline, VP8."""
    h264 = sorted((one for one in media.payloads if _is_h264(one)), key=lambda one: not _constrained(one))
    return h264 + [one for one in media.payloads if one.name.upper() == "VP8" and one.clock_rate == 90000]


def audio_payloads(media: MediaSection) -> list[Payload]:
    return [one for one in media.payloads if one.name.lower() == "opus" and one.clock_rate == 48000]


def red_of(media: MediaSection, payload: Payload) -> Payload | None:
    """RFC 2198 section 5: the redundancy payload whose every block is of this Opus ("111/111")."""
    for one in media.payloads:
        blocks = one.fmtp.replace(" ", "").split("/")
        fits = (one.name.lower(), one.clock_rate, one.channels) == ("red", 48000, 2)
        if fits and len(blocks) > 1 and set(blocks) == {str(payload.payload_type)}:
            return one
    return None


def payloads(media: MediaSection) -> list[Payload]:
    found = audio_payloads(media) if media.kind == "audio" else video_payloads(media)
    if not found:
        raise SdpError("sdp_audio" if media.kind == "audio" else "sdp_video", media.mid or "")
    return found


def rtx_of(media: MediaSection, payload: Payload) -> Payload | None:
    """RFC 4588 section 8.6: the rtx payload whose apt is this one."""
    apt = str(payload.payload_type)
    return next((one for one in media.payloads if one.name.lower() == "rtx" and one.parameter("apt") == apt), None)


def codec(media: MediaSection, payload: Payload) -> Codec:
    rtx = rtx_of(media, payload) if media.kind == "video" else None
    name = {"OPUS": "audio/opus", "RED": "audio/red", "H264": "video/H264", "VP8": "video/VP8"}[payload.name.upper()]
    return Codec(
        name,
        payload.payload_type,
        payload.clock_rate,
        payload.channels,
        answer_fmtp(payload),
        rtx.payload_type if rtx else None,
    )


def answer_fmtp(payload: Payload) -> str:
    name = payload.name.upper()
    if name == "OPUS":
        # RFC 7587 section 6.1: FEC covers what NACK cannot in time; with DTX a silence would look like a broken line
        return "minptime=10;useinbandfec=1;usedtx=0"
    if name == "H264":
        profile = (payload.parameter("profile-level-id") or "42e01f").lower()
        return f"level-asymmetry-allowed=1;packetization-mode=1;profile-level-id={profile}"
    return payload.fmtp


def taken(offered: tuple[ExtMap, ...], wanted: dict[str, str]) -> tuple[ExtMap, ...]:
    """The offer's ids of the extensions we understand, each URI once."""
    found: dict[str, ExtMap] = {}
    for one in offered:
        if one.uri in wanted and one.id in ONE_BYTE_IDS:
            found.setdefault(one.uri, ExtMap(one.id, one.uri))
    return tuple(found.values())


def extensions(maps: tuple[ExtMap, ...], wanted: dict[str, str]) -> Extensions:
    return Extensions(**{wanted[one.uri]: one.id for one in maps})
