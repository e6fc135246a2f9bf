"""VP8 descriptors (RFC 7741) and frame headers: golden bytes, another implementation's packets, and noise."""

from __future__ import annotations

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from media.errors import PeerError
from media.wire import vp8

KEY = bytes.fromhex("10 02 00 9d 01 2a 40 01 b4 00".replace(" ", ""))


@given(
    start=st.booleans(),
    partition=st.integers(0, 7),
    picture=st.one_of(st.none(), st.integers(0, 0x7FFF)),
    tl0=st.one_of(st.none(), st.integers(0, 255)),
    tid=st.one_of(st.none(), st.tuples(st.integers(0, 3), st.integers(0, 1))),
)
def test_reads_what_another_implementation_writes(
    start: bool, partition: int, picture: int | None, tl0: int | None, tid: tuple[int, int] | None
) -> None:
    written = VpxPayloadDescriptor(int(start), partition, picture, tl0, tid, None)
    read = vp8.parse_descriptor(bytes(written) + b"frame")
    assert read.start == (start and partition == 0)
    assert read.picture_id == picture
    assert read.tl0_index == tl0
    assert read.temporal == (tid[0] if tid else None)
    assert (bytes(written) + b"frame")[read.payload_at :] == b"frame"
    if picture is not None:
        width = read.picture_id_bits // 8 + 1
        raw = int.from_bytes(bytes(written)[read.picture_id_at : read.picture_id_at + width], "big")
        assert raw & ((1 << read.picture_id_bits) - 1) == picture


@given(st.binary(max_size=12))
def test_noise_is_refused_cleanly(data: bytes) -> None:
    try:
        read = vp8.parse_descriptor(data)
    except PeerError:
        return
    assert 0 < read.payload_at < len(data)


@given(st.binary(max_size=40))
def test_asking_for_a_key_frame_never_raises(data: bytes) -> None:
    assert vp8.starts_key_frame(data) in (True, False)


def test_key_frame_and_its_size() -> None:
    assert vp8.is_key_frame(KEY) and not vp8.is_key_frame(b"\x11") and not vp8.is_key_frame(b"")
    assert vp8.key_frame_size(KEY) == (320, 180)
    assert vp8.starts_key_frame(b"\x10" + KEY)
    assert not vp8.starts_key_frame(b"\x00" + KEY)  # not the frame's first packet
    assert not vp8.starts_key_frame(b"\x10\x11" + KEY)


@pytest.mark.parametrize("frame", [b"", KEY[:9], KEY[:3] + b"\0\0\0" + KEY[6:]])
def test_a_key_frame_without_its_start_code_is_refused(frame: bytes) -> None:
    with pytest.raises(PeerError):
        vp8.key_frame_size(frame)
