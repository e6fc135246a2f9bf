"""One open connection to a camera (RTSP, RTMP): its packets, from a thread that may wait."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Any, cast

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.packet import Packet

from signaling.pictures import Order, Whole
from signaling.sources import SourceError

OPEN_SECONDS, READ_SECONDS = 8.0, 8.0
LOOK_MICROSECONDS = 2_000_000
"""A camera says what it sends at once; the demuxer would look at it for five seconds."""
LOOK_PICTURES = 25
"""One that may send B pictures is looked at so long before anybody sees it: most have one in every second."""


def _opened(url: str, options: dict[str, str]) -> InputContainer:
    until = time.monotonic() + OPEN_SECONDS
    try:
        return av.open(url, options=options, timeout=(OPEN_SECONDS, READ_SECONDS))
    except av.error.InvalidDataError as error:
        # RTSP's demuxer says so too where it waited for an answer in vain.
        raise SourceError("stream" if time.monotonic() < until else "away") from error


class Camera:
    def __init__(self, url: str) -> None:
        # Not "nobuffer": that throws away what was looked at, and with it the key frame that ten seconds build on.
        options = {"rtsp_transport": "tcp", "rw_timeout": str(int(READ_SECONDS * 1e6))}
        options["analyzeduration"] = str(LOOK_MICROSECONDS)
        container: InputContainer = _opened(url, options)
        self._container = container
        try:
            self._begin()
        except BaseException:
            container.close()
            raise

    def _begin(self) -> None:
        # A stream that the demuxer has no decoder for has no context.
        streams = self._container.streams
        self._video = next(iter(streams.video), None)
        self._audio = next((one for one in streams.audio if one.codec_context is not None), None)
        if self._video is None or self._video.codec_context is None or self._video.codec_context.name != "h264":
            raise SourceError("codec")
        context = self._video.codec_context
        known = bytes(context.extradata or b"")
        # FLV brings length-prefixed units and the parameter sets apart, RTSP start codes.
        self._start_codes = BitStreamFilterContext("h264_mp4toannexb", self._video) if known[:1] == b"\x01" else None
        self._whole = Whole(b"" if self._start_codes else known)
        self._order = Order()
        self._sound = self._resampler()
        self._packets = self._demuxed()
        self._early: list[tuple[str, Any]] = []
        if context.has_b_frames:
            self._look()

    @property
    def sounds(self) -> bool:
        return self._audio is not None

    def read(self) -> Iterator[tuple[str, Any]]:
        """("video", packet) and ("audio", frame), until the camera ends. SourceError("stuck") where it is silent, or
        only sound comes."""
        early, self._early = self._early, []
        yield from early
        seen = time.monotonic()
        for packet in self._packets:
            for kind, item in self._items(packet):
                if kind == "video":
                    seen = time.monotonic()
                yield kind, item
            if time.monotonic() - seen > READ_SECONDS:
                raise SourceError("stuck")

    def _demuxed(self) -> Iterator[Packet[Any]]:
        streams = [one for one in (self._video, self._audio) if one is not None]
        try:
            for packet in self._container.demux(*streams):
                if packet.size == 0:
                    return
                yield packet
        except (av.error.ExitError, av.error.TimeoutError) as error:
            raise SourceError("stuck") from error

    def _look(self) -> None:
        """B pictures are told before a picture stands in the lesson, not after each of many tries."""
        until = time.monotonic() + READ_SECONDS
        for packet in self._packets:
            self._early += self._items(packet)
            if sum(kind == "video" for kind, _ in self._early) >= LOOK_PICTURES or time.monotonic() > until:
                return

    def _items(self, packet: Packet[Any]) -> Iterator[tuple[str, Any]]:
        if packet.stream is self._video:
            for one in self._start_codes.filter(packet) if self._start_codes else [packet]:
                whole, ahead = self._whole.picture(bytes(one))
                if whole:
                    yield "video", self._stamped(whole, packet, ahead)
        else:
            for frame in self._heard(packet):
                yield "audio", frame

    def _stamped(self, whole: bytes, packet: Packet[Any], ahead: bool) -> Packet[Any]:
        told = None if packet.pts is None else Fraction(packet.pts * packet.time_base)
        made = Packet(whole)
        made.pts, made.time_base = int(self._order.at(told, ahead) * 90_000), Fraction(1, 90_000)
        return made

    def _heard(self, packet: Packet[Any]) -> Iterator[AudioFrame]:
        with contextlib.suppress(av.error.FFmpegError):  # a torn sound packet is a click, no end
            for frame in cast("list[AudioFrame]", packet.decode()):
                try:
                    yield from self._sound.resample(frame)
                except ValueError:  # the camera's sound changed its form in mid-stream
                    self._sound = self._resampler()
                    yield from self._sound.resample(frame)

    @staticmethod
    def _resampler() -> AudioResampler:
        return AudioResampler(format="s16", layout="mono", rate=48_000, frame_size=960)

    def close(self) -> None:
        self._container.close()
