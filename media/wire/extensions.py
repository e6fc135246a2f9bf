"""RTP header extensions, one-byte and two-byte form (RFC 8285). Rule: offsets into the packet, no copies."""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Iterator

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


class Layout:
    """A subscriber's whole packet head as one ``struct`` call: fixed header, then its own extension block.

    ``pack_into(buffer, at, first, second, sequence, timestamp, ssrc, *values(level, stamp, transport_cc))`` writes
    ``size`` bytes. Values not negotiated have size 0 in the format, so that one call serves every receiver.
    """

    __slots__ = ("_before", "_stamped", "first", "fixed", "pack_into", "size", "transport_cc")

    def __init__(self, negotiated: Extensions, mid: str, audio_level: bool) -> None:
        """RFC 8843 section 15: the mid is the receiver's own; ids are those of the receiver's BUNDLE."""
        sizes = {"mid": 0, "level": 0, "stamp": 0, "transport_cc": 0}
        values: list[tuple[int, bytes]] = []
        for name, number, value in (
            ("mid", negotiated.mid, mid.encode()),
            ("level", negotiated.audio_level if audio_level else None, b"\x7f"),
            ("stamp", negotiated.abs_send_time, bytes(3)),
            ("transport_cc", negotiated.transport_cc, bytes(2)),
        ):
            if number is not None:
                values.append((number, value))
                sizes[name] = len(value)
        block = build(values)
        self.first = 0x90 if block else 0x80
        self.transport_cc = bool(sizes["transport_cc"])
        self.fixed, self.pack_into, self.size = _compile(block, sizes)
        self._stamped = sizes["stamp"]
        self._before = sum(map(len, self.fixed[:3])) + self._stamped

    def whole(self, payload: int) -> Callable[..., None]:
        """Writes a whole packet with so many bytes of payload, no level and a transport-wide number:
        ``whole(...)(buffer, at, first, second, sequence, timestamp, ssrc, before_number, number, fixed[3], payload)``.
        """
        return _whole(self._before, len(self.fixed[3]), payload)

    def before_number(self, stamp: bytes) -> bytes:
        """What the packets of a burst have in common there."""
        a, b, c, _ = self.fixed
        return a + b + (stamp if self._stamped else b"") + c


@functools.lru_cache(maxsize=4096)
def _whole(before: int, after: int, payload: int) -> Callable[..., None]:
    return struct.Struct(f"!BBHII{before}sH{after}s{payload}s").pack_into


def _compile(block: bytes, sizes: dict[str, int]) -> tuple[tuple[bytes, bytes, bytes, bytes], Callable[..., None], int]:
    """The bytes between the three changing values, the packer, and the size of the whole head."""
    profile = int.from_bytes(block[:2], "big") if block else ONE_BYTE
    places = [(at, size) for _, at, size in elements(block, profile, 4, len(block))]
    cuts, at = [], 0
    for name in ("level", "stamp", "transport_cc"):
        if sizes[name]:  # the elements stand in the order they were given in, mid first
            place = places[[n for n in sizes if sizes[n]].index(name)]
            cuts.append((block[at : place[0]], place[1]))
            at = place[0] + place[1]
        else:
            cuts.append((b"", 0))
    fixed = (cuts[0][0], cuts[1][0], cuts[2][0], block[at:])
    form = "!BBHII" + "".join(f"{len(part)}s{size}s" for part, size in cuts) + f"{len(fixed[3])}s"
    packer = struct.Struct(form)
    return fixed, packer.pack_into, packer.size


def abs_send_time(now: float) -> int:
    """24 bits, 6.18 fixed point seconds (webrtc abs-send-time)."""
    return int(now * 262144) & 0xFFFFFF
