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


# --- one numbering over changing sources -----------------------------------------------------------------------------

SHIFT = st.builds(vp8.Shift, st.integers(0, 0x7FFF), st.integers(0, 255))
WRITTEN = st.builds(
    lambda start, picture, tl0, tid: bytes(VpxPayloadDescriptor(start, 0, picture, tl0, tid, None)) + b"frame",
    st.integers(0, 1),
    st.one_of(st.none(), st.integers(0, 0x7FFF)),
    st.one_of(st.none(), st.integers(0, 255)),
    st.one_of(st.none(), st.just((0, 1))),
)


@given(WRITTEN, SHIFT)
def test_only_the_two_numbers_change(payload: bytes, shift: vp8.Shift) -> None:
    made, before = vp8.renumbered(payload, shift), vp8.parse_descriptor(payload)
    after = vp8.parse_descriptor(made)
    assert len(made) == len(payload)
    if before.picture_id is not None:
        width = (1 << before.picture_id_bits) - 1
        assert (after.picture_id, after.picture_id_bits) == (
            before.picture_id + shift.picture & width,
            before.picture_id_bits,
        )
    if before.tl0_index is not None:
        assert after.tl0_index == before.tl0_index + shift.tl0 & 255
    back = vp8.Shift(-shift.picture & 0x7FFF, -shift.tl0 & 0xFF)
    assert vp8.renumbered(made, back) == payload


@given(WRITTEN, st.one_of(st.none(), SHIFT), WRITTEN)
def test_numbers_go_on_behind_the_last_ones(last: bytes, shifted: vp8.Shift | None, first: bytes) -> None:
    shift = vp8.shift_behind(last, shifted, first)
    sent = vp8.parse_descriptor(vp8.renumbered(last, shifted) if shifted else last)
    goes_on = vp8.parse_descriptor(vp8.renumbered(first, shift) if shift else first)
    if sent.picture_id is not None and goes_on.picture_id is not None:
        width = (1 << goes_on.picture_id_bits) - 1
        assert goes_on.picture_id == sent.picture_id + 1 & width
    if sent.tl0_index is not None and goes_on.tl0_index is not None:
        assert goes_on.tl0_index == sent.tl0_index + 1 & 255


@given(st.binary(max_size=12), SHIFT, st.binary(max_size=12))
def test_noise_is_renumbered_to_noise_of_the_same_length(noise: bytes, shift: vp8.Shift, other: bytes) -> None:
    assert len(vp8.renumbered(noise, shift)) == len(noise)
    vp8.shift_behind(noise, shift, other)
