"""What a robot classroom shows and says: a test card with a running clock, two notes and then the teacher's own voice.

Drawn with Pillow and paced by this machine's clock; nothing of it is stored.
"""

from __future__ import annotations

import asyncio
import math
import time
from array import array
from collections import deque
from fractions import Fraction
from typing import Any

from aiortc.mediastreams import MediaStreamTrack
from av import AudioFrame, VideoFrame
from PIL import Image, ImageDraw, ImageFont

RATE = 48_000
BLOCK = RATE // 50
WIDTH, HEIGHT = 320, 180
PICTURES_A_SECOND = 8
ECHO_SECONDS = 2.0
ECHO_BLOCKS = round(ECHO_SECONDS * RATE / BLOCK)
BARS = ("#b8b8b8", "#b0a53a", "#3aa6a6", "#3a9a4a", "#9a3f90", "#a83a3a", "#3a4aa8")
NOTES = (660, 880)
NOTE_BLOCKS = 10
LOUD = 6000


class TestCard(MediaStreamTrack):
    """Seven bars and a clock whose hand goes round once a minute: a picture that stands still is seen to. What must be
    read stands in the middle: tiles cut the sides off."""

    kind = "video"
    __test__ = False  # pytest: no test, for all its name

    def __init__(self, title: str) -> None:
        super().__init__()
        self._ground = _ground(title)
        self._font = ImageFont.load_default(32)
        self._count, self._began = 0, 0.0

    async def recv(self) -> VideoFrame:
        now = time.monotonic()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._count / PICTURES_A_SECOND - now))
        drawn: Any = VideoFrame.from_image(self.picture(time.time()))  # type: ignore[no-untyped-call]  # av says nothing
        frame: VideoFrame = drawn.reformat(format="yuv420p")
        frame.pts, frame.time_base = self._count * (90_000 // PICTURES_A_SECOND), Fraction(1, 90_000)
        self._count += 1
        return frame

    def picture(self, at: float) -> Image.Image:
        made = self._ground.copy()
        draw = ImageDraw.Draw(made)
        middle, radius = (236, 112), 36
        draw.ellipse([middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius], fill="#26323c")
        turn = 2 * math.pi * (at % 60) / 60
        tip = (middle[0] + radius * 0.9 * math.sin(turn), middle[1] - radius * 0.9 * math.cos(turn))
        draw.line([middle, tip], fill="#f0f0f0", width=4)
        draw.text((54, 92), time.strftime("%H:%M:%S", time.localtime(at)), fill="#f0f0f0", font=self._font)
        return made


def _ground(title: str) -> Image.Image:
    made = Image.new("RGB", (WIDTH, HEIGHT), "#101418")
    draw = ImageDraw.Draw(made)
    for number, colour in enumerate(BARS):
        left = number * WIDTH / len(BARS)
        draw.rectangle([left, 0, left + WIDTH / len(BARS), 54], fill=colour)
    draw.text((54, 154), title, fill="#c8d0d8", font=ImageFont.load_default(15))
    return made


class Voice(MediaStreamTrack):
    """On the floor: two notes, then what came in, two seconds late. Else silence."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.on_floor = False
        self.heard_ms = 0
        """Of the teacher's sound, since it was last asked."""
        self._late: deque[bytes] = deque(maxlen=ECHO_BLOCKS + 2)
        self._rest = array("h")
        self._spoken = 0
        self._count, self._began = 0, 0.0

    def hear(self, samples: array[int]) -> None:
        self.heard_ms += len(samples) * 1000 // RATE
        self._rest.extend(samples)

    def take_heard(self) -> int:
        heard, self.heard_ms = self.heard_ms, 0
        return heard

    async def recv(self) -> AudioFrame:
        now = time.monotonic()
        self._began = self._began or now
        await asyncio.sleep(max(0.0, self._began + self._count * BLOCK / RATE - now))
        frame = AudioFrame("s16", "mono", BLOCK)
        frame.planes[0].update(self._next())
        frame.sample_rate, frame.pts, frame.time_base = RATE, self._count * BLOCK, Fraction(1, RATE)
        self._count += 1
        return frame

    def _next(self) -> bytes:
        """One block in, one block out: what falls out at the far end of the line is two seconds old."""
        block, self._rest = self._rest[:BLOCK], self._rest[BLOCK:]
        del self._rest[: -4 * BLOCK]  # a burst after a pause must not lengthen the line for ever
        block.extend([0] * (BLOCK - len(block)))
        self._late.append(block.tobytes())
        late = self._late.popleft() if len(self._late) > ECHO_BLOCKS else bytes(2 * BLOCK)
        if not self.on_floor:
            self._spoken = 0
            return bytes(2 * BLOCK)
        self._spoken += 1
        number = (self._spoken - 1) // NOTE_BLOCKS
        return _note(NOTES[number], self._spoken) if number < len(NOTES) else late


def _note(hertz: int, block: int) -> bytes:
    start = block * BLOCK
    wave = (round(LOUD * math.sin(2 * math.pi * hertz * (start + n) / RATE)) for n in range(BLOCK))
    return array("h", wave).tobytes()
