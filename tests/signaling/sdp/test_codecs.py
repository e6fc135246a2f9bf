"""Which payload types are taken, and in which order."""

from __future__ import annotations

import pytest

from signaling.sdp.codecs import (
    EGRESS,
    INGRESS,
    TRANSPORT_CC,
    codec,
    extensions,
    payloads,
    red_of,
    rtx_of,
    taken,
)
from signaling.sdp.model import ExtMap, MediaSection, Payload, SdpError
from signaling.sdp.parse import parse
from tests.support.offers import offer


def video(name: str) -> MediaSection:
    return next(media for media in parse(offer(name)).media if media.kind == "video")


def test_constrained_baseline_first_then_vp8() -> None:
    found = payloads(video("chromium-sub"))
    names = [(one.name, one.parameter("profile-level-id")) for one in found]
    assert names == [("H264", "42e01f"), ("H264", "42001f"), ("VP8", None)]
    assert all(one.parameter("packetization-mode") == "1" for one in found[:2])


def test_aiortc_too() -> None:
    assert [one.name for one in payloads(video("aiortc-sub"))] == ["H264", "H264", "VP8"]


def test_opus_only() -> None:
    audio = parse(offer("chromium-pub")).media[0]
    assert [one.name for one in payloads(audio)] == ["opus"]
    found = codec(audio, payloads(audio)[0])
    assert (found.mime, found.clock_rate, found.channels, found.rtx) == ("audio/opus", 48000, 2, None)


@pytest.mark.parametrize(("fmtp", "found"), [("111/111", True), ("111/111/111", True), ("111/0", False), ("", False)])
def test_red_around_the_opus_we_take(fmtp: str, found: bool) -> None:
    opus, red = Payload(111, "opus", 48000, 2), Payload(63, "red", 48000, 2, fmtp)
    media = MediaSection("audio", 9, "UDP/TLS/RTP/SAVPF", ("111", "63"), payloads=(opus, red))
    assert (red_of(media, opus) == red) is found
    assert codec(media, red).mime == "audio/red"


def test_rtx_belongs_to_its_payload() -> None:
    media = video("chromium-pub")
    for payload in payloads(media):
        rtx = rtx_of(media, payload)
        assert rtx is not None and rtx.parameter("apt") == str(payload.payload_type)


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_nothing_we_know(kind: str) -> None:
    media = MediaSection(kind, 9, "UDP/TLS/RTP/SAVPF", ("0",), payloads=(Payload(0, "PCMU", 8000),))
    with pytest.raises(SdpError) as caught:
        payloads(media)
    assert caught.value.code == f"sdp_{kind}"


def test_extensions_keep_the_offers_ids() -> None:
    media = video("chromium-pub")
    maps = taken(media.extmaps, INGRESS)
    ids = {one.uri: one.id for one in media.extmaps}
    assert all(ids[one.uri] == one.id for one in maps)
    found = extensions(maps, INGRESS)
    assert found.mid and found.transport_cc and found.abs_send_time and found.rid and found.repaired_rid
    # Trap 16: video-orientation is not taken, so that Chromium turns the picture itself.
    assert not any("orientation" in one.uri for one in maps)
    to_a_viewer = extensions(taken(media.extmaps, EGRESS), EGRESS)
    assert to_a_viewer.transport_cc == ids[TRANSPORT_CC] and to_a_viewer.rid is None


def test_ids_that_need_two_bytes_are_left_out() -> None:
    maps = (ExtMap(15, next(iter(EGRESS))), ExtMap(200, "urn:ietf:params:rtp-hdrext:ssrc-audio-level"))
    assert taken(maps, INGRESS) == ()
