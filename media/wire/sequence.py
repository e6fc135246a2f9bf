"""16-bit RTP sequence numbers and 32-bit timestamps that wrap. Rule: inside the SFU a sequence number is *extended*."""

from __future__ import annotations

# Extended numbers start one cycle up, so that packets older than the first one never become negative.
FIRST_CYCLE = 1 << 16


def extend(sequence: int, reference: int) -> int:
    """The extended number nearest to ``reference`` whose low 16 bits are ``sequence`` (RFC 3550 section A.1)."""
    delta = (sequence - reference) & 0xFFFF
    return reference + (delta - 0x10000 if delta & 0x8000 else delta)


def signed32(value: int) -> int:
    """The difference of two RTP timestamps, as a number that may be negative."""
    value &= 0xFFFFFFFF
    return value - 0x100000000 if value & 0x80000000 else value
