"""RTP header extensions, one-byte and two-byte form (RFC 8285). Rule: offsets into the packet, no copies."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from media.parameters import Extensions

ONE_BYTE = 0xBEDE  # RFC 8285 section 4.2
TWO_BYTE = 0x1000  # section 4.3; the low four bits are "appbits"


def elements(
    packet: bytes | bytearray | memoryview, profile: int, start: int, end: int
) -> Iterator[tuple[int, int, int]]:
    """(id, offset, length) of every element between ``start`` and ``end``; stops where the block makes no sense."""
    two_byte = profile & 0xFFF0 == TWO_BYTE
    if not two_byte and profile != ONE_BYTE:
        return
    at = start
    while at < end:
        first = packet[at]
        if first == 0:  # padding
            at += 1
            continue
        if two_byte:
            if at + 2 > end:
                return
            element, length, at = first, packet[at + 1], at + 2
        else:
            element, length, at = first >> 4, (first & 15) + 1, at + 1
            if element == 15:  # RFC 8285 section 4.2: stop
                return
        if at + length > end:
            return
        yield element, at, length
        at += length


def build(values: list[tuple[int, bytes]]) -> bytes:
    """The whole block with its 4-byte head; empty for no values. Two-byte form only if an id or a value needs it."""
    if not values:
        return b""
    one_byte = all(0 < i < 15 and 0 < len(v) <= 16 for i, v in values)
    if one_byte:
        body = b"".join(bytes([i << 4 | len(v) - 1]) + v for i, v in values)
    else:
        body = b"".join(bytes([i, len(v)]) + v for i, v in values)
    body += bytes(-len(body) % 4)
    return struct.pack("!HH", ONE_BYTE if one_byte else TWO_BYTE, len(body) // 4) + body


@dataclass(frozen=True, slots=True)
class Layout:
    """A subscriber's extension block, ready to be copied behind the fixed header and patched at these packet offsets.

    An offset is 0 where the extension was not negotiated (no value can stand at offset 0 of a packet).
    """

    block: bytes
    audio_level_at: int = 0
    abs_send_time_at: int = 0
    transport_cc_at: int = 0

    @property
    def header_size(self) -> int:
        return 12 + len(self.block)


def layout(negotiated: Extensions, mid: str, audio_level: bool) -> Layout:
    """RFC 8843 section 15: the mid is the receiver's own; ids are those of the receiver's BUNDLE."""
    values: list[tuple[int, bytes]] = []
    if negotiated.mid is not None:
        values.append((negotiated.mid, mid.encode()))
    if negotiated.audio_level is not None and audio_level:
        values.append((negotiated.audio_level, b"\x7f"))
    if negotiated.abs_send_time is not None:
        values.append((negotiated.abs_send_time, bytes(3)))
    if negotiated.transport_cc is not None:
        values.append((negotiated.transport_cc, bytes(2)))
    block = build(values)
    profile = int.from_bytes(block[:2], "big") if block else ONE_BYTE
    at = {i: 12 + offset for i, offset, _ in elements(block, profile, 4, len(block))}
    level = at.get(negotiated.audio_level or -1, 0) if audio_level else 0
    return Layout(block, level, at.get(negotiated.abs_send_time or -1, 0), at.get(negotiated.transport_cc or -1, 0))


def abs_send_time(now: float) -> int:
    """24 bits, 6.18 fixed point seconds (webrtc abs-send-time)."""
    return int(now * 262144) & 0xFFFFFF
