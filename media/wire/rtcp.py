"""RTCP compounds: split, sender and receiver reports, SDES (RFC 3550 section 6; reduced size: RFC 5506).

Rule: a compound is split here, packet by packet, and one unreadable packet never takes its neighbours with it. (Named
tuples: a thousand peers' reports a second, and a frozen dataclass takes five times as long to make.)
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

SR, RR, SDES, RTPFB, PSFB = 200, 201, 202, 205, 206
_REPORT = struct.Struct("!IB3sIIII")
_NTP_FRACTION = 1 << 32


class Packet(NamedTuple):
    """One packet of a compound: ``count`` is the 5-bit field (reports or feedback format), ``body`` what follows."""

    type: int
    count: int  # type: ignore[assignment]  # RTCP's own word; nobody counts in this tuple
    body: bytes


class ReportBlock(NamedTuple):
    """RFC 3550 section 6.4.1. ``fraction`` is of 256; ``lsr`` and ``dlsr`` in 1/65536 s."""

    ssrc: int
    fraction: int
    lost: int
    highest: int
    jitter: int
    lsr: int
    dlsr: int


class SenderReport(NamedTuple):
    ssrc: int
    ntp: int
    rtp_timestamp: int
    packets: int
    octets: int
    blocks: tuple[ReportBlock, ...] = ()


class ReceiverReport(NamedTuple):
    ssrc: int
    blocks: tuple[ReportBlock, ...] = ()


def split(data: bytes) -> Iterator[Packet]:
    """Packets of a compound, up to the first head that makes no sense. Padding of the last packet is cut off."""
    at = 0
    while at + 4 <= len(data):
        first, kind, words = struct.unpack_from("!BBH", data, at)
        end = at + 4 + 4 * words
        if first >> 6 != 2 or end > len(data):
            return
        body = data[at + 4 : end]
        if first & 0x20:
            if not body or not 0 < body[-1] <= len(body):
                return
            body = body[: -body[-1]]
        yield Packet(kind, first & 31, body)
        at = end


def only_receives(data: bytes) -> bool:
    """Whether this is a receiver report and a description, what idle browsers send every second, and no more."""
    at = 0
    for kind in (RR, SDES):
        if data[at + 1 : at + 2] != bytes((kind,)):
            return False
        at += 4 + 4 * int.from_bytes(data[at + 2 : at + 4], "big")
    return at == len(data)


def blocks(packet: Packet, at: int) -> tuple[ReportBlock, ...]:
    """Report blocks from ``at`` on: as many as are announced and fit."""
    found = []
    for start in range(at, min(at + 24 * packet.count, len(packet.body) - 23), 24):
        ssrc, fraction, lost, highest, jitter, lsr, dlsr = _REPORT.unpack_from(packet.body, start)
        signed = int.from_bytes(lost, "big", signed=True)
        found.append(ReportBlock(ssrc, fraction, signed, highest, jitter, lsr, dlsr))
    return tuple(found)


def sender_report(packet: Packet) -> SenderReport | None:
    if packet.type != SR or len(packet.body) < 24:
        return None
    ssrc, ntp, timestamp, packets, octets = struct.unpack_from("!IQIII", packet.body)
    return SenderReport(ssrc, ntp, timestamp, packets, octets, blocks(packet, 24))


def receiver_report(packet: Packet) -> ReceiverReport | None:
    if packet.type != RR or len(packet.body) < 4:
        return None
    return ReceiverReport(struct.unpack_from("!I", packet.body)[0], blocks(packet, 4))


def build(kind: int, count: int, body: bytes) -> bytes:
    """``body`` must be a multiple of four bytes long."""
    return struct.pack("!BBH", 0x80 | count, kind, len(body) // 4) + body


def build_blocks(reports: tuple[ReportBlock, ...]) -> bytes:
    return b"".join(
        _REPORT.pack(
            r.ssrc,
            r.fraction,
            max(-0x800000, min(0x7FFFFF, r.lost)).to_bytes(3, "big", signed=True),
            r.highest & 0xFFFFFFFF,
            r.jitter & 0xFFFFFFFF,
            r.lsr,
            r.dlsr & 0xFFFFFFFF,
        )
        for r in reports
    )


def build_sender_report(report: SenderReport) -> bytes:
    head = struct.pack(
        "!IQIII",
        report.ssrc,
        report.ntp,
        report.rtp_timestamp & 0xFFFFFFFF,
        report.packets & 0xFFFFFFFF,
        report.octets & 0xFFFFFFFF,
    )
    return build(SR, len(report.blocks), head + build_blocks(report.blocks))


def build_receiver_report(report: ReceiverReport) -> bytes:
    return build(RR, len(report.blocks), struct.pack("!I", report.ssrc) + build_blocks(report.blocks))


def build_cname(ssrc: int, cname: str) -> bytes:
    """SDES with one CNAME (RFC 3550 section 6.5): a compound with a report must carry it."""
    text = cname.encode()
    chunk = struct.pack("!IBB", ssrc, 1, len(text)) + text + b"\0"
    return build(SDES, 1, chunk + bytes(-len(chunk) % 4))


def to_ntp(seconds: float) -> int:
    """Seconds to 32.32 fixed point."""
    return int(seconds * _NTP_FRACTION) & 0xFFFFFFFFFFFFFFFF


def from_ntp(ntp: int) -> float:
    return ntp / _NTP_FRACTION


def middle(ntp: int) -> int:
    """The middle 32 bits, as LSR carries them."""
    return ntp >> 16 & 0xFFFFFFFF
