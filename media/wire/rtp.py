"""The RTP fixed header (RFC 3550 section 5.1) as offsets into a packet that stays where it is."""

from __future__ import annotations

import struct
from typing import NamedTuple

from media.errors import PeerError

_FIXED = struct.Struct("!BBHII")
_EXTENSION = struct.Struct("!HH")


class RtpHeader(NamedTuple):
    """``extension_at``..``extension_end`` bound the elements; ``payload_at``..``payload_end`` leave padding out."""

    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    profile: int
    extension_at: int
    extension_end: int
    payload_at: int
    payload_end: int


def parse(packet: bytes | bytearray | memoryview, size: int | None = None) -> RtpHeader:
    """Header of the first ``size`` bytes; PeerError where they contradict themselves."""
    size = len(packet) if size is None else size
    if size < 12:
        raise PeerError("RTP shorter than its header")
    first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(packet)
    if first >> 6 != 2:
        raise PeerError("not RTP version 2")
    at = 12 + 4 * (first & 15)
    profile, extension_at, extension_end = 0, at, at
    if first & 0x10:
        if at + 4 > size:
            raise PeerError("RTP extension runs over the end")
        profile, words = _EXTENSION.unpack_from(packet, at)
        extension_at, extension_end = at + 4, at + 4 + 4 * words
        at = extension_end
    end = size - packet[size - 1] if first & 0x20 else size
    if at > size or end < at:
        raise PeerError("RTP payload of negative size")
    return RtpHeader(
        bool(second & 0x80), second & 0x7F, sequence, timestamp, ssrc, profile, extension_at, extension_end, at, end
    )


def build(
    payload_type: int,
    sequence: int,
    timestamp: int,
    ssrc: int,
    payload: bytes,
    marker: bool = False,
    block: bytes = b"",
) -> bytes:
    """A plain packet; ``block`` is a whole header-extension block as ``extensions.build`` makes it."""
    first, second = 0x90 if block else 0x80, payload_type | marker << 7
    return _FIXED.pack(first, second, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc) + block + payload
