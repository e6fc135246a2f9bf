from __future__ import annotations

import pytest
from aiortc.rtp import HeaderExtensionsMap, RtpPacket
from hypothesis import given
from hypothesis import strategies as st

from media.errors import PeerError
from media.wire import extensions, rtp

# Chromium's first picture packet of a call: one-byte extensions abs-send-time, transport-cc, mid.
GOLDEN = bytes.fromhex(
    "90e01a2b00011170deadbeef"  # head: extension, marker, type 96
    "bede0003"
    "22a1b2c3"
    "310007"
    "4031"
    "000000"
    "9080"
)


def test_golden_header() -> None:
    head = rtp.parse(GOLDEN)
    assert (head.marker, head.payload_type, head.sequence) == (True, 96, 0x1A2B)
    assert (head.timestamp, head.ssrc) == (70000, 0xDEADBEEF)
    found = {
        i: GOLDEN[at : at + n]
        for i, at, n in extensions.elements(GOLDEN, head.profile, head.extension_at, head.extension_end)
    }
    assert found == {2: bytes.fromhex("a1b2c3"), 3: bytes.fromhex("0007"), 4: b"1"}
    assert GOLDEN[head.payload_at : head.payload_end] == bytes.fromhex("9080")


def test_csrcs_and_padding_are_left_out() -> None:
    packet = bytes.fromhex("a26000010000000200000003000000040000000555660003")[:-1] + b"\x03"
    head = rtp.parse(packet)
    assert packet[head.payload_at : head.payload_end] == b"\x55"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        "80600001000000020000",  # short
        "406000010000000200000003",  # version 1
        "906000010000000200000003",  # extension bit, no extension
        "906000010000000200000003bede0002aabbccdd",  # extension longer than the packet
        "8f6000010000000200000003",  # 15 CSRCs, none there
        "a06000010000000200000003aa09",  # padding longer than the payload
    ],
)
def test_contradictions_are_peer_errors(broken: str) -> None:
    with pytest.raises(PeerError):
        rtp.parse(bytes.fromhex(broken))


@given(
    st.integers(0, 127),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.integers(0, 0xFFFFFFFF),
    st.binary(max_size=50),
    st.booleans(),
)
def test_built_packets_are_what_aiortc_reads(
    payload_type: int, sequence: int, timestamp: int, ssrc: int, payload: bytes, marker: bool
) -> None:
    made = rtp.build(payload_type, sequence, timestamp, ssrc, payload, marker, extensions.build([(1, b"x")]))
    read = RtpPacket.parse(made, HeaderExtensionsMap())
    assert (read.payload_type, read.sequence_number, read.timestamp, read.ssrc, read.marker) == (
        payload_type,
        sequence,
        timestamp,
        ssrc,
        int(marker),
    )
    assert read.payload == payload
    head = rtp.parse(made)
    assert made[head.payload_at : head.payload_end] == payload


@given(st.binary(max_size=80))
def test_noise_is_a_peer_error_or_inside_the_packet(data: bytes) -> None:
    try:
        head = rtp.parse(data)
    except PeerError:
        return
    assert 12 <= head.payload_at <= head.payload_end <= len(data)
