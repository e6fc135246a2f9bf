"""Frames with their room time become inits, fragments and gaps. A fragmenter lives as long as its track, whoever sends.

A fragment ends at a key frame (a segment begins there), when it is long enough, and before a hole. ``from_ms`` of later
fragments never lies before ``to_ms`` of earlier ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from media.record import fmp4, webm
from media.record.depacketize import Frame
from media.record.manifest import lesson_prefix
from media.record.objects import RecordedObject
from media.wire import opus
from media.wire.h264 import ParameterSets

FRAGMENT_MS = 1500  # with gathering and fsync it is on disk two seconds after its first frame, whatever happens then
USUAL_FRAME_MS = 40
VIDEO_GAP_MS = 300  # a shorter hole is a slow camera
FILL_MS = 1000  # sound missing for no longer is silence in the file; a longer hole stands in the manifest
CHANNELS = 2  # RFC 7587 section 4.1: a receiver is always ready for stereo
SAMPLES_PER_MS = 48


@dataclass(frozen=True, slots=True)
class TrackName:
    """Whose fragments these are."""

    lesson: str
    epoch: int
    opened_at_ms: int
    track: str
    source: str

    def entry(self, mime: str) -> dict[str, Any]:
        return {
            "lesson": self.lesson,
            "epoch": self.epoch,
            "opened_at_ms": self.opened_at_ms,
            "track": self.track,
            "source": self.source,
            "mime": mime,
        }

    def key(self, file: str) -> str:
        return f"{lesson_prefix(self.lesson, self.epoch)}{self.track}/{file}"


class Shelf:
    """Names and numbers objects of one track. Numbers are room times, so that no restart can ever reuse one."""

    def __init__(self, name: TrackName, out: Callable[[RecordedObject], None]) -> None:
        self.name = name
        self._out = out
        self._number = -1
        self._init = -1
        self._mime = ""
        self._suffix = "m4s"

    def put_init(self, at_ms: int, mime: str, data: bytes, width: int, height: int) -> None:
        self._init = max(at_ms, self._init + 1)
        self._mime, self._suffix = mime, "webm" if "webm" in mime else "m4s"
        key = self.name.key(f"init-{self._init}.{'webm' if 'webm' in mime else 'mp4'}")
        init = {"k": self._init, "key": key, "mime": mime, "width": width, "height": height}
        self._out(RecordedObject(key, data, _content_type(mime), {**self.name.entry(mime), "init": init}))

    def next_number(self, from_ms: int) -> int:
        self._number = max(from_ms, self._number + 1)
        return self._number

    def put_fragment(self, number: int, span: tuple[int, int], data: bytes, *, random_access: bool) -> None:
        key = self.name.key(f"{number:06d}.{self._suffix}")
        fragment = {
            "n": number,
            "key": key,
            "init": self._init,
            "from_ms": span[0],
            "to_ms": span[1],
            "random_access": random_access,
            "size": len(data),
            "sha256": hashlib.sha256(data).hexdigest(),
        }
        entry = {**self.name.entry(self._mime), "fragment": fragment}
        self._out(RecordedObject(key, data, _content_type(self._mime), entry))

    def put_gap(self, from_ms: int, to_ms: int, cause: str) -> None:
        gap = {"from_ms": from_ms, "to_ms": to_ms, "cause": cause}
        entry = {**self.name.entry(self._mime), "gap": gap}
        self._out(RecordedObject(self.name.key(f"gap-{from_ms}"), b"", "application/json", entry))


def _content_type(mime: str) -> str:
    return mime.partition(";")[0]


class VideoFragmenter:
    """H.264 into fMP4, VP8 into WebM."""

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._open: list[tuple[int, Frame]] = []
        self._config: tuple[ParameterSets | None, tuple[int, int]] | None = None
        self.end_ms: int | None = None
        """Where the written part ends."""
        self.wants_key = False
        """After a hole browsers play nothing before a key frame (MSE section 3.5.8, "need random access point")."""

    @property
    def open_from_ms(self) -> int | None:
        return self._open[0][0] if self._open else None

    def add(self, frame: Frame, at: float, hole: str | None) -> None:
        """``hole``: why something may be missing before this frame (a cause), None when nothing is."""
        at_ms = max(round(at), self.end_ms or 0)
        if self._open:
            at_ms = max(at_ms, self._open[-1][0] + 1)
        last = self._open[-1][0] if self._open else self.end_ms
        if last is not None and hole and at_ms - last > VIDEO_GAP_MS:
            self.flush()
            self._mark_hole(at_ms, hole)
        elif self._open and (frame.key or at_ms - self._open[0][0] >= FRAGMENT_MS):
            self._write(self._open, at_ms)
            self._open = []
        if frame.key:
            self._configure(frame, at_ms)
        behind_hole = not self._open and self.end_ms is not None and at_ms > self.end_ms
        self.wants_key = not frame.key and (self.wants_key or behind_hole)
        self._open.append((at_ms, frame))

    def _mark_hole(self, at_ms: int, cause: str) -> None:
        if self.end_ms is not None and at_ms > self.end_ms:
            self.shelf.put_gap(self.end_ms, at_ms, cause)

    def _configure(self, frame: Frame, at_ms: int) -> None:
        assert frame.size is not None, "key frames carry their size"
        config = (frame.config, frame.size)
        if config == self._config:
            return
        self._config = config
        if frame.config is not None:
            mime, data = f'video/mp4; codecs="{frame.config.codec}"', fmp4.video_init(frame.config)
        else:
            mime, data = 'video/webm; codecs="vp8"', webm.init(*frame.size)
        self.shelf.put_init(at_ms, mime, data, *frame.size)

    def expire(self, now_ms: float) -> None:
        """Write what is old enough; the newest picture waits for its successor, which says how long it lasts."""
        if not self._open or now_ms - self._open[0][0] < FRAGMENT_MS:
            return
        if len(self._open) > 1:
            *done, last = self._open
            self._write(done, last[0])
            self._open = [last]
        else:
            self.flush()

    def flush(self) -> None:
        if self._open:
            last = self._open[-1][0]
            self._write(self._open, last + min(USUAL_FRAME_MS, FRAGMENT_MS))
            self._open = []

    def _write(self, frames: list[tuple[int, Frame]], end_ms: int) -> None:
        if end_ms - frames[-1][0] > FRAGMENT_MS:  # a still screen: its picture stays, but the fragment stays short
            end_ms = frames[-1][0] + USUAL_FRAME_MS
        number = self.shelf.next_number(frames[0][0])
        ends = [*(at for at, _ in frames[1:]), end_ms]
        if frames[0][1].config is not None:
            data = fmp4.fragment(number, frames[0][0], _samples(frames, ends))
        else:
            data = webm.cluster(_blocks(frames, ends))
        span = (frames[0][0], end_ms)
        self.shelf.put_fragment(number, span, data, random_access=frames[0][1].key)
        self.end_ms = end_ms


def _samples(frames: list[tuple[int, Frame]], ends: list[int]) -> list[fmp4.Sample]:
    return [fmp4.Sample(frame.data, end - at, frame.key) for (at, frame), end in zip(frames, ends, strict=True)]


def _blocks(frames: list[tuple[int, Frame]], ends: list[int]) -> list[webm.Block]:
    return [webm.Block(at, end - at, frame.data, frame.key) for (at, frame), end in zip(frames, ends, strict=True)]


class AudioFragmenter:
    """Opus into fMP4, without seams: sound is counted in samples, and corrected only by whole frames."""

    _MIME = 'audio/mp4; codecs="opus"'

    def __init__(self, shelf: Shelf) -> None:
        self.shelf = shelf
        self._open: list[fmp4.Sample] = []
        self._start = 0
        self._next: int | None = None
        self._has_init = False

    @property
    def open_from_ms(self) -> int | None:
        return self._start // SAMPLES_PER_MS if self._open else None

    def add(self, frame: Frame, at_ms: float, hole: str | None) -> None:
        at = round(at_ms * SAMPLES_PER_MS)
        if self._next is None:
            self._begin(at)
        assert self._next is not None, "begun"
        late = at - self._next
        if late < -opus.SILENCE_SAMPLES:
            return  # time was found to run earlier: one frame less brings sound back to its picture
        if late > FILL_MS * SAMPLES_PER_MS:
            self.flush()
            self.shelf.put_gap(_ms(self._next), _ms(at), hole or "pause")
            self._next = at
        elif late > opus.SILENCE_SAMPLES:
            for _ in range(late // opus.SILENCE_SAMPLES):
                self._append(fmp4.Sample(opus.SILENCE, opus.SILENCE_SAMPLES))
        self._append(fmp4.Sample(frame.data, frame.samples))

    def _begin(self, at: int) -> None:
        self._next = max(at, 0)
        if not self._has_init:
            self._has_init = True
            self.shelf.put_init(_ms(self._next), self._MIME, fmp4.audio_init(CHANNELS), 0, 0)

    def _append(self, sample: fmp4.Sample) -> None:
        assert self._next is not None, "begun"
        if not self._open:
            self._start = self._next
        self._open.append(sample)
        self._next += sample.duration
        if self._next - self._start >= FRAGMENT_MS * SAMPLES_PER_MS:
            self.flush()

    def expire(self, now_ms: float) -> None:
        if self._open and now_ms - _ms(self._start) >= FRAGMENT_MS:
            self.flush()

    def flush(self) -> None:
        if not self._open:
            return
        assert self._next is not None, "begun"
        span = (_ms(self._start), _ms(self._next))
        number = self.shelf.next_number(span[0])
        data = fmp4.fragment(number, self._start, self._open)
        self.shelf.put_fragment(number, span, data, random_access=True)
        self._open = []


def _ms(samples: int) -> int:
    return round(samples / SAMPLES_PER_MS)
