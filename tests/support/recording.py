"""A publisher for the recorder's tests: real encoders, RTP by hand, a wrong clock, seeded network weather, no sockets.

Pictures carry their number as black and white blocks, sound has a beep of 100 ms at the start of every second, so what
was recorded can be decoded and compared with the moment at which it really happened.
"""

from __future__ import annotations

import fractions
import heapq
import io
import random
from collections.abc import Iterable
from dataclasses import dataclass, field

import av
import numpy as np
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.opus import OpusEncoder
from aiortc.codecs.vpx import Vp8Encoder

from media.parameters import Codec
from media.record.objects import RecordedObject
from media.record.recorder import Recorder
from media.record.sink import TrackSink
from media.wire import rtp

H264 = Codec("video/H264", 102, 90_000, fmtp="profile-level-id=42e01f;packetization-mode=1")
VP8 = Codec("video/VP8", 96, 90_000)
OPUS = Codec("audio/opus", 111, 48_000, 2)
BITS = 12
BEEP_HZ = 1000
START = 5000.0  # the node's monotonic clock when the room opens


@dataclass(frozen=True)
class Weather:
    """``delay`` each packet has, ``jitter`` up to so much more, ``loss`` as a fraction; all drawn from ``seed``."""

    delay: float = 0.02
    jitter: float = 0.0
    loss: float = 0.0
    seed: int = 1


