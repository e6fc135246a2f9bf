"""What a recording really holds: its fragments decoded, burnt-in counter and marks read back with their room time.

``Truth`` is what the teacher's own page captured, in room time; ``Recorded`` is what the replay's files contain.
"""

from __future__ import annotations

import bisect
import io
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
import numpy.typing as npt

from tests.support.footage import BLOCKS, COUNTER_BITS, FPS, LOOP_SECONDS, MARK_EVERY, MARKS, counter_blocks, mark_hz
from tests.support.site import Visitor

Moment = tuple[float, int]
"""(room time in ms, counter or number of the mark)"""

MARK_BLOCKS = 6
MISSED = 10  # frames: half a second
ROWS = {tuple(counter_blocks(n)): n for n in range(1 << COUNTER_BITS)}


@dataclass(frozen=True)
class Truth:
    """Captured frames and marks in the order they happened; both loop every half minute."""

    frames: list[Moment]
    marks: list[Moment]

    def counter_at(self, room_ms: float) -> int | None:
        """Counter of the newest frame captured by then."""
        at = bisect.bisect_right(self.frames, (room_ms, 1 << 30)) - 1
        return self.frames[at][1] if at >= 0 else None

    def captured(self, counter: int, near_ms: float) -> float | None:
        """When the frame with this counter was captured, in the loop nearest to ``near_ms``.

        A busy page misses frames; the camera does not, so a missed one lies its number of frames beside a seen one.
        """
        loop = LOOP_SECONDS * FPS
        best: tuple[int, float] | None = None
        start = bisect.bisect_left(self.frames, (near_ms - LOOP_SECONDS * 500, 0))
        for at, seen in itertools.takewhile(lambda f: f[0] < near_ms + LOOP_SECONDS * 500, self.frames[start:]):
            away = (counter - seen + loop // 2) % loop - loop // 2
            if abs(away) <= MISSED and (best is None or abs(away) < best[0]):
                best = (abs(away), at + away * 1000 / FPS)
        return best and best[1]

    def marked(self, number: int, near_ms: float) -> float | None:
        span = MARKS * MARK_EVERY * 500
        times = [t for t, n in self.marks if n == number and abs(t - near_ms) < span]
        return min(times, key=lambda t: abs(t - near_ms), default=None)


def captured_at(seen: list[tuple[float, float, int | None]]) -> list[Moment]:
    """(read at, time stamp, number) -> when each was captured, on the clock that tells "read at".

    Stamps are the system's ticks since some moment, so the two clocks differ by a constant. A busy page reads late,
    never early: the least (read at - stamp) of all is that constant.
    """
    offset = min((read - stamp for read, stamp, _ in seen), default=0.0)
    return [(stamp + offset, number) for _, stamp, number in seen if number is not None]


def read_counter(luma: npt.NDArray[np.uint8]) -> int | None:
    """Of one decoded picture, whatever its size."""
    side = luma.shape[1] / BLOCKS
    row = luma[int(side * 0.5), :]
    levels = [float(row[int((i + 0.3) * side) : int((i + 0.7) * side) + 1].mean()) for i in range(BLOCKS)]
    return ROWS.get(tuple(level > 125 for level in levels))


class Recorded:
    """The replay of one lesson, fetched as the player does."""

    def __init__(self, visitor: Visitor, lesson: str) -> None:
        self._visitor = visitor
        answer = visitor.get(f"/api/v1/lessons/{lesson}/replay")
        answer.raise_for_status()
        self.replay: dict[str, Any] = answer.json()

    def track(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = next(one for one in self.replay["tracks"] if one["track"] == name)
        return found

    def names(self) -> list[str]:
        return [one["track"] for one in self.replay["tracks"]]

    def gaps(self, name: str) -> list[tuple[int, int, str]]:
        return [(gap["from_ms"], gap["to_ms"], gap["cause"]) for gap in self.track(name)["gaps"]]

    def covered(self, name: str) -> list[tuple[int, int]]:
        """Union of the fragments' spans; cracks of up to 100 ms are one frame's rounding."""
        spans: list[tuple[int, int]] = []
        for one in sorted(self.track(name)["fragments"], key=lambda one: one["from_ms"]):
            if spans and one["from_ms"] - spans[-1][1] <= 100:
                spans[-1] = (spans[-1][0], max(spans[-1][1], one["to_ms"]))
            else:
                spans.append((one["from_ms"], one["to_ms"]))
        return spans

    def _streams(self, name: str) -> Iterator[bytes]:
        """One playable file per init: header and the fragments that name it."""
        track = self.track(name)
        for init in track["inits"]:
            parts = [init["url"], *(one["url"] for one in track["fragments"] if one["init"] == init["id"])]
            if len(parts) > 1:
                yield b"".join(self._get(url) for url in parts)

    def _get(self, url: str) -> bytes:
        answer = self._visitor.get(url)
        answer.raise_for_status()
        return answer.content

    def frames(self) -> list[Moment]:
        """Every picture whose counter can be read, with its room time."""
        found: list[Moment] = []
        for data in self._streams("camera"):
            with av.open(io.BytesIO(data)) as container:
                for frame in container.decode(video=0):
                    assert frame.pts is not None and frame.time_base is not None
                    number = read_counter(frame.to_ndarray(format="gray"))
                    if number is not None:
                        found.append((float(frame.pts * frame.time_base * 1000), number))
        return sorted(found)

    def marks(self) -> list[Moment]:
        """Beginnings of the marks in the sound, with their room time."""
        found: list[Moment] = []
        for data in self._streams("mic"):
            with av.open(io.BytesIO(data)) as container:
                found += _marks(container)
        return sorted(found)


def _marks(container: Any) -> Iterator[Moment]:
    """Looks at 10 ms at a time, as measure.js does in the page: a mark is the same pitch for 60 ms."""
    run, last, begun = 0, -1, 0.0
    resampler = av.AudioResampler(format="flt", layout="mono", rate=48_000)
    for decoded in container.decode(audio=0):
        for frame in resampler.resample(decoded):
            samples = frame.to_ndarray().reshape(-1)
            start = float(frame.pts * frame.time_base * 1000)
            for at in range(0, len(samples) - 479, 480):
                number = _mark(samples[at : at + 480])
                if number is None or number != last:
                    run, begun = 0, start + at / 48
                run, last = run + 1, -1 if number is None else number
                if run == MARK_BLOCKS and number is not None:
                    yield begun, number


def _mark(block: npt.NDArray[np.float32]) -> int | None:
    total = float((block**2).mean())
    if total < 1e-4:
        return None
    t = np.arange(len(block)) / 48_000
    powers = [2 * abs(np.dot(block, np.exp(-2j * np.pi * mark_hz(n) * t)) / len(block)) ** 2 for n in range(MARKS)]
    best = int(np.argmax(powers))
    return best if powers[best] > 0.6 * total else None
