"""A lesson's sound as one m4a, for a teacher's own archive and for players that know no Opus: AAC, written while it is
sent, so that the download begins at once and nothing is kept twice.

Only what was recorded with consent is in it: the lead teacher's voice. Gaps stay as long as they were, as silence, so
that the times of the replay's chapters hold.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import queue
import threading
from collections.abc import AsyncIterator, Sequence
from typing import Any

import av
from av.audio.fifo import AudioFifo
from av.audio.resampler import AudioResampler

from server.recordings.schemas import TrackOut
from signaling.ports import ObjectMissingError, ObjectStore

RATE = 48_000
BITRATE = 64_000  # mono speech; a lesson of 40 minutes is 19 MB
AAC_FRAME = 1024
LEAST_HOLE = RATE // 10
"""Shorter ones are the containers' rounding."""
MOST_HOLE = RATE * 3600
CHUNKS = 16
"""Written and not yet sent: the encoder waits for a slow reader."""
OPTIONS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "5000000"}


def media_key(lesson: str, url: str) -> str:
    """The object behind a replay's address (``merge.media_url``)."""
    epoch, track, file = url.rsplit("/", 3)[1:]
    return f"lessons/{lesson}/e{epoch}/{track}/{file}"


async def streams(objects: ObjectStore, lesson: str, track: TrackOut) -> AsyncIterator[bytes]:
    """One playable file per init: its header and the fragments that name it. What is missing is a gap."""
    for init in track.inits:
        urls = [init.url, *(one.url for one in track.fragments if one.init == init.id)]
        parts = []
        for url in urls:
            try:
                parts.append(await objects.get(media_key(lesson, url)))
            except ObjectMissingError:
                if url == init.url:
                    break
        if len(parts) > 1:
            yield b"".join(parts)


class _Pipe(io.RawIOBase):
    """What the muxer writes into; it cannot seek."""

    def __init__(self, chunks: queue.Queue[bytes | None], gone: threading.Event) -> None:
        self._chunks, self._gone = chunks, gone

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        chunk = bytes(data)
        while not self._gone.is_set():
            try:
                self._chunks.put(chunk, timeout=0.5)
            except queue.Full:
                continue
            return len(chunk)
        raise BrokenPipeError


def encode(files: Sequence[bytes], out: io.RawIOBase) -> None:
    """Opus in, AAC out; the first sound is at zero."""
    with av.open(out, "w", format="mp4", options=OPTIONS) as target:
        stream = target.add_stream("aac", rate=RATE, layout="mono", bit_rate=BITRATE)
        line = _Line()
        for data in files:
            with av.open(io.BytesIO(data), "r") as source:
                for frame in source.decode(audio=0):
                    line.put(frame)
                    _drain(line, stream, target, whole=True)
        _drain(line, stream, target, whole=False)
        for packet in stream.encode(None):
            target.mux(packet)


class _Line:
    """Samples in a row: holes filled, overlaps cut."""

    def __init__(self) -> None:
        self.fifo = AudioFifo()
        self._resampler = AudioResampler("fltp", "mono", RATE)
        self._start: int | None = None
        self._written = 0

    def put(self, frame: av.AudioFrame) -> None:
        at = round(float((frame.pts or 0) * (frame.time_base or 0)) * RATE)
        self._start = at if self._start is None else self._start
        hole = at - self._start - self._written
        if LEAST_HOLE < hole < MOST_HOLE:
            self._silence(hole)
        elif hole < -LEAST_HOLE:
            return  # told twice: a move's two nodes overlap by a moment
        for plain in self._resampler.resample(frame):
            self._add(plain)

    def _silence(self, samples: int) -> None:
        while samples > 0:
            count = min(samples, RATE)
            frame = av.AudioFrame("fltp", "mono", count)
            frame.sample_rate = RATE
            frame.planes[0].update(bytes(frame.planes[0].buffer_size))
            self._add(frame)
            samples -= count

    def _add(self, frame: av.AudioFrame) -> None:
        frame.pts = None
        self._written += frame.samples
        self.fifo.write(frame)


def _drain(line: _Line, stream: Any, target: Any, *, whole: bool) -> None:
    while (frame := line.fifo.read(AAC_FRAME, partial=not whole)) is not None:
        for packet in stream.encode(frame):
            target.mux(packet)


def _close(chunks: queue.Queue[bytes | None], gone: threading.Event) -> None:
    while not gone.is_set():
        with contextlib.suppress(queue.Full):
            chunks.put(None, timeout=0.5)
            return


async def m4a(files: Sequence[bytes]) -> AsyncIterator[bytes]:
    """Chunks as the encoder writes them; the encoder ends when nobody reads any more."""
    chunks: queue.Queue[bytes | None] = queue.Queue(CHUNKS)
    gone = threading.Event()

    def work() -> None:
        try:
            encode(files, _Pipe(chunks, gone))
        finally:
            _close(chunks, gone)

    working = asyncio.create_task(asyncio.to_thread(work))
    try:
        while (chunk := await asyncio.to_thread(chunks.get)) is not None:
            yield chunk
        await working
    finally:
        gone.set()
        await asyncio.gather(working, return_exceptions=True)
