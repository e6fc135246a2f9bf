"""H.264 over RTP (RFC 6184, packetization modes 0 and 1) and what a container must know of its parameter sets."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass

from media.errors import PeerError

IDR, SEI, SPS, PPS, AUD = 5, 6, 7, 8, 9
_STAP_A, _FU_A = 24, 28
MAX_DIMENSION = 8192
_HIGH_PROFILES = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)  # 7.3.2.1.1: those with chroma fields


def unit_type(unit: bytes | memoryview) -> int:
    return unit[0] & 0x1F


def starts_key_frame(payload: bytes | memoryview) -> bool:
    """Whether this RTP payload carries the beginning of an IDR picture or the parameter sets that come before it."""
    if len(payload) < 2:
        return False
    kind = unit_type(payload)
    if kind == _FU_A:
        return bool(payload[1] & 0x80) and payload[1] & 0x1F == IDR
    if kind == _STAP_A:
        return len(payload) > 3 and payload[3] & 0x1F in (IDR, SPS)
    return kind in (IDR, SPS)


@dataclass(slots=True)
class Assembler:
    """NAL units of one access unit from its payloads in sequence order. One object an access unit."""

    units: list[bytes]
    _partial: bytearray | None = None

    def push(self, payload: bytes) -> None:
        """PeerError where the payload contradicts itself; the access unit is broken then."""
        if not payload:
            raise PeerError("empty H.264 payload")
        kind = unit_type(payload)
        if kind == _FU_A:
            self._push_fragment(payload)
        elif kind == _STAP_A:
            self._push_aggregate(payload)
        elif 1 <= kind <= 23:
            self.units.append(payload)
        else:
            raise PeerError(f"H.264 packet type {kind} of a mode not agreed on")

    def _push_fragment(self, payload: bytes) -> None:
        # RFC 6184 section 5.8: indicator gives NRI, header gives start, end and the type.
        if len(payload) < 3:
            raise PeerError("short FU-A")
        header = payload[1]
        if header & 0x80:
            self._partial = bytearray([payload[0] & 0xE0 | header & 0x1F])
        if self._partial is None:
            raise PeerError("FU-A without its start")
        self._partial += payload[2:]
        if header & 0x40:
            self.units.append(bytes(self._partial))
            self._partial = None

    def _push_aggregate(self, payload: bytes) -> None:
        # RFC 6184 section 5.7.1: 16-bit size before each unit.
        at = 1
        while at < len(payload):
            size = int.from_bytes(payload[at : at + 2], "big")
            if size == 0 or at + 2 + size > len(payload):
                raise PeerError("STAP-A runs over the end")
            self.units.append(payload[at + 2 : at + 2 + size])
            at += 2 + size

    @property
    def whole(self) -> bool:
        return self._partial is None and bool(self.units)


def starts_at_first_block(units: list[bytes]) -> bool:
    """Whether the first slice is the picture's first: ``first_mb_in_slice`` is 0 (ITU-T H.264 section 7.3.3), which
    Exp-Golomb writes as a single 1 bit. Without it the beginning of the picture was lost. No slices: nothing missing.
    """
    slices = [unit for unit in units if 1 <= unit_type(unit) <= IDR]
    return not slices or (len(slices[0]) > 1 and bool(slices[0][1] & 0x80))


def looks_ahead(unit: bytes) -> bool:
    """Whether this is a slice of a B picture, which may need one that is shown after it (ITU-T H.264 section 7.4.3:
    slice_type 1 or 6)."""
    if unit_type(unit) not in (1, IDR):
        return False
    reader = _Bits(unit[1:24])
    try:
        reader.ue()  # first_mb_in_slice
        return reader.ue() % 5 == 1
    except PeerError:
        return False


def split(stream: bytes) -> list[bytes]:
    """NAL units of a byte stream (ITU-T H.264 annex B), without start codes and the zeros before them. What stands
    before the first start code, and what is empty or of no type that RTP carries alone, is left out."""
    units = (unit.rstrip(b"\0") for unit in stream.split(b"\0\0\1")[1:])
    return [unit for unit in units if unit and 1 <= unit_type(unit) <= 23]


@dataclass(frozen=True, slots=True)
class ParameterSets:
    """In-band SPS and PPS units, as they came. Equal means that the decoder configuration is the same."""

    sps: tuple[bytes, ...]
    pps: tuple[bytes, ...]

    @property
    def codec(self) -> str:
        """RFC 6381 section 3.3: "avc1." and profile, constraints, level in hex."""
        return "avc1." + self.sps[0][1:4].hex()

    def size(self) -> tuple[int, int]:
        return picture_size(self.sps[0])


def from_fmtp(fmtp: str) -> ParameterSets | None:
    """``sprop-parameter-sets`` (RFC 6184 section 8.1) of encoders that send none in band."""
    for part in fmtp.split(";"):
        name, _, value = part.strip().partition("=")
        if name == "sprop-parameter-sets":
            try:
                units = [base64.b64decode(text, validate=True) for text in value.split(",") if text]
            except (binascii.Error, ValueError):
                return None
            return collect(units)
    return None


def collect(units: list[bytes]) -> ParameterSets | None:
    """Parameter sets among ``units``; None unless there are both kinds and the SPS can be read."""
    sps = tuple(unit for unit in units if len(unit) >= 4 and unit_type(unit) == SPS)
    pps = tuple(unit for unit in units if len(unit) >= 2 and unit_type(unit) == PPS)
    return ParameterSets(sps, pps) if sps and pps else None


class _Bits:
    """Exp-Golomb reader over a NAL unit's payload without emulation prevention (ITU-T H.264 section 7.4.1)."""

    def __init__(self, data: bytes) -> None:
        self._data = data.replace(b"\x00\x00\x03", b"\x00\x00")
        self._at = 0

    def bits(self, count: int) -> int:
        value = 0
        for _ in range(count):
            byte = self._at >> 3
            if byte >= len(self._data):
                raise PeerError("SPS ends early")
            value = value << 1 | self._data[byte] >> (7 - (self._at & 7)) & 1
            self._at += 1
        return value

    def ue(self) -> int:
        zeros = 0
        while not self.bits(1):
            zeros += 1
            if zeros > 32:
                raise PeerError("SPS number too long")
        return (1 << zeros) - 1 + self.bits(zeros)

    def se(self) -> int:
        value = self.ue()
        return (value + 1) // 2 if value & 1 else -(value // 2)