def picture(number: int, width: int, height: int) -> av.VideoFrame:
    block = width // BITS
    image = np.full((height, width, 3), 128, np.uint8)
    for bit in range(BITS):
        image[: height // 2, bit * block : (bit + 1) * block] = 235 if number >> bit & 1 else 16
    image[height // 2 :, :, 0] = (np.arange(width) + 4 * number) % 256  # something that moves
    return av.VideoFrame.from_ndarray(image, format="rgb24").reformat(format="yuv420p")


def read_number(frame: av.VideoFrame) -> int:
    grey = frame.to_ndarray(format="gray")
    height, width = grey.shape
    block = width // BITS
    row = grey[height // 8 : height * 3 // 8]
    return sum(
        1 << bit
        for bit in range(BITS)
        if row[:, bit * block + block // 4 : (bit + 1) * block - block // 4].mean() > 125
    )


@dataclass
class Camera:
    """``fps`` pictures a second from ``begins`` on; the picture's number is its capture time in frames since START."""

    codec: Codec
    size: tuple[int, int] = (320, 180)
    fps: int = 20
    ssrc: int = 0x1111
    base: int = 4_294_900_000  # wraps within a second
    sequence: int = 65_500
    force_key: bool = False

    def __post_init__(self) -> None:
        self._encoder = H264Encoder() if self.codec is H264 else Vp8Encoder()
        self._encoder.target_bitrate = 500_000

    @property
    def interval(self) -> float:
        return 1 / self.fps

    def timestamp(self, at: float) -> int:
        return (self.base + round((at - START) * 90_000)) & 0xFFFFFFFF

    def packets(self, at: float) -> list[bytes]:
        number = round((at - START) * self.fps)
        frame = picture(number, *self.size)
        frame.pts, frame.time_base = round((at - START) * 90_000), fractions.Fraction(1, 90_000)
        payloads, _ = self._encoder.encode(frame, self.force_key)
        self.force_key = False
        return self._packed(payloads, self.timestamp(at))

    def _packed(self, payloads: list[bytes], timestamp: int) -> list[bytes]:
        out = []
        for index, payload in enumerate(payloads):
            last = index == len(payloads) - 1
            out.append(rtp.build(self.codec.payload_type, self.sequence, timestamp, self.ssrc, payload, last))
            self.sequence = (self.sequence + 1) & 0xFFFF
        return out


@dataclass
class Microphone:
    """20 ms frames; silent but for a beep in the first 100 ms of every second since START."""

    ssrc: int = 0x2222
    base: int = 77_000
    sequence: int = 10
    interval: float = 0.02
    codec: Codec = OPUS
    force_key: bool = False

    def __post_init__(self) -> None:
        self._encoder = OpusEncoder()

    def timestamp(self, at: float) -> int:
        return (self.base + round((at - START) * 48_000)) & 0xFFFFFFFF

    def packets(self, at: float) -> list[bytes]:
        start = round((at - START) * 48_000)
        clock = np.arange(start, start + 960)
        sound = np.where(clock % 48_000 < 4800, 12_000 * np.sin(2 * np.pi * BEEP_HZ * clock / 48_000), 0)
        frame = av.AudioFrame.from_ndarray(np.repeat(sound.astype(np.int16), 2).reshape(1, -1), layout="stereo")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, start, fractions.Fraction(1, 48_000)
        payloads, _ = self._encoder.encode(frame)
        out = []
        for payload in payloads:
            out.append(rtp.build(self.codec.payload_type, self.sequence, self.timestamp(at), self.ssrc, payload, False))
            self.sequence = (self.sequence + 1) & 0xFFFF
        return out


@dataclass
class Studio:
    """Runs sources against a recorder on one simulated clock. ``wrong``: seconds the publisher's clock is off."""

    recorder: Recorder
    weather: Weather = field(default_factory=Weather)
    wrong: float = 0.0
    now: float = START
    objects: list[RecordedObject] = field(default_factory=list)
    names: dict[str, tuple[Camera | Microphone, TrackSink]] = field(default_factory=dict)
    report_every: dict[str, float] = field(default_factory=lambda: {"camera": 1.0, "mic": 5.0})
    answers_key_requests: bool = True
    paused: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._random = random.Random(self.weather.seed)
        self._events: list[tuple[float, int, str, bytes | tuple[float, int]]] = []
        self._count = 0
        self._next_frame: dict[str, float] = {}
        self._next_report: dict[str, float] = {}

    def publish(self, name: str, source: Camera | Microphone) -> None:
        self.names[name] = (source, self.recorder.add_track(name, name, source.codec))
        self._next_frame[name] = self._next_frame.get(name, self.now)
        self._next_frame[name] = self.now
        self._next_report[name] = self.now + 0.9 * self.report_every[name]

    def unpublish(self, name: str) -> None:
        del self.names[name]

    def run(self, seconds: float, *, lossy: bool = True) -> None:
        end = self.now + seconds
        next_take = self.now
        while self.now < end:
            self._send(lossy)
            self._deliver()
            if self.now >= next_take:
                self._take()
                next_take += 0.1
            self.now = round(self.now + 0.005, 6)

    def _send(self, lossy: bool) -> None:
        for name, (source, _) in self.names.items():
            while self._next_frame[name] <= self.now:
                at = self._next_frame[name]
                for packet in [] if name in self.paused else source.packets(at):
                    if not (lossy and self._random.random() < self.weather.loss):
                        self._post(name, packet)
                self._next_frame[name] = round(at + source.interval, 6)
            if self._next_report[name] <= self.now:
                self._next_report[name] += self.report_every[name]
                self._post(name, (self.now + self.wrong, source.timestamp(self.now)))

    def _post(self, name: str, what: bytes | tuple[float, int]) -> None:
        arrival = self.now + self.weather.delay + self._random.random() * self.weather.jitter
        self._count += 1
        heapq.heappush(self._events, (arrival, self._count, name, what))

    def _deliver(self) -> None:
        while self._events and self._events[0][0] <= self.now:
            arrival, _, name, what = heapq.heappop(self._events)
            if name not in self.names:
                continue
            source, sink = self.names[name]
            if isinstance(what, bytes):
                sink.on_rtp(what, arrival)
            else:
                sink.on_sender_report(source.ssrc, what[0], what[1], arrival)

    def _take(self) -> None:
        self.objects += self.recorder.take(self.now)
        for name in self.recorder.wants_key_frame(self.now):
            if name in self.names and self.answers_key_requests:
                self.names[name][0].force_key = True

    def finish(self) -> None:
        self.objects += self.recorder.close(self.now)

    # --- what came out ----------------------------------------------------------------------------------------------

    def entries(self, track: str, kind: str) -> list[dict[str, object]]:
        entries = [item.entry for item in self.objects]
        return [entry[kind] for entry in entries if entry.get("track") == track and kind in entry]

    def file(self, track: str, init: int | None = None) -> bytes:
        """Init and all its fragments, as a player appends them."""
        init = self.entries(track, "init")[0]["k"] if init is None else init  # type: ignore[assignment]
        parts = []
        for item in self.objects:
            of_init = item.entry.get("init", {}).get("k") == init
            of_fragment = item.entry.get("fragment", {}).get("init") == init
            if item.entry.get("track") == track and (of_init or of_fragment):
                parts.append(item.data)
        return b"".join(parts)


def new_studio(**options: object) -> Studio:
    recorder = Recorder("lesson1", 1, 1_700_000_000_000)
    recorder.set_origin(START)
    return Studio(recorder, **options)  # type: ignore[arg-type]


def decode_pictures(data: bytes) -> list[tuple[float, int, tuple[int, int]]]:
    """(ms, number, size) of every picture."""
    with av.open(io.BytesIO(data)) as container:
        frames = container.decode(video=0)
        return [(float(f.pts * f.time_base) * 1000, read_number(f), (f.width, f.height)) for f in frames]


def decode_sound(data: bytes) -> tuple[float, np.ndarray]:
    """First sample's ms, and mono samples at 48 kHz."""
    with av.open(io.BytesIO(data)) as container:
        frames = list(container.decode(audio=0))
    sound = np.concatenate([np.atleast_2d(f.to_ndarray()).mean(axis=0) for f in frames])
    return float(frames[0].pts * frames[0].time_base) * 1000, sound


def beeps(start_ms: float, sound: np.ndarray) -> list[float]:
    """When each beep begins, ms."""
    window = 48
    level = np.abs(sound[: len(sound) // window * window]).reshape(-1, window).max(axis=1)
    loud = level > level.max() * 0.3
    out: list[float] = []
    for at in np.flatnonzero(loud):
        ms = start_ms + float(at)
        if not out or ms - out[-1] > 500:
            out.append(ms)
    return out


def spans(fragments: Iterable[dict[str, object]]) -> list[tuple[int, int]]:
    return [(int(f["from_ms"]), int(f["to_ms"])) for f in fragments]  # type: ignore[call-overload]
