"""Payloads in order to whole frames. A picture that refers to a lost one is dropped: until the next key frame
nothing is.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from media.errors import PeerError
from media.parameters import Codec
from media.record.jitter import Packet
from media.wire import h264, opus, vp8


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame as its container wants it. ``config``: H.264 parameter sets in force. ``samples``: audio only."""

    timestamp: int
    data: bytes
    arrival: float
    key: bool
    after_loss: bool
    size: tuple[int, int] | None = None
    config: h264.ParameterSets | None = None
    samples: int = 0


class Depacketizer(Protocol):
    needs_key: bool
    """Nothing can be recorded before a key frame comes."""

    def push(self, packet: Packet) -> list[Frame]: ...


class OpusDepacketizer:
    """RFC 7587: one packet, one frame."""

    needs_key = False

    def push(self, packet: Packet) -> list[Frame]:
        if not packet.payload:
            return []
        try:
            samples = opus.samples(packet.payload)
        except PeerError:
            return []
        frame = Frame(packet.timestamp, packet.payload, packet.arrival, True, packet.after_loss, samples=samples)
        return [frame]


class _VideoDepacketizer(ABC):
    """Gathers the packets of one timestamp; ``_finish`` makes a frame of them."""

    def __init__(self) -> None:
        self.needs_key = True
        self._packets: list[Packet] = []
        self._loss = False

    def push(self, packet: Packet) -> list[Frame]:
        out: list[Frame] = []
        if packet.after_loss:
            self._packets = []
            self.needs_key = self._loss = True
        if not packet.payload:
            return out  # padding that probes the path
        if self._packets and self._packets[0].timestamp != packet.timestamp:
            out += self._complete()  # no marker, but another picture: the old one is over
        self._packets.append(packet)
        if packet.marker:
            out += self._complete()
        return out

    def _complete(self) -> list[Frame]:
        packets, self._packets = self._packets, []
        try:
            frame = self._finish(packets)
        except PeerError:
            self.needs_key = self._loss = True
            return []
        if frame is None or (self.needs_key and not frame.key):
            return []
        self.needs_key = self._loss = False
        return [frame]

    @abstractmethod
    def _finish(self, packets: list[Packet]) -> Frame | None: ...


class Vp8Depacketizer(_VideoDepacketizer):
    def _finish(self, packets: list[Packet]) -> Frame | None:
        descriptors = [vp8.parse_descriptor(packet.payload) for packet in packets]
        if not descriptors[0].start:
            raise PeerError("VP8 frame without its beginning")
        pairs = zip(packets, descriptors, strict=True)
        data = b"".join(packet.payload[descriptor.payload_at :] for packet, descriptor in pairs)
        key = vp8.is_key_frame(data)
        size = vp8.key_frame_size(data) if key else None
        return Frame(packets[0].timestamp, data, packets[0].arrival, key, self._loss, size)


class H264Depacketizer(_VideoDepacketizer):
    """Parameter sets go from the stream into the container's header: "avc1" forbids them in band."""

    _OUT_OF_BAND = (h264.SPS, h264.PPS, h264.AUD)

    def __init__(self, fmtp: str) -> None:
        super().__init__()
        self._sets = h264.from_fmtp(fmtp)

    def _finish(self, packets: list[Packet]) -> Frame | None:
        assembler = h264.Assembler([])
        for packet in packets:
            assembler.push(packet.payload)
        if not assembler.whole or not h264.starts_at_first_block(assembler.units):
            raise PeerError("H.264 picture without its beginning or end")
        self._sets = h264.collect(assembler.units) or self._sets
        units = [unit for unit in assembler.units if h264.unit_type(unit) not in self._OUT_OF_BAND]
        if self._sets is None or not units:
            return None
        key = any(h264.unit_type(unit) == h264.IDR for unit in units)
        data = b"".join(len(unit).to_bytes(4, "big") + unit for unit in units)
        size = self._sets.size() if key else None
        return Frame(packets[0].timestamp, data, packets[0].arrival, key, self._loss, size, self._sets)


def depacketizer(codec: Codec) -> Depacketizer:
    mime = codec.mime.lower()
    if mime == "audio/opus":
        return OpusDepacketizer()
    if mime == "video/h264":
        return H264Depacketizer(codec.fmtp)
    if mime == "video/vp8":
        return Vp8Depacketizer()
    raise PeerError(f"no container for {codec.mime}")
