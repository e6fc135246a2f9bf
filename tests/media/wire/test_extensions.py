from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.parameters import Extensions
from media.wire.extensions import ONE_BYTE, TWO_BYTE, abs_send_time, build, elements, layout

IDS = st.integers(1, 14)
ONE = st.dictionaries(IDS, st.binary(min_size=1, max_size=16), max_size=6)
TWO = st.dictionaries(st.integers(1, 255), st.binary(max_size=40), max_size=6)


def read(block: bytes) -> dict[int, bytes]:
    profile = int.from_bytes(block[:2], "big")
    return {i: block[at : at + n] for i, at, n in elements(block, profile, 4, len(block))}


@given(ONE)
def test_one_byte_round_trip(values: dict[int, bytes]) -> None:
    block = build(list(values.items()))
    if values:
        assert int.from_bytes(block[:2], "big") == ONE_BYTE
        assert len(block) == 4 + 4 * int.from_bytes(block[2:4], "big")
        assert read(block) == values
    else:
        assert block == b""


@given(TWO)
def test_two_byte_round_trip(values: dict[int, bytes]) -> None:
    block = build(list(values.items()))
    if values:
        assert read(block) == values


@given(st.binary(max_size=60), st.sampled_from([ONE_BYTE, TWO_BYTE, TWO_BYTE | 5, 0x1234]))
def test_noise_stays_inside(block: bytes, profile: int) -> None:
    for _, at, size in elements(block, profile, 0, len(block)):
        assert at + size <= len(block)


def test_id_15_ends_a_one_byte_block() -> None:
    assert list(elements(bytes.fromhex("1011f0102211"), ONE_BYTE, 0, 6)) == [(1, 1, 1)]


def test_a_layout_says_where_its_values_stand() -> None:
    extensions = Extensions(mid=4, audio_level=1, abs_send_time=2, transport_cc=3)
    made = layout(extensions, "12", audio_level=True)
    packet = bytearray(12) + made.block
    packet[made.audio_level_at] = 0x85
    packet[made.abs_send_time_at : made.abs_send_time_at + 3] = b"abc"
    packet[made.transport_cc_at : made.transport_cc_at + 2] = b"de"
    assert read(bytes(packet[12:])) == {4: b"12", 1: b"\x85", 2: b"abc", 3: b"de"}
    assert made.header_size % 4 == 0


def test_what_was_not_negotiated_is_not_sent() -> None:
    made = layout(Extensions(), "0", audio_level=True)
    assert (made.block, made.audio_level_at, made.abs_send_time_at, made.transport_cc_at) == (b"", 0, 0, 0)
    only = layout(Extensions(audio_level=1, mid=15), "0", audio_level=False)
    assert read(only.block) == {15: b"0"}, "an id above 14 needs the two-byte form"


def test_abs_send_time_is_6_18() -> None:
    assert abs_send_time(1.5) == 0x060000
    assert abs_send_time(64.0) == 0
