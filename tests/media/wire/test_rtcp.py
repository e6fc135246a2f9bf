from __future__ import annotations

from aiortc.rtp import RtcpByePacket, RtcpPacket, RtcpReceiverInfo, RtcpRrPacket, RtcpSenderInfo, RtcpSrPacket
from hypothesis import given
from hypothesis import strategies as st

from media.wire import rtcp

U32 = st.integers(0, 0xFFFFFFFF)
BLOCKS = st.lists(
    st.builds(rtcp.ReportBlock, U32, st.integers(0, 255), st.integers(-0x800000, 0x7FFFFF), U32, U32, U32, U32),
    max_size=5,
).map(tuple)


@given(U32, st.integers(0, (1 << 64) - 1), U32, U32, U32, BLOCKS)
def test_sender_report_round_trip(
    ssrc: int, ntp: int, timestamp: int, packets: int, octets: int, blocks: tuple[rtcp.ReportBlock, ...]
) -> None:
    report = rtcp.SenderReport(ssrc, ntp, timestamp, packets, octets, blocks)
    (packet,) = rtcp.split(rtcp.build_sender_report(report))
    assert rtcp.sender_report(packet) == report


@given(U32, BLOCKS)
def test_receiver_report_round_trip(ssrc: int, blocks: tuple[rtcp.ReportBlock, ...]) -> None:
    report = rtcp.ReceiverReport(ssrc, blocks)
    (packet,) = rtcp.split(rtcp.build_receiver_report(report))
    assert rtcp.receiver_report(packet) == report


def test_a_compound_is_what_aiortc_reads() -> None:
    block = rtcp.ReportBlock(7, 25, 3, 70000, 11, 0x12345678, 65536)
    made = rtcp.build_sender_report(rtcp.SenderReport(9, 1 << 40, 90000, 5, 600, (block,))) + rtcp.build_cname(
        9, "同堂"
    )
    sr, sdes = RtcpPacket.parse(made)
    assert sr == RtcpSrPacket(
        9,
        RtcpSenderInfo(1 << 40, 90000, 5, 600),
        [RtcpReceiverInfo(7, 25, 3, 70000, 11, 0x12345678, 65536)],
    )
    assert sdes.chunks[0].ssrc == 9
    assert sdes.chunks[0].items == [(1, "同堂".encode())]


def test_what_aiortc_builds_is_read() -> None:
    made = bytes(RtcpRrPacket(ssrc=3, reports=[])) + bytes(RtcpByePacket(sources=[4, 5]))
    rr, bye = rtcp.split(made)
    assert rtcp.receiver_report(rr) == rtcp.ReceiverReport(3)
    assert (bye.type, bye.count, bye.body) == (203, 2, bytes.fromhex("0000000400000005"))


def test_one_bad_packet_does_not_take_its_neighbours() -> None:
    """Trap 2: a feedback message of odd size in the middle."""
    good = rtcp.build_receiver_report(rtcp.ReceiverReport(1))
    odd = bytes.fromhex("af cd 0002 00000001 0000 0003".replace(" ", ""))  # padded, three bytes of padding
    kinds = [p.type for p in rtcp.split(good + odd + good)]
    assert kinds == [rtcp.RR, rtcp.RTPFB, rtcp.RR]


@given(U32, BLOCKS)
def test_what_an_idle_browser_sends_is_told_from_everything_else(
    ssrc: int, blocks: tuple[rtcp.ReportBlock, ...]
) -> None:
    report, name = rtcp.build_receiver_report(rtcp.ReceiverReport(ssrc, blocks)), rtcp.build_cname(ssrc, "room")
    assert rtcp.only_receives(report + name)
    sender = rtcp.build_sender_report(rtcp.SenderReport(ssrc, 1, 2, 3, 4, blocks))
    for other in (report, name, sender + name, report + name + report, (report + name)[:-1], name + report, b""):
        assert not rtcp.only_receives(other)


def test_padding_is_cut_off_and_a_cut_end_ends_it() -> None:
    packets = list(rtcp.split(bytes.fromhex("a1cd00020000000100000004") + bytes.fromhex("80c9000900")))
    assert [p.body for p in packets] == [bytes.fromhex("00000001")]


@given(st.binary(max_size=200))
def test_noise_never_raises(data: bytes) -> None:
    rtcp.only_receives(data)
    for packet in rtcp.split(data):
        rtcp.sender_report(packet)
        rtcp.receiver_report(packet)
        assert len(packet.body) <= len(data)


@given(st.integers(0, 31), st.binary(max_size=120), st.sampled_from([200, 201, 202, 203, 205, 206]))
def test_noise_behind_a_valid_head(count: int, body: bytes, kind: int) -> None:
    body += bytes(-len(body) % 4)
    (packet,) = rtcp.split(rtcp.build(kind, count, body))
    sender, receiver = rtcp.sender_report(packet), rtcp.receiver_report(packet)
    assert len((sender or receiver or rtcp.ReceiverReport(0)).blocks) <= count


def test_ntp() -> None:
    ntp = rtcp.to_ntp(1234.5)
    assert ntp == 1234 << 32 | 1 << 31
    assert rtcp.from_ntp(ntp) == 1234.5
    assert rtcp.middle(ntp) == 1234 << 16 | 0x8000
