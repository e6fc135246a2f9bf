from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.parameters import Extensions
from media.wire import rtp
from media.wire.extensions import ONE_BYTE, TWO_BYTE, Layout, abs_send_time, build, elements

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


def written(made: Layout, level: bytes, stamp: bytes, wide: bytes) -> bytes:
    packet = bytearray(made.size + 5)
    a, b, c, d = made.fixed
    made.pack_into(packet, 5, made.first, 0x80 | 96, 7, 8, 9, a, level, b, stamp, c, wide, d)
    return bytes(packet[5:])


NUMBERS = st.permutations([*range(1, 20), 200, None, None]).map(lambda ids: ids[:4])


@given(NUMBERS, st.booleans())
def test_a_layout_writes_what_was_negotiated(ids: list[int | None], with_level: bool) -> None:
    mid, level, stamp, wide = ids
    extensions = Extensions(mid=mid, audio_level=level, abs_send_time=stamp, transport_cc=wide)
    packet = written(Layout(extensions, "12", with_level), b"\x85", b"abc", b"de")
    head = rtp.parse(packet)
    assert (head.payload_type, head.marker, head.sequence, head.timestamp, head.ssrc) == (96, True, 7, 8, 9)
    block = elements(packet, head.profile, head.extension_at, head.extension_end)
    wanted = {mid: b"12", level if with_level else None: b"\x85", stamp: b"abc", wide: b"de"}
    assert {i: packet[at : at + n] for i, at, n in block} == {i: v for i, v in wanted.items() if i is not None}
    assert head.payload_at == len(packet)


def test_what_was_not_negotiated_costs_nothing() -> None:
    made = Layout(Extensions(), "0", audio_level=True)
    assert (made.size, made.first, made.transport_cc) == (12, 0x80, False)


def test_abs_send_time_is_6_18() -> None:
    assert abs_send_time(1.5) == 0x060000
    assert abs_send_time(64.0) == 0
