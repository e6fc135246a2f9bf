"""Any text gives a description or an SdpError; real offers give what stands in them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signaling.sdp.model import SdpError
from signaling.sdp.parse import parse
from signaling.sdp.write import write
from tests.support.offers import NAMES, offer


def test_a_chromium_offer() -> None:
    found = parse(offer("chromium-pub"))
    audio, video = found.media
    assert found.bundle == ("0", "1") and (audio.mid, video.mid) == ("0", "1")
    assert audio.sends and not audio.receives and audio.setup == "actpass" and audio.rtcp_mux
    assert audio.payloads[0].name == "opus" and audio.payloads[0].channels == 2
    assert audio.payloads[0].parameter("useinbandfec") == "1"
    h264 = next(one for one in video.payloads if one.name == "H264")
    assert h264.parameter("packetization-mode") == "1" and "nack pli" in h264.feedback
    group = video.ssrc_groups[0]
    assert group.semantics == "FID" and [one.ssrc for one in video.ssrcs] == list(group.ssrcs)
    assert any(one.uri.endswith("sdes:mid") for one in video.extmaps)


def test_simulcast_is_seen() -> None:
    (video,) = parse(offer("chromium-simulcast")).media
    assert [(rid.id, rid.direction) for rid in video.rids] == [("q", "send"), ("h", "send"), ("f", "send")]
    assert video.simulcast == "send q;h;f"


def test_what_stands_for_the_session_holds_for_each_medium() -> None:
    text = (
        "v=0\r\no=- 1 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=ice-ufrag:abcd\r\na=ice-pwd:" + "p" * 22 + "\r\n"
        "a=fingerprint:SHA-256 aa:bb\r\na=setup:active\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 0\r\nm=video 0 UDP/TLS/RTP/SAVPF 1\r\n"
    )
    audio, video = parse(text).media
    assert audio.ice_ufrag == video.ice_ufrag == "abcd" and audio.fingerprints == (("sha-256", "AA:BB"),)
    assert audio.setup == "active" and audio.direction == "sendrecv"
    assert not video.sends and not video.receives


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("", "sdp_malformed"),
        ("hello", "sdp_malformed"),
        ("v=0\nxyz", "sdp_malformed"),
        ("v=0\nm=audio 9", "sdp_malformed"),
        ("v=0\nm=audio x UDP 0", "sdp_malformed"),
        ("v=0\nm=audio 9 UDP 0\na=rtpmap:300 x/1", "sdp_malformed"),
        ("v=0\nm=audio 9 UDP 0\na=rtpmap:0 x", "sdp_malformed"),
        ("v=0\nm=audio 9 UDP 0\na=ssrc:99999999999 cname:x", "sdp_malformed"),
        ("v=0\nm=audio 9 UDP 0\na=extmap:1", "sdp_malformed"),
        ("v=0\nm=audio 9 UDP 0\na=mid:a b", "sdp_malformed"),
        ("v=0\nm=audio 9 UDP 0\na=mid:1\nm=video 9 UDP 0\na=mid:1", "sdp_malformed"),
        ("v=0\nm=audio 9 UDP 0\na=ice-ufrag:a\tb", "sdp_ice"),
        ("v=0\n" + "m=audio 9 UDP 0\n" * 65, "sdp_malformed"),
        ("v=0\nm=audio 9 UDP ٣\na=rtpmap:٣ x/1", "sdp_malformed"),
    ],
)
def test_errors_have_codes(line: str, code: str) -> None:
    with pytest.raises(SdpError) as caught:
        parse(line)
    assert caught.value.code == code


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30)
@given(data=st.data())
def test_bent_offers_never_break_it(name: str, data: st.DataObject) -> None:
    lines = offer(name).splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        cut = data.draw(st.integers(0, len(line)))
        what = data.draw(st.sampled_from(("cut", "drop", "twice", "noise")))
        lines[at : at + 1] = {
            "cut": [line[:cut]],
            "drop": [],
            "twice": [line, line],
            "noise": [line[:cut] + data.draw(st.text(max_size=8)) + line[cut:]],
        }[what] or ["s=-"]
    try:
        description = parse("\r\n".join(lines))
    except SdpError:
        return
    assert parse(write(description)) == description


@given(st.text(max_size=400))
def test_noise_never_breaks_it(text: str) -> None:
    with pytest.raises(SdpError):
        parse(text)