def picture_size(sps: bytes) -> tuple[int, int]:
    """Width and height as shown, cropping applied (ITU-T H.264 section 7.3.2.1.1)."""
    reader = _Bits(sps[4:])
    reader.ue()  # seq_parameter_set_id
    chroma = _chroma_format(reader) if sps[1] in _HIGH_PROFILES else 1
    reader.ue()  # log2_max_frame_num_minus4
    _skip_order_count(reader)
    reader.ue()  # max_num_ref_frames
    reader.bits(1)  # gaps_in_frame_num_value_allowed_flag
    width, map_units = (reader.ue() + 1) * 16, reader.ue() + 1
    frames_only = reader.bits(1)
    if not frames_only:
        reader.bits(1)  # mb_adaptive_frame_field_flag
    reader.bits(1)  # direct_8x8_inference_flag
    height = map_units * 16 * (2 - frames_only)
    if reader.bits(1):
        left, right, top, bottom = (reader.ue() for _ in range(4))
        across, down = (1 if chroma in (0, 3) else 2), (2 if chroma == 1 else 1) * (2 - frames_only)
        width, height = width - (left + right) * across, height - (top + bottom) * down
    if not (0 < width <= MAX_DIMENSION and 0 < height <= MAX_DIMENSION):
        raise PeerError("SPS of an impossible size")
    return width, height


def _chroma_format(reader: _Bits) -> int:
    chroma = reader.ue()
    if chroma == 3:
        reader.bits(1)
    reader.ue()  # bit_depth_luma_minus8
    reader.ue()  # bit_depth_chroma_minus8
    reader.bits(1)  # qpprime_y_zero_transform_bypass_flag
    if reader.bits(1):
        for index in range(8 if chroma != 3 else 12):
            if reader.bits(1):
                _skip_scaling_list(reader, 16 if index < 6 else 64)
    return chroma


def _skip_scaling_list(reader: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + reader.se()) % 256
        last = following or last


def _skip_order_count(reader: _Bits) -> None:
    kind = reader.ue()
    if kind == 0:
        reader.ue()
    elif kind == 1:
        reader.bits(1)
        reader.se()
        reader.se()
        count = reader.ue()
        if count > 255:
            raise PeerError("SPS with too many reference frames")
        for _ in range(count):
            reader.se()
