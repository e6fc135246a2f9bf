"""Answers to real offers, line by line where it matters."""

from __future__ import annotations

import pytest

from media.parameters import Candidate, Fingerprint, IceCredentials, TransportAnswer
from signaling.negotiation import guess_sources, plan_pub, plan_sub
from signaling.sdp.answer import describe
from signaling.sdp.model import Description, SdpError
from signaling.sdp.parse import parse
from signaling.sdp.write import write
from tests.support.offers import NAMES, offer, without

OURS = TransportAnswer(
    IceCredentials("ours", "p" * 24),
    Fingerprint("sha-256", "AA:BB"),
    (
        Candidate("udp", "192.0.2.1", 8002, 2130706431, "u0"),
        Candidate("tcp", "192.0.2.1", 8002, 1671430143, "t0"),
    ),
)


def answer_pub(name: str, sources: dict[str, str]) -> tuple[Description, str]:
    plan = plan_pub(offer(name), sources, "teacher", "T", None)  # type: ignore[arg-type]
    text = write(describe(plan.offer, plan.accepted, OURS, 7))
    return parse(text), text


def answer_sub(name: str, role: str = "class") -> tuple[Description, str]:
    plan = plan_sub(offer(name), role, 1000, None)  # type: ignore[arg-type]
    text = write(describe(plan.offer, plan.accepted, OURS, 7))
    return parse(text), text


def test_publishing() -> None:
    found, text = answer_pub("chromium-pub", {"0": "mic", "1": "camera"})
    audio, video = found.media
    assert found.ice_lite and found.bundle == ("0", "1")
    assert audio.direction == video.direction == "recvonly" and audio.setup == video.setup == "passive"
    assert [one.name for one in video.payloads] == ["H264", "rtx"]
    assert video.payloads[0].feedback == ("nack", "nack pli", "ccm fir", "transport-cc")
    assert [one.name for one in audio.payloads] == ["opus"] and audio.payloads[0].feedback == ("transport-cc",)
    assert "a=candidate:t0 1 tcp 1671430143 192.0.2.1 8002 typ host tcptype passive\r\n" in text
    assert not video.candidates and audio.candidates and audio.ice_ufrag == video.ice_ufrag == "ours"
    assert "simulcast" not in text and "a=ssrc" not in text


@pytest.mark.parametrize("name", NAMES)
def test_candidates_stand_in_the_tagged_line_and_nowhere_else(name: str) -> None:
    """RFC 9143 section 7.1.3: the first of the answer's bundle, whatever is rejected before it."""
    if any(media.sends for media in parse(offer(name)).media):
        plan = plan_pub(offer(name), guess_sources(offer(name)), "teacher", "T", None)
    else:
        plan = plan_sub(offer(name), "class", 1000, None)
    found = describe(plan.offer, plan.accepted, OURS, 7)
    with_candidates = [media.mid for media in found.media if media.candidates]
    assert with_candidates == [found.bundle[0]]
    assert [media.mid for media in found.media if media.end_of_candidates] == with_candidates
    taken = [media for media in found.media if media.port]
    assert {media.mid for media in taken} == set(found.bundle)
    assert {(media.ice_ufrag, media.ice_pwd, media.setup) for media in taken} == {("ours", "p" * 24, "passive")}


def test_receiving() -> None:
    found, _ = answer_sub("chromium-sub")
    assert [media.direction for media in found.media] == ["sendonly"] * 9
    first_video = found.media[3]
    names = [one.name for one in first_video.payloads]
    assert names == ["H264", "rtx", "H264", "rtx", "VP8", "rtx"]
    assert {"goog-remb", "transport-cc"} <= set(first_video.payloads[0].feedback)
    audio = found.media[0]
    assert [(one.name, one.fmtp) for one in audio.payloads][1:] == [("red", "111/111")]
    assert audio.payloads[0].feedback == ("transport-cc",)
    assert audio.payloads[0].parameter("useinbandfec") == "1" and audio.payloads[0].parameter("usedtx") == "0"
    assert all(any("transport-wide-cc" in one.uri for one in media.extmaps) for media in found.media)
    primary, rtx = first_video.ssrcs
    assert first_video.ssrc_groups[0].ssrcs == (primary.ssrc, rtx.ssrc)  # trap 1
    ssrcs = [one.ssrc for media in found.media for one in media.ssrcs]
    assert len(set(ssrcs)) == len(ssrcs) == 3 + 2 * 6
    streams = [(media.msid or "").split(" ")[0] for media in found.media]
    assert streams[0] == streams[3] == "stage" and len(set(streams)) == 8


