"""Redundant audio (RFC 2198): a packet that repeats those before it, so that a lost one is heard all the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from media.errors import PeerError

MOST_OFFSET = (1 << 14) - 1  # section 3: 14 bits of timestamp, 0.34 s of Opus
MOST_LENGTH = (1 << 10) - 1  # 10 bits
_MOST_TOTAL = 1100  # bytes: a voice packet must never be cut by a tunnel


@dataclass(frozen=True, slots=True)
class Block:
    """``offset``: how much older than the packet's own timestamp; the primary block has 0 and stands last."""

    payload_type: int
    offset: int
    payload: bytes


def build(payload_type: int, primary: bytes, earlier: Sequence[tuple[int, bytes]]) -> bytes:
    """``earlier``: (offset, payload), oldest first. What section 3's fields cannot say, or is too much, is left out."""
    said = [(o, p) for o, p in earlier if 0 < o <= MOST_OFFSET and 0 < len(p) <= MOST_LENGTH]
    while said and len(primary) + sum(4 + len(p) for _, p in said) > _MOST_TOTAL:
        del said[0]
    heads = [(0x80 | payload_type) << 24 | offset << 10 | len(payload) for offset, payload in said]
    parts = [head.to_bytes(4, "big") for head in heads]
    return b"".join((*parts, bytes((payload_type,)), *(payload for _, payload in said), primary))


def parse(payload: bytes) -> list[Block]:
    """Oldest first; PeerError where the lengths contradict the packet's."""
    heads, at = [], 0
    while at < len(payload) and payload[at] & 0x80:
        if at + 4 > len(payload):
            raise PeerError("RED header runs over the end")
        word = int.from_bytes(payload[at : at + 4], "big")
        heads.append((word >> 24 & 0x7F, word >> 10 & MOST_OFFSET, word & MOST_LENGTH))
        at += 4
    if at >= len(payload):
        raise PeerError("RED without its primary block")
    kind, at = payload[at], at + 1
    blocks = []
    for payload_type, offset, length in heads:
        if at + length > len(payload):
            raise PeerError("RED block runs over the end")
        blocks.append(Block(payload_type, offset, payload[at : at + length]))
        at += length
    return [*blocks, Block(kind, 0, payload[at:])]
