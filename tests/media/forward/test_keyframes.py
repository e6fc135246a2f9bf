from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from hypothesis import given
from hypothesis import strategies as st

from media.forward.keyframes import KeyFrameRequests, starts_key_frame


def frame(number: int) -> av.VideoFrame:
    made = av.VideoFrame.from_ndarray(np.full((96, 128, 3), number * 8 % 256, np.uint8), format="rgb24")
    made.pts, made.time_base = number * 3000, Fraction(1, 90000)
    return made


@pytest.mark.parametrize(("mime", "encoder"), [("video/VP8", Vp8Encoder), ("video/H264", H264Encoder)])
def test_real_encoders_key_frames_are_seen(mime: str, encoder: type) -> None:
    made = encoder()
    starts = []
    for number in range(12):
        payloads, _ = made.encode(frame(number), force_keyframe=number in (0, 6))
        starts.append([starts_key_frame(mime, p) for p in payloads])
    assert [any(s) for s in starts] == [number in (0, 6) for number in range(12)]
    assert starts[0][0] and starts[6][0], "the first packet of the picture"


@pytest.mark.parametrize(
    ("mime", "payload", "is_start"),
    [
        ("video/VP8", "100000009d012a", True),
        ("video/VP8", "9080123400", True),  # 7-bit picture id? no: 15 bits
        ("video/VP8", "90f0812305e000", True),  # picture id, TL0PICIDX, TID
        ("video/VP8", "1001", False),  # an inter picture
        ("video/VP8", "0000", False),  # not the start of a partition
        ("video/VP8", "1100", False),  # partition 1
        ("video/H264", "6742e01f", True),  # SPS
        ("video/H264", "65b8", True),  # IDR
        ("video/H264", "41e0", False),
        ("video/H264", "68ce", False),  # PPS alone
        ("video/H264", "7800046742e01f000268ce", True),  # STAP-A with an SPS
        ("video/H264", "7c85b8", True),  # first fragment of an IDR
        ("video/H264", "7c05b8", False),  # a later one
        ("audio/opus", "fc", True),
        ("video/H264", "", False),
        ("video/VP8", "", False),
    ],
)
def test_starts(mime: str, payload: str, is_start: bool) -> None:
    assert starts_key_frame(mime, bytes.fromhex(payload)) is is_start


@given(st.binary(max_size=60), st.sampled_from(["video/VP8", "video/H264"]))
def test_noise_never_raises(payload: bytes, mime: str) -> None:
    assert starts_key_frame(mime, payload) in (True, False)


def test_ten_viewers_cost_one_request() -> None:
    requests = KeyFrameRequests()
    sent = []
    for step in range(100):
        now = step / 100
        if step < 10:
            requests.ask()
        if requests.due(now):
            sent.append(now)
    assert sent == [0.0, 0.5], "one at once, and one for those who asked after it"
    assert requests.sent == 2