def test_firefox_publishes() -> None:
    """Fingerprint for the whole session, formats told after their parameters, SSRCs named before their group."""
    found, _ = answer_pub("firefox-pub", {"0": "mic", "1": "camera"})
    audio, video = found.media
    assert [(one.name, one.payload_type) for one in video.payloads] == [("H264", 126), ("rtx", 127)]
    assert video.payloads[0].parameter("packetization-mode") == "1" and "transport-cc" in video.payloads[0].feedback
    assert [one.payload_type for one in audio.payloads] == [109] and audio.payloads[0].feedback == ()
    plan = plan_pub(offer("firefox-pub"), {"0": "mic", "1": "camera"}, "teacher", "T", None)
    camera, mic = plan.tracks["1"][1], plan.tracks["0"][1]
    assert (camera.ssrcs, camera.rtx_ssrcs, mic.ssrcs) == ((3104587299,), (947261538,), (1735920461,))
    assert camera.extensions.transport_cc == 7 and mic.extensions.transport_cc is None, (
        "none for sound, and not made up"
    )
    assert plan.parameters.fingerprints[0].value.startswith("5A:11")


def test_firefox_receives() -> None:
    found, text = answer_sub("firefox-sub", "watch")
    audio, video = found.media
    assert [one.name for one in audio.payloads] == ["opus"], "it offers no RED and gets none"
    assert {(one.name, one.payload_type) for one in video.payloads} >= {("H264", 126), ("VP8", 120)}
    offered = {one.id: one.uri for media in parse(offer("firefox-sub")).media for one in media.extmaps}
    assert all(offered[one.id] == one.uri for media in found.media for one in media.extmaps)
    assert "playout-delay" not in text and "csrc-audio-level" not in text
    assert video.ssrc_groups and audio.ssrcs and video.direction == audio.direction == "sendonly"


def test_the_teacher_gets_no_stream_in_step() -> None:
    found, _ = answer_sub("chromium-sub", "teacher")
    assert len({(media.msid or "").split(" ")[0] for media in found.media}) == 9


def test_what_is_not_taken_is_rejected_in_place() -> None:
    plan = plan_pub(offer("chromium-sendrecv-data"), {"1": "camera"}, "class", "T", None)
    found = describe(plan.offer, plan.accepted, OURS, 7)
    assert [media.port for media in found.media] == [0, 9, 0]
    assert found.bundle == ("1",) and found.media[1].candidates
    assert [media.kind for media in found.media] == [media.kind for media in plan.offer.media]


def test_watch_slots_are_bounded_by_role() -> None:
    plan = plan_sub(offer("chromium-sendrecv-data"), "watch", 0, None)
    assert len(plan.accepted) == 2
    with pytest.raises(SdpError) as caught:
        plan_sub(offer("chromium-sub"), "assistant", 0, None)
    assert caught.value.code == "sdp_empty"


@pytest.mark.parametrize(
    ("missing", "code"),
    [
        (("a=ice-ufrag",), "sdp_ice"),
        (("a=ice-pwd",), "sdp_ice"),
        (("a=fingerprint",), "sdp_fingerprint"),
        (("a=setup",), "sdp_setup"),
        (("a=rtcp-mux",), "sdp_mux"),
        (("a=group",), "sdp_bundle"),
        (("a=rtpmap:111",), "sdp_audio"),
    ],
)
def test_an_offer_without_what_we_need(missing: tuple[str, ...], code: str) -> None:
    sdp = without(offer("chromium-pub"), *missing)
    with pytest.raises(SdpError) as caught:
        plan_pub(sdp, {"0": "mic", "1": "camera"}, "teacher", "T", None)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("a=setup:actpass", "a=setup:passive", "sdp_setup"),
        ("a=fingerprint:sha-256", "a=fingerprint:sha-1", "sdp_fingerprint"),
        ("H264/90000", "H265/90000", "sdp_video"),
        (
            "a=extmap:14 urn:ietf:params:rtp-hdrext:toffset",
            "a=extmap:4 urn:ietf:params:rtp-hdrext:toffset",
            "sdp_extmap",
        ),
    ],
)
def test_an_offer_with_what_we_cannot_use(old: str, new: str, code: str) -> None:
    sdp = offer("chromium-pub")
    assert old in sdp
    bent = sdp.replace(old, new).replace("VP8/90000", "VP7/90000") if code == "sdp_video" else sdp.replace(old, new)
    with pytest.raises(SdpError) as caught:
        plan_pub(bent, {"0": "mic", "1": "camera"}, "teacher", "T", None)
    assert caught.value.code == code
