"""Fragmented MP4 (ISO/IEC 14496-12) for H.264 (14496-15, "avc1") and Opus ("Encapsulation of Opus in ISOBMFF").

``tfdt`` is room time: a fragment says by itself where it belongs, and any run of fragments can be appended in any
order.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from media.wire.h264 import ParameterSets

VIDEO_TIMESCALE = 1000
AUDIO_TIMESCALE = 48_000
_TRACK = 1
_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_SYNC, _NON_SYNC = 0x02000000, 0x01010000  # 14496-12 section 8.8.3.1: depends on nothing / on others, no sync sample


@dataclass(frozen=True, slots=True)
class Sample:
    data: bytes
    duration: int
    sync: bool = True


def box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def video_init(sets: ParameterSets) -> bytes:
    width, height = sets.size()
    stsd = box(b"avc1", _visual_entry(width, height), _avcc(sets))
    return _init(VIDEO_TIMESCALE, b"vide", full_box(b"vmhd", 0, 1, bytes(8)), stsd, width, height)


def _visual_entry(width: int, height: int) -> bytes:
    # 14496-12 section 12.1.3: reserved, data reference 1, sizes, 72 dpi, one frame a sample, no name, depth 24.
    return struct.pack(">6xH16xHHIIIH32xHh", 1, width, height, 0x480000, 0x480000, 0, 1, 24, -1)


def _avcc(sets: ParameterSets) -> bytes:
    # 14496-15 section 5.3.3.1: version, profile, constraints, level, 4-byte lengths, then the sets.
    head = b"\x01" + sets.sps[0][1:4] + b"\xff"
    sps = bytes([0xE0 | len(sets.sps)]) + b"".join(struct.pack(">H", len(unit)) + unit for unit in sets.sps)
    pps = bytes([len(sets.pps)]) + b"".join(struct.pack(">H", len(unit)) + unit for unit in sets.pps)
    return box(b"avcC", head, sps, pps)


def audio_init(channels: int) -> bytes:
    entry = struct.pack(">6xH8xHH4xI", 1, channels, 16, AUDIO_TIMESCALE << 16)
    # Version 0, channels, pre-skip 0 (we cut in mid-stream, there is nothing to skip), input rate, gain 0, family 0.
    dops = box(b"dOps", struct.pack(">BBHIhB", 0, channels, 0, AUDIO_TIMESCALE, 0, 0))
    return _init(AUDIO_TIMESCALE, b"soun", full_box(b"smhd", 0, 0, bytes(4)), box(b"Opus", entry, dops), 0, 0)


def _init(timescale: int, handler: bytes, header: bytes, entry: bytes, width: int, height: int) -> bytes:
    stsd = full_box(b"stsd", 0, 0, struct.pack(">I", 1), entry)
    empty = [full_box(kind, 0, 0, bytes(4)) for kind in (b"stts", b"stsc", b"stco")]
    stbl = box(b"stbl", stsd, *empty, full_box(b"stsz", 0, 0, bytes(8)))
    dref = full_box(b"dref", 0, 0, struct.pack(">I", 1), full_box(b"url ", 0, 1))
    minf = box(b"minf", header, box(b"dinf", dref), stbl)
    mdhd = full_box(b"mdhd", 0, 0, struct.pack(">IIIIHH", 0, 0, timescale, 0, 0x55C4, 0))  # language "und"
    hdlr = full_box(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, handler), b"tongtang\0")
    tkhd_size = struct.pack(">II", width << 16, height << 16)
    volume = 0x0100 if handler == b"soun" else 0
    tkhd = full_box(b"tkhd", 0, 3, struct.pack(">IIIII8xhhHH", 0, 0, _TRACK, 0, 0, 0, 0, volume, 0), _MATRIX, tkhd_size)
    trak = box(b"trak", tkhd, box(b"mdia", mdhd, hdlr, minf))
    mvhd = full_box(
        b"mvhd", 0, 0, struct.pack(">IIIIIH10x", 0, 0, timescale, 0, 0x10000, 0x0100), _MATRIX, bytes(24), b"\0\0\0\2"
    )
    trex = full_box(b"trex", 0, 0, struct.pack(">IIIII", _TRACK, 1, 0, 0, 0))
    ftyp = box(b"ftyp", b"iso6", struct.pack(">I", 0), b"iso6iso5mp41")
    return ftyp + box(b"moov", mvhd, trak, box(b"mvex", trex))


def fragment(number: int, base_time: int, samples: Sequence[Sample]) -> bytes:
    """``base_time`` in the track's timescale; durations likewise."""
    moof = _moof(number, base_time, samples, 0)
    moof = _moof(number, base_time, samples, len(moof) + 8)
    return moof + box(b"mdat", *(sample.data for sample in samples))


def _moof(number: int, base_time: int, samples: Sequence[Sample], data_at: int) -> bytes:
    # 14496-12 section 8.8: offsets count from the moof (default-base-is-moof); each sample has duration, size, flags.
    tfhd = full_box(b"tfhd", 0, 0x020000, struct.pack(">I", _TRACK))
    tfdt = full_box(b"tfdt", 1, 0, struct.pack(">Q", base_time))
    rows = b"".join(struct.pack(">III", s.duration, len(s.data), _SYNC if s.sync else _NON_SYNC) for s in samples)
    trun = full_box(b"trun", 0, 0x000701, struct.pack(">II", len(samples), data_at), rows)
    mfhd = full_box(b"mfhd", 0, 0, struct.pack(">I", number & 0xFFFFFFFF))
    return box(b"moof", mfhd, box(b"traf", tfhd, tfdt, trun))
