"""Transport-wide feedback has golden bytes and a reader of its own: no library at hand reads it right (trap 2)."""

from __future__ import annotations

import pytest
from aiortc.rtp import RtcpPacket, RtcpPsfbPacket, RtcpRtpfbPacket, pack_remb_fci
from hypothesis import given
from hypothesis import strategies as st

from media.wire import feedback, rtcp


def only(data: bytes) -> rtcp.Packet:
    (packet,) = rtcp.split(data)
    return packet


@given(st.integers(0, 0xFFFF), st.sets(st.integers(0, 300), min_size=1, max_size=60))
def test_nack_round_trip(base: int, distances: set[int]) -> None:
    lost = [(base + d) & 0xFFFF for d in sorted(distances)]
    packet = only(feedback.build_nack(1, 2, lost))
    assert (packet.type, packet.count) == (rtcp.RTPFB, feedback.NACK)
    assert feedback.nacked(packet) == lost
    assert feedback.media_ssrc(packet) == 2


def test_nack_is_what_aiortc_reads() -> None:
    (read,) = RtcpPacket.parse(feedback.build_nack(1, 2, [65534, 65535, 0, 20]))
    assert isinstance(read, RtcpRtpfbPacket)
    assert (read.ssrc, read.media_ssrc) == (1, 2)
    assert [s & 0xFFFF for s in read.lost] == [65534, 65535, 0, 20], "aiortc forgets to wrap"


def test_pli_and_fir() -> None:
    assert feedback.key_frames_wanted(only(feedback.build_pli(1, 77))) == [77]
    fir = RtcpPsfbPacket(fmt=4, ssrc=1, media_ssrc=0, fci=bytes.fromhex("0000004d010000000000004e02000000"))
    assert feedback.key_frames_wanted(only(bytes(fir))) == [77, 78]


def test_remb() -> None:
    packet = only(bytes(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=pack_remb_fci(4160000, [2529072847]))))
    assert feedback.remb(packet) == 4160000
    assert feedback.remb(only(feedback.build_pli(1, 2))) is None
    assert feedback.key_frames_wanted(packet) == []


def test_transport_cc_golden() -> None:
    """Three arrivals, one lost between, one late: written out by hand from section 3.1 of the draft."""
    arrivals = [(100, 6.400), (102, 6.41), (103, 6.405)]
    made = feedback.build_transport_cc(1, 2, 9, arrivals)
    assert made.hex() == (
        "afcd0006"  # P, format 15; seven words
        "0000000100000002"
        "00640004"  # base 100, four statuses
        "00006409"  # reference 100 * 64 ms, feedback 9
        "d180"  # two-bit vector: small, lost, small, large
        "0028ffec"  # deltas 0, 40, -20 (250 us)
        "0002"  # padding
    )


@given(
    st.integers(0, 1 << 20),
    st.lists(st.tuples(st.integers(1, 40), st.floats(-0.2, 0.4, allow_nan=False)), min_size=1, max_size=80),
    st.floats(1, 1e6),
)
def test_transport_cc_round_trip(base: int, steps: list[tuple[int, float]], start: float) -> None:
    sequence, at, arrivals = base, start, [(base, start)]
    for jump, wait in steps:
        sequence, at = sequence + jump, at + wait
        arrivals.append((sequence, at))
    packet = only(feedback.build_transport_cc(1, 2, 0, arrivals))
    read = feedback.transport_cc(packet)
    assert [s for s, _ in read] == [s & 0xFFFF for s in range(base, sequence + 1)]
    got = {s: t for s, t in read if t is not None}
    assert len(got) == len({s & 0xFFFF for s, _ in arrivals})
    first = got[base & 0xFFFF]
    for s, t in arrivals:
        assert got[s & 0xFFFF] - first == pytest.approx(t - start, abs=0.0006)


@given(st.binary(max_size=120), st.integers(0, 31), st.sampled_from([205, 206]))
def test_noise_never_raises(body: bytes, count: int, kind: int) -> None:
    packet = only(rtcp.build(kind, count, body + bytes(-len(body) % 4)))
    assert len(feedback.transport_cc(packet)) <= 0xFFFF
    feedback.nacked(packet)
    feedback.remb(packet)
    feedback.key_frames_wanted(packet)
    assert feedback.media_ssrc(packet) <= 0xFFFFFFFF
