"""WebM (RFC 9559 Matroska, RFC 8794 EBML) for VP8: a header per picture size and one cluster per fragment.

Cluster times are room time in ms. The segment's size is unknown for ever: there is no end to write.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

_EBML, _SEGMENT, _INFO, _TRACKS, _CLUSTER = 0x1A45DFA3, 0x18538067, 0x1549A966, 0x1654AE6B, 0x1F43B675
_UNKNOWN_SIZE = b"\x01\xff\xff\xff\xff\xff\xff\xff"
_TRACK = 1


@dataclass(frozen=True, slots=True)
class Block:
    time_ms: int
    duration_ms: int
    data: bytes
    key: bool


def element(identity: int, body: bytes) -> bytes:
    return identity.to_bytes((identity.bit_length() + 7) // 8, "big") + _size(len(body)) + body


def _size(value: int) -> bytes:
    """RFC 8794 section 4.4: the length of the number stands before its first one bit; all ones would mean unknown."""
    for length in range(1, 9):
        if value < (1 << 7 * length) - 1:
            return (value | 1 << 7 * length).to_bytes(length, "big")
    raise AssertionError("an element of 2^56 bytes cannot come from one fragment")


def _number(identity: int, value: int) -> bytes:
    return element(identity, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))


def init(width: int, height: int) -> bytes:
    head = b"".join(
        (
            _number(0x4286, 1),  # EBMLVersion
            _number(0x42F7, 1),  # EBMLReadVersion
            _number(0x42F2, 4),  # EBMLMaxIDLength
            _number(0x42F3, 8),  # EBMLMaxSizeLength
            element(0x4282, b"webm"),
            _number(0x4287, 4),  # DocTypeVersion
            _number(0x4285, 2),  # DocTypeReadVersion
        )
    )
    info = _number(0x2AD7B1, 1_000_000) + element(0x4D80, b"tongtang") + element(0x5741, b"tongtang")
    video = element(0xE0, _number(0xB0, width) + _number(0xBA, height))
    numbers = _number(0xD7, _TRACK) + _number(0x73C5, _TRACK) + _number(0x83, 1) + _number(0x9C, 0)
    entry = element(0xAE, numbers + element(0x86, b"V_VP8") + video)
    segment = _SEGMENT.to_bytes(4, "big") + _UNKNOWN_SIZE
    return element(_EBML, head) + segment + element(_INFO, info) + element(_TRACKS, entry)


def cluster(blocks: Sequence[Block]) -> bytes:
    """A fragment lasts two seconds at most, so 16-bit relative times always suffice."""
    start = blocks[0].time_ms
    *most, last = blocks
    body = _number(0xE7, start) + b"".join(_simple_block(block, start) for block in most)
    return element(_CLUSTER, body + _block_group(last, start))


def _header(block: Block, start: int, flags: int) -> bytes:
    return struct.pack(">BhB", 0x80 | _TRACK, block.time_ms - start, flags)


def _simple_block(block: Block, start: int) -> bytes:
    return element(0xA3, _header(block, start, 0x80 if block.key else 0) + block.data)


def _block_group(block: Block, start: int) -> bytes:
    """The last block states its duration: nothing in this cluster would tell it otherwise."""
    body = element(0xA1, _header(block, start, 0) + block.data) + _number(0x9B, block.duration_ms)
    # ReferenceBlock (RFC 9559 section 5.1.3.5.5): its presence says "no key frame".
    return element(0xA0, body if block.key else body + element(0xFB, b"\xff"))
