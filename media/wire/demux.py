"""What a datagram is, by its first two bytes (RFC 7983 section 7, RFC 5761 section 4). Rule: never looks further."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    GARBAGE = 0
    STUN = 1
    DTLS = 2
    RTP = 3
    RTCP = 4


# RFC 7983 figure 3. ZRTP (16..19), TURN channels (64..79) are not for us.
_BY_FIRST = tuple(
    Kind.STUN if b <= 3 else Kind.DTLS if 20 <= b <= 63 else Kind.RTP if 128 <= b <= 191 else Kind.GARBAGE
    for b in range(256)
)
# The smallest thing that can be meant: a STUN header, a DTLS record header, an RTP header, an RTCP header.
_SMALLEST = {Kind.STUN: 20, Kind.DTLS: 13, Kind.RTP: 12, Kind.RTCP: 8}


def classify(data: bytes | bytearray | memoryview, size: int | None = None) -> Kind:
    """Kind of the first ``size`` bytes of ``data``."""
    size = len(data) if size is None else size
    if size < 2:
        return Kind.GARBAGE
    kind = _BY_FIRST[data[0]]
    if kind is Kind.RTP and 192 <= data[1] <= 223:  # RFC 5761 section 4: RTCP packet types while muxed
        kind = Kind.RTCP
    return kind if kind is not Kind.GARBAGE and size >= _SMALLEST[kind] else Kind.GARBAGE
