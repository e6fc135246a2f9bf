"""H.264 payloads (RFC 6184) and parameter sets: golden bytes, a real encoder's units, and noise."""

from __future__ import annotations

import base64
import fractions

import av
import numpy as np
import pytest
from aiortc.codecs.h264 import H264Encoder
from hypothesis import given
from hypothesis import strategies as st

from media.errors import PeerError
from media.wire import h264


def encoded(width: int, height: int) -> list[bytes]:
    """RTP payloads of one key frame of a real encoder."""
    image = np.random.default_rng(1).integers(0, 255, (height, width, 3), dtype=np.uint8)
    frame = av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")
    frame.pts, frame.time_base = 0, fractions.Fraction(1, 90_000)
    payloads: list[bytes] = H264Encoder().encode(frame, True)[0]
    return payloads


def assemble(payloads: list[bytes]) -> h264.Assembler:
    assembler = h264.Assembler([])
    for payload in payloads:
        assembler.push(payload)
    return assembler


@pytest.mark.parametrize("size", [(320, 180), (640, 360), (176, 144), (1280, 720), (202, 98)])
def test_a_real_key_frame(size: tuple[int, int]) -> None:
    payloads = encoded(*size)
    assert h264.starts_key_frame(payloads[0])
    assembler = assemble(payloads)
    assert assembler.whole and h264.starts_at_first_block(assembler.units)
    sets = h264.collect(assembler.units)
    assert sets is not None
    assert sets.size() == size
    assert sets.codec.startswith("avc1.42") and len(sets.codec) == 11
    text = ",".join(base64.b64encode(unit).decode() for unit in (*sets.sps, *sets.pps))
    assert h264.from_fmtp(f"packetization-mode=1; sprop-parameter-sets={text}") == sets


def test_a_frame_without_its_first_packets_is_not_whole() -> None:
    payloads = encoded(1280, 720)
    assert len(payloads) > 10
    with pytest.raises(PeerError):
        assemble(payloads[3:])
    assert not assemble(payloads[:5]).whole


def test_a_picture_without_its_first_slice() -> None:
    first, second = bytes([0x65, 0x88]), bytes([0x65, 0x40])
    assert h264.starts_at_first_block([first, second])
    assert not h264.starts_at_first_block([second])
    assert h264.starts_at_first_block([bytes([0x67, 0x42])])


def test_aggregates_and_fragments() -> None:
    assembler = assemble([bytes([24, 0, 2, 0x67, 1, 0, 3, 0x68, 2, 3]), bytes([0x7C, 0x85, 9]), bytes([0x7C, 0x45, 8])])
    assert assembler.units == [b"\x67\x01", b"\x68\x02\x03", b"\x65\x09\x08"]


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes([24, 0]),
        bytes([24, 0, 0]),
        bytes([24, 0, 9, 1]),
        bytes([28]),
        bytes([28, 5, 1]),
        bytes([25, 1, 2]),
        b"\0",
    ],
)
def test_contradictions_are_refused(payload: bytes) -> None:
    with pytest.raises(PeerError):
        assemble([payload])


@given(st.lists(st.binary(max_size=30), max_size=6))
def test_noise_is_refused_cleanly(payloads: list[bytes]) -> None:
    try:
        assembler = assemble(payloads)
    except PeerError:
        return
    assert all(assembler.units)


@given(st.binary(max_size=60))
def test_noise_in_an_sps_is_refused_cleanly(data: bytes) -> None:
    try:
        width, height = h264.picture_size(b"\x67\x64\x00\x1f" + data)
    except PeerError:
        return
    assert 0 < width <= h264.MAX_DIMENSION and 0 < height <= h264.MAX_DIMENSION


@given(st.binary(max_size=20))
def test_asking_for_a_key_frame_never_raises(data: bytes) -> None:
    assert h264.starts_key_frame(data) in (True, False)


@pytest.mark.parametrize(
    "fmtp", ["", "sprop-parameter-sets=", "sprop-parameter-sets=!!", "sprop-parameter-sets=Z0I=", "x=y"]
)
def test_no_usable_sets_in_fmtp(fmtp: str) -> None:
    assert h264.from_fmtp(fmtp) is None
