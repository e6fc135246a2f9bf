"""VP8 over RTP (RFC 7741) and the few bits of a VP8 frame that one needs without decoding it (RFC 6386 section 9.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from media.errors import PeerError

_START_CODE = b"\x9d\x01\x2a"


class Descriptor(NamedTuple):
    """``payload_at``: where the frame's bytes begin. ``picture_id`` None where none is sent."""

    start: bool
    """First packet of partition 0: a frame begins here."""
    non_reference: bool
    picture_id: int | None
    picture_id_at: int
    picture_id_bits: int
    tl0_index: int | None
    temporal: int | None
    payload_at: int


def parse_descriptor(payload: bytes | memoryview) -> Descriptor:
    """RFC 7741 section 4.2; PeerError where it runs over the end."""
    try:
        return _parse_descriptor(payload)
    except IndexError:
        raise PeerError("VP8 descriptor runs over the end") from None


def _parse_descriptor(payload: bytes | memoryview) -> Descriptor:
    first, at = payload[0], 1
    picture_id = tl0_index = temporal = None
    picture_at = bits = 0
    if first & 0x80:
        flags, at = payload[1], 2
        if flags & 0x80:
            picture_at, picture_id, bits, at = at, payload[at], 7, at + 1
            if picture_id & 0x80:
                picture_id, bits, at = (picture_id & 0x7F) << 8 | payload[at], 15, at + 1
        if flags & 0x40:
            tl0_index, at = payload[at], at + 1
        if flags & 0x30:
            temporal = payload[at] >> 6 if flags & 0x20 else None
            at += 1
    if at >= len(payload):
        raise PeerError("VP8 packet without a frame's bytes")
    starts = bool(first & 0x10) and first & 0x07 == 0
    return Descriptor(starts, bool(first & 0x20), picture_id, picture_at, bits, tl0_index, temporal, at)


def starts_key_frame(payload: bytes | memoryview) -> bool:
    """Whether this RTP payload is the first packet of a key frame."""
    try:
        descriptor = parse_descriptor(payload)
    except PeerError:
        return False
    return descriptor.start and is_key_frame(payload[descriptor.payload_at :])


def is_key_frame(frame: bytes | memoryview) -> bool:
    """The first bit of the frame tag is 0 for key frames (RFC 6386 section 9.1)."""
    return len(frame) > 0 and not frame[0] & 1


def key_frame_size(frame: bytes | memoryview) -> tuple[int, int]:
    """Width and height of a key frame, without the scaling bits."""
    if len(frame) < 10 or bytes(frame[3:6]) != _START_CODE:
        raise PeerError("VP8 key frame without its start code")
    return int.from_bytes(frame[6:8], "little") & 0x3FFF, int.from_bytes(frame[8:10], "little") & 0x3FFF


# --- one picture numbering over changing sources (section 4.2: both numbers are of the sender's own choice) -----------


NUMBERED = 5  # bytes at the beginning of a payload that may hold the two numbers


@dataclass(frozen=True, slots=True)
class Shift:
    """Added to picture ids (modulo their width) and to TL0PICIDX (modulo 256)."""

    picture: int
    tl0: int


def shift_behind(last: bytes, shifted: Shift | None, first: bytes) -> Shift | None:
    """What makes ``first``'s numbers follow those of ``last``, which was sent with ``shifted``; None: nothing to do."""
    try:
        old, new = parse_descriptor(last), parse_descriptor(first)
    except PeerError:
        return None
    picture = tl0 = 0
    if old.picture_id is not None and new.picture_id is not None:
        sent = old.picture_id + (shifted.picture if shifted else 0) & (1 << old.picture_id_bits) - 1
        picture = (sent + 1 - new.picture_id) & 0x7FFF
    if old.tl0_index is not None and new.tl0_index is not None:
        sent = old.tl0_index + (shifted.tl0 if shifted else 0)
        tl0 = (sent + 1 - new.tl0_index) & 0xFF
    return Shift(picture, tl0) if picture or tl0 else None


def renumbered(payload: bytes, shift: Shift) -> bytes:
    """The payload with shifted numbers, of the same length; what has no numbers, or is cut off, stays as it is."""
    if len(payload) < 3 or not payload[0] & 0x80:
        return payload
    flags, at, numbers = payload[1], 2, b""
    if flags & 0x80:
        if payload[2] & 0x80:  # M: 15 bits
            if len(payload) < 4:
                return payload
            picture = (payload[2] << 8 | payload[3]) + shift.picture & 0x7FFF | 0x8000
            numbers, at = picture.to_bytes(2, "big"), 4
        else:
            numbers, at = bytes((payload[2] + shift.picture & 0x7F,)), 3
    if flags & 0x40 and at < len(payload):
        numbers, at = numbers + bytes((payload[at] + shift.tl0 & 0xFF,)), at + 1
    return payload[:2] + numbers + payload[at:]
