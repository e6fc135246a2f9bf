"""A short clip made on the spot: the folk song 茉莉花 played by a sine voice while its notes light up on a staff.

Returns what a recorder would have stored: init and fragments of at most two seconds whose timestamps are room time.
Nothing is shipped with the package and nobody's face or voice is used.
"""

from __future__ import annotations

import io
import math
import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Any

import av
from PIL import Image, ImageDraw

RATE = 16_000
"""Enough for a sine voice, and a third of the work."""
BEAT_MS = 900
FPS = 5
WIDTH, HEIGHT = 640, 360
FRAGMENT_MS = 2000
CHUNK = 320
"""Samples of one Opus packet of 20 ms."""

# 茉莉花 (traditional), numbered notation: degree (6 notes above = next octave) and beats, four phrases of eight beats.
PHRASE_1 = ((3, 1), (3, 0.5), (5, 0.5), (6, 0.5), (8, 0.5), (8, 0.5), (6, 0.5), (5, 1), (5, 0.5), (6, 0.5), (5, 2))
PHRASE_2 = ((5, 1), (5, 1), (5, 1), (3, 0.5), (5, 0.5), (6, 1), (6, 1), (5, 2))
PHRASE_3 = ((3, 1), (2, 0.5), (3, 0.5), (5, 1), (3, 0.5), (2, 0.5), (1, 1), (1, 0.5), (2, 0.5), (1, 2))
MELODY: tuple[tuple[int, float], ...] = (*PHRASE_1, *PHRASE_1, *PHRASE_2, *PHRASE_3)
SEMITONES = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 11, 8: 12}

STARTS_MS = tuple(round(beat * BEAT_MS) for beat in accumulate((beats for _, beats in MELODY), initial=0.0))
LENGTH_MS = STARTS_MS[-1]

PAPER, INK, SEAL, FAINT = (245, 243, 238), (34, 38, 42), (168, 50, 31), (160, 158, 150)


@dataclass(frozen=True, slots=True)
class Stored:
    """One object and its line in the manifest (without the key)."""

    name: str
    data: bytes
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Track:
    mime: str
    init: bytes
    fragments: tuple[Stored, ...]


def camera() -> Track:
    data = _muxed("libx264", _pictures(), _video_stream)
    init, parts = _split(data)
    at = init.index(b"avcC") + 5
    codec = f"avc1.{init[at : at + 3].hex()}"  # RFC 6381 section 3.3: profile, compatibility, level
    return Track(f'video/mp4; codecs="{codec}"', init, _named(parts, _timescale(init)))


def mic() -> Track:
    data = _muxed("libopus", _sound(), _audio_stream)
    init, parts = _split(data)
    return Track('audio/mp4; codecs="opus"', init, _named(parts, _timescale(init)))


def slide(page: int) -> bytes:
    """The phrase's notes in numbered notation, as a page of slides."""
    image = Image.new("RGB", (1280, 720), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, 1279, 24), fill=SEAL)
    phrase = (PHRASE_1, PHRASE_2, PHRASE_3)[page - 1]
    step = 1100 / len(phrase)
    for number, (degree, beats) in enumerate(phrase):
        x = 100 + step * number
        draw.text((x, 300), str(degree if degree < 8 else 1), fill=INK, font_size=72)
        if degree == 8:
            draw.ellipse((x + 14, 280, x + 24, 290), fill=INK)
        if beats == 0.5:
            draw.line((x - 2, 390, x + 44, 390), fill=INK, width=5)
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80)
    return out.getvalue()


def _muxed(codec: str, frames: Iterator[Any], add: Any) -> bytes:
    out = io.BytesIO()
    options = {"movflags": "empty_moov+default_base_moof+frag_keyframe", "frag_duration": str(FRAGMENT_MS * 1000)}
    with av.open(out, "w", format="mp4", options=options) as container:
        stream = add(container, codec)
        for frame in frames:
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def _video_stream(container: Any, codec: str) -> Any:
    stream = container.add_stream(codec, rate=FPS)
    stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    stream.options = {"preset": "ultrafast", "tune": "zerolatency", "profile": "baseline", "crf": "30"}
    stream.codec_context.gop_size = FPS * FRAGMENT_MS // 1000
    stream.codec_context.max_b_frames = 0
    return stream


def _audio_stream(container: Any, codec: str) -> Any:
    stream = container.add_stream(codec, rate=48_000)  # it resamples; Opus in MP4 is always said to be 48 kHz
    stream.layout = "mono"
    stream.bit_rate = 32_000
    return stream


