"""RTCP feedback: generic NACK, PLI, FIR (RFC 4585, 5104), REMB, transport-wide congestion control.

Rule: built and read here, never by a library (a transport-cc message whose unpadded size is no multiple of four makes
others drop the whole compound).
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from media.wire.rtcp import PSFB, RTPFB, Packet, build

NACK, TRANSPORT_CC = 1, 15  # formats of RTPFB
PLI, FIR, AFB = 1, 4, 15  # formats of PSFB
_TICK = 1 / 4000  # transport-cc deltas count 250 us
_REFERENCE = 0.064  # its reference time counts 64 ms


def media_ssrc(packet: Packet) -> int:
    """RFC 4585 section 6.1; 0 when too short."""
    return int.from_bytes(packet.body[4:8], "big") if len(packet.body) >= 8 else 0


def nacked(packet: Packet) -> list[int]:
    """Sequence numbers of a generic NACK (RFC 4585 section 6.2.1)."""
    lost = []
    for at in range(8, len(packet.body) - 3, 4):
        first, mask = struct.unpack_from("!HH", packet.body, at)
        lost.append(first)
        lost.extend(first + bit + 1 & 0xFFFF for bit in range(16) if mask >> bit & 1)
    return lost


def build_nack(sender: int, media: int, sequences: Sequence[int]) -> bytes:
    """``sequences`` in ascending order (modulo 2^16)."""
    pairs: list[list[int]] = []
    for sequence in sequences:
        distance = (sequence - pairs[-1][0]) & 0xFFFF if pairs else 0
        if pairs and 0 < distance <= 16:
            pairs[-1][1] |= 1 << distance - 1
        elif not pairs or distance:
            pairs.append([sequence, 0])
    fci = b"".join(struct.pack("!HH", *pair) for pair in pairs)
    return build(RTPFB, NACK, struct.pack("!II", sender, media) + fci)


def build_pli(sender: int, media: int) -> bytes:
    """Picture loss indication (RFC 4585 section 6.3.1)."""
    return build(PSFB, PLI, struct.pack("!II", sender, media))


def key_frames_wanted(packet: Packet) -> list[int]:
    """Media SSRCs a PLI or FIR (RFC 5104 section 4.3.1: the SSRC stands in the entry) asks a key frame of."""
    if packet.type != PSFB:
        return []
    if packet.count == PLI:
        return [media_ssrc(packet)]
    if packet.count == FIR:
        return [int.from_bytes(packet.body[at : at + 4], "big") for at in range(8, len(packet.body) - 7, 8)]
    return []


def remb(packet: Packet) -> int | None:
    """Bit/s of a receiver estimated maximum bitrate message (draft-alvestrand-rmcat-remb-03 section 2.2)."""
    body = packet.body
    if packet.type != PSFB or packet.count != AFB or len(body) < 16 or body[8:12] != b"REMB":
        return None
    exponent, mantissa = body[13] >> 2, (body[13] & 3) << 16 | body[14] << 8 | body[15]
    return mantissa << exponent


def build_transport_cc(sender: int, media: int, count: int, arrivals: Sequence[tuple[int, float]]) -> bytes:
    """draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.

    ``arrivals`` are (extended sequence, seconds), sequence ascending and unique, spanning less than 2^15. A delta that
    16 bits cannot hold is clamped. Gaps between them are reported as lost.
    """
    base = arrivals[0][0]
    reference = int(arrivals[0][1] / _REFERENCE)
    clock = round(reference * _REFERENCE / _TICK)
    symbols = bytearray(arrivals[-1][0] - base + 1)
    deltas = bytearray()
    for sequence, seconds in arrivals:
        delta = round(seconds / _TICK) - clock
        if 0 <= delta <= 255:  # as nearly always: this is per packet that is published
            symbols[sequence - base] = 1
            deltas.append(delta)
        else:
            delta = max(-0x8000, min(0x7FFF, delta))
            symbols[sequence - base] = 2
            deltas += delta.to_bytes(2, "big", signed=True)
        clock += delta
    head = struct.pack("!IIHH", sender, media, base & 0xFFFF, len(symbols))
    fci = (reference & 0xFFFFFF).to_bytes(3, "big") + bytes([count & 0xFF]) + _chunks(symbols) + bytes(deltas)
    pad = -len(fci) % 4
    if pad:  # RFC 3550 section 6.4.1: P bit, last byte says how many
        packet = build(RTPFB, TRANSPORT_CC, head + fci + bytes(pad - 1) + bytes([pad]))
        return bytes([packet[0] | 0x20]) + packet[1:]
    return build(RTPFB, TRANSPORT_CC, head + fci)


def _chunks(symbols: bytearray) -> bytes:
    """Run-length chunks for runs of at least seven, two-bit status vectors otherwise (sections 3.1.3, 3.1.4)."""
    out = bytearray()
    at, end = 0, len(symbols)
    while at < end:
        symbol, rest = symbols[at], symbols[at : at + 0x1FFF]
        run = len(rest) - len(rest.lstrip(symbols[at : at + 1]))
        if run >= 7 or at + run == end:
            out += (symbol << 13 | run).to_bytes(2, "big")
            at += run
            continue
        chunk = 0xC000
        for place, value in enumerate(symbols[at : at + 7]):
            chunk |= value << 12 - 2 * place
        out += chunk.to_bytes(2, "big")
        at += 7
    return bytes(out)


def transport_cc(packet: Packet) -> list[tuple[int, float | None]]:
    """(16-bit sequence, arrival seconds or None when lost) of a transport-cc message; what is cut off is left out."""
    body = packet.body
    if packet.type != RTPFB or packet.count != TRANSPORT_CC or len(body) < 16:
        return []
    base, total = struct.unpack_from("!HH", body, 8)
    clock = int.from_bytes(body[12:15], "big", signed=True) * _REFERENCE
    symbols, at = _symbols(body, total)
    found: list[tuple[int, float | None]] = []
    for place, symbol in enumerate(symbols):
        size = {1: 1, 2: 2}.get(symbol, 0)
        if at + size > len(body):
            break
        clock += int.from_bytes(body[at : at + size], "big", signed=size == 2) * _TICK
        found.append((base + place & 0xFFFF, clock if size else None))
        at += size
    return found


def _symbols(body: bytes, total: int) -> tuple[list[int], int]:
    symbols: list[int] = []
    at = 16
    while len(symbols) < total and at + 2 <= len(body):
        chunk = int.from_bytes(body[at : at + 2], "big")
        at += 2
        if not chunk & 0x8000:
            symbols += [chunk >> 13] * min(chunk & 0x1FFF, total - len(symbols))
        elif chunk & 0x4000:
            symbols += [chunk >> shift & 3 for shift in range(12, -1, -2)]
        else:
            symbols += [chunk >> shift & 1 for shift in range(13, -1, -1)]
    return symbols[:total], at