def _pictures() -> Iterator[Any]:
    for number in range(LENGTH_MS * FPS // 1000):
        frame = av.VideoFrame.from_image(_picture(number * 1000 // FPS))  # type: ignore[no-untyped-call]
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        yield frame


def _picture(ms: int) -> Image.Image:
    """Two lines of the staff's notes; the one that sounds is red and larger."""
    image = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    half = len(MELODY) // 2
    for line in range(2):
        top = 60 + 160 * line
        for stave in range(5):
            draw.line((24, top + 16 * stave, WIDTH - 24, top + 16 * stave), fill=FAINT)
        for index in range(half):
            number = line * half + index
            if number < len(MELODY):
                _note(draw, 48 + index * (WIDTH - 96) / half, top + 80 - 8 * MELODY[number][0], _sounds(number, ms))
    draw.rectangle((24, HEIGHT - 20, 24 + (WIDTH - 48) * ms // LENGTH_MS, HEIGHT - 12), fill=SEAL)
    return image


def _note(draw: ImageDraw.ImageDraw, x: float, y: float, sounding: bool) -> None:
    size = 11 if sounding else 7
    colour = SEAL if sounding else INK
    draw.ellipse((x - size, y - size * 0.8, x + size, y + size * 0.8), fill=colour)
    draw.line((x + size, y, x + size, y - 40), fill=colour, width=3 if sounding else 2)


def _sounds(number: int, ms: int) -> bool:
    return STARTS_MS[number] <= ms < STARTS_MS[number + 1]


def _sound() -> Iterator[Any]:
    samples = array("h", [0]) * (LENGTH_MS * RATE // 1000)
    for (degree, _), (start, end) in zip(MELODY, pairwise(STARTS_MS), strict=True):
        _sing(samples, 261.63 * 2 ** (SEMITONES[degree] / 12), start * RATE // 1000, end * RATE // 1000)
    for number in range(len(samples) // CHUNK):
        frame = av.AudioFrame(format="s16", layout="mono", samples=CHUNK)
        frame.planes[0].update(samples[number * CHUNK : (number + 1) * CHUNK].tobytes())
        frame.sample_rate, frame.pts, frame.time_base = RATE, number * CHUNK, Fraction(1, RATE)
        yield frame


def _sing(samples: array[int], pitch: float, start: int, end: int) -> None:
    """A soft voice: one overtone, quick attack, slow decay. The wave repeats, so one period is computed."""
    period = round(RATE / pitch)
    wave = [math.sin(2 * math.pi * n / period) + 0.3 * math.sin(4 * math.pi * n / period) for n in range(period)]
    length = end - start
    for offset in range(length):
        loudness = min(1.0, offset / 160) * (1 - 0.85 * offset / length)
        samples[start + offset] = int(6000 * loudness * wave[offset % period])


def _split(data: bytes) -> tuple[bytes, list[bytes]]:
    """ftyp + moov, and each moof with its mdat (ISO/IEC 14496-12 section 4.2); what stands around them is left out."""
    init, parts, at = b"", list[bytes](), 0
    while at < len(data):
        size, kind = struct.unpack(">I4s", data[at : at + 8])
        box = data[at : at + size]
        if kind in (b"ftyp", b"moov"):
            init += box
        elif kind == b"moof":
            parts.append(box)
        elif kind == b"mdat":
            parts[-1] += box
        at += size
    return init, parts


def _timescale(init: bytes) -> int:
    """From mdhd (section 8.4.2, version 0)."""
    at = init.index(b"mdhd") + 4
    return int(struct.unpack(">I", init[at + 12 : at + 16])[0])


def _named(parts: list[bytes], timescale: int) -> tuple[Stored, ...]:
    starts = [_decode_time(part) * 1000 // timescale for part in parts]
    ends = [*starts[1:], LENGTH_MS]
    return tuple(
        Stored(f"{start:06d}.m4s", part, start, end)
        for part, start, end in zip(parts, starts, ends, strict=True)
        if end > start
    )


def _decode_time(part: bytes) -> int:
    """From tfdt (section 8.8.12): 32 or 64 bits by its version."""
    at = part.index(b"tfdt") + 4
    form = ">Q" if part[at] == 1 else ">I"
    return int(struct.unpack_from(form, part, at + 4)[0])
