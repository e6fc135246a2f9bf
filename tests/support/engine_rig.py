"""One packet engine behind a wire, time by hand, senders and receivers as SRTP keys: no ICE, no DTLS, no facade.

Rule: speaks the ``Engine`` contract and bytes only, so that every twin can be put in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random
from typing import Any

from media.engine import Engine, EngineEvent, LinkConfig, StreamConfig
from media.parameters import Codec, Extensions
from media.transport.srtp import PROFILES, Arena, SrtpKeys, find_binding, open_session
from media.wire import rtp
from media.wire.extensions import build, elements
from tests.support.media_hall import Wire

Make = Callable[[Random], Engine]

VP8 = Codec("video/VP8", 96, 90000, rtx=97)
VP8_OUT = Codec("video/VP8", 120, 90000, rtx=121)
OPUS = Codec("audio/opus", 111, 48000, 2)
OPUS_OUT = Codec("audio/opus", 63, 48000, 2)
RED_OUT = Codec("audio/red", 101, 48000, 2, "63/63")
# A sender's and a receiver's extension ids differ, as browsers' do.
IN_IDS = Extensions(mid=4, rid=10, repaired_rid=11, audio_level=1, abs_send_time=2, transport_cc=3)
OUT_IDS = Extensions(mid=9, audio_level=6, abs_send_time=7, transport_cc=8)
BINDING = find_binding()  # the copying interface refuses packets above 1356 bytes
LINK_SSRC, LINK_RTX = 0x5555, 0x6666


def vp8(
    picture: int | None, *, key: bool = False, start: bool = True, tl0: int | None = None, body: bytes = b""
) -> bytes:
    """A VP8 payload: descriptor (15-bit picture id, TL0PICIDX, TID 0), first byte of the frame, ``body``."""
    first = 0x10 if start else 0x00
    frame = (b"\x00" if key else b"\x01") + body if start else b"\x01" + body
    if picture is None:
        return bytes([first]) + frame
    flags = 0x80 | (0x60 if tl0 is not None else 0)
    numbers = (0x8000 | picture & 0x7FFF).to_bytes(2, "big") + (bytes([tl0 & 255, 0]) if tl0 is not None else b"")
    return bytes([first | 0x80, flags]) + numbers + frame


def video(mid: str = "1", **changes: Any) -> StreamConfig:
    values: dict[str, Any] = {"kind": "video", "mid": mid, "codec": VP8, "extensions": IN_IDS}
    return StreamConfig(**values | changes)


def audio(mid: str = "0", **changes: Any) -> StreamConfig:
    values: dict[str, Any] = {"kind": "audio", "mid": mid, "codec": OPUS, "extensions": IN_IDS}
    return StreamConfig(**values | changes)


def video_link(**changes: Any) -> LinkConfig:
    values: dict[str, Any] = {
        "kind": "video",
        "mid": "v",
        "codecs": (VP8_OUT,),
        "extensions": OUT_IDS,
        "ssrc": LINK_SSRC,
        "rtx_ssrc": LINK_RTX,
    }
    return LinkConfig(**values | changes)


def audio_link(**changes: Any) -> LinkConfig:
    values: dict[str, Any] = {
        "kind": "audio",
        "mid": "a",
        "codecs": (OPUS_OUT,),
        "extensions": OUT_IDS,
        "ssrc": 0x7777,
        "rtx_ssrc": None,
    }
    return LinkConfig(**values | changes)


@dataclass(frozen=True)
class Got:
    """One packet as its receiver reads it. ``size``: encrypted."""

    ssrc: int
    payload_type: int
    sequence: int
    timestamp: int
    marker: bool
    payload: bytes
    values: dict[int, bytes] = field(repr=False)
    size: int = 0

    @property
    def wide(self) -> int:
        return int.from_bytes(self.values[8], "big")


class Peer:
    """Keys and a path."""

    def __init__(self, rig: Rig, handle: int, profile: bytes) -> None:
        self.rig, self.handle = rig, handle
        self.path = (rig.port, (f"198.51.100.{handle}", 5000 + handle))
        chosen = PROFILES[profile]
        size = 2 * (chosen.key_length + chosen.salt_length)
        keys = SrtpKeys.from_exporter(chosen, bytes((handle * 31 + i) & 255 for i in range(size)))
        self._srtp = open_session(keys.mirrored(), BINDING)
        self._arena = Arena(4096, BINDING)
        rig.engine.add_peer(handle)
        rig.engine.set_keys(handle, keys)
        rig.engine.add_path(handle, self.path)
        rig.engine.select_path(handle, self.path)

    def protect(self, packet: bytes, rtcp: bool = False) -> bytes:
        sealed = self.try_protect(packet, rtcp)
        assert sealed
        return sealed

    def try_protect(self, packet: bytes, rtcp: bool = False) -> bytes:
        """Empty where libsrtp refuses: it, too, reads headers."""
        self._arena.data[: len(packet)] = packet
        function = self._srtp.protect_rtcp if rtcp else self._srtp.protect
        return bytes(self._arena.data[: function(self._arena, 0, len(packet))])

    def send(self, packet: bytes) -> None:
        self.rig.receive(self.protect(packet), self.path)

    def encrypted(self) -> list[bytes]:
        return self.rig.wire.take(self.path[1])

    def take(self) -> list[Got]:
        """RTP that came since; RTCP is passed over."""
        return [self.read(data) for data in self.encrypted() if not 192 <= data[1] <= 223]

    def read(self, data: bytes) -> Got:
        self._arena.data[: len(data)] = data
        size = self._srtp.unprotect(self._arena, len(data))
        assert size, "the engine's packet is authentic and no replay"
        packet = bytes(self._arena.data[:size])
        head = rtp.parse(packet)
        block = elements(packet, head.profile, head.extension_at, head.extension_end)
        values = {i: packet[at : at + n] for i, at, n in block}
        body = packet[head.payload_at : head.payload_end]
        return Got(head.ssrc, head.payload_type, head.sequence, head.timestamp, head.marker, body, values, len(data))


class Source:
    """Numbers one stream's packets. ``sent`` are the plain packets, for those that get lost on the way."""

    def __init__(
        self, peer: Peer, ssrc: int, payload_type: int = 96, sequence: int = 1000, timestamp: int = 9000
    ) -> None:
        self.peer, self.ssrc, self.payload_type = peer, ssrc, payload_type
        self.sequence, self.timestamp = sequence, timestamp

    def packet(self, payload: bytes, *more: tuple[int, bytes], step: int = 3000, marker: bool = True) -> bytes:
        """``step``: timestamps since the packet before; 0 for the same picture."""
        self.sequence = self.sequence + 1 & 0xFFFF
        self.timestamp = self.timestamp + step & 0xFFFFFFFF
        block = build([(3, self.peer.rig.next_wide()), *more])
        return rtp.build(self.payload_type, self.sequence, self.timestamp, self.ssrc, payload, marker, block)

    def send(self, payload: bytes, *more: tuple[int, bytes], step: int = 3000, marker: bool = True) -> bytes:
        made = self.packet(payload, *more, step=step, marker=marker)
        self.peer.send(made)
        return made

    def rtx(self, original: bytes, ssrc: int, sequence: int, *more: tuple[int, bytes]) -> None:
        """Sends ``original`` again as RFC 4588 does."""
        head = rtp.parse(original)
        payload = original[2:4] + original[head.payload_at : head.payload_end]
        block = build([(3, self.peer.rig.next_wide()), *more])
        self.peer.send(rtp.build(97, sequence, head.timestamp, ssrc, payload, head.marker, block))


class Rig:
    """``events`` gathers what the engine told."""

    def __init__(self, make: Make, profile: bytes = b"SRTP_AEAD_AES_128_GCM") -> None:
        self.engine = make(Random(7))
        self.wire = Wire()
        self.port = self.engine.attach(self.wire)
        self.profile = profile
        self.now = 100.0
        self.events: list[EngineEvent] = []
        self._handles = self._wide = 0

    def peer(self) -> Peer:
        self._handles += 1
        return Peer(self, self._handles, self.profile)

    def next_wide(self) -> bytes:
        self._wide += 1
        return (self._wide & 0xFFFF).to_bytes(2, "big")

    def receive(self, data: bytes, path: tuple[int, tuple[str, int]]) -> None:
        self.events += self.engine.receive(data, path, self.now)
        self.engine.flush()

    def burst(self, packets: Sequence[tuple[Peer, bytes]]) -> None:
        """In one go, as a drained socket gives them."""
        self.wire.waiting += [(peer.protect(packet), peer.path[1]) for peer, packet in packets]
        self.events += self.engine.service(self.port, self.now)
        self.engine.flush()

    def wait(self, seconds: float) -> None:
        self.now += seconds

    def pump(self) -> float | None:
        """Then tells what it has to tell."""
        due = self.engine.pump(self.now)
        self.events += self.engine.service(self.port, self.now)
        self.engine.flush()
        return due

    def run(self, seconds: float, step: float = 0.005) -> None:
        for _ in range(round(seconds / step)):
            self.wait(step)
            self.pump()

    def told(self, kind: type) -> list[Any]:
        """Events of this kind since the last time, all others forgotten."""
        self.events += self.engine.service(self.port, self.now)
        found, self.events = [e for e in self.events if isinstance(e, kind)], []
        return found


class Lesson:
    """A teacher with a camera and a microphone, a room with a link for each."""

    VIDEO, AUDIO, SHOWN, HEARD = 10, 11, 20, 21

    def __init__(self, rig: Rig, **link: Any) -> None:
        self.rig, self.engine = rig, rig.engine
        self.teacher, self.room = rig.peer(), rig.peer()
        rig.engine.add_stream(self.VIDEO, self.teacher.handle, video(ssrcs=(0x1111,), rtx_ssrcs=(0x2222,)))
        rig.engine.add_stream(self.AUDIO, self.teacher.handle, audio(ssrcs=(0x3333,)))
        rig.engine.add_link(self.SHOWN, self.room.handle, video_link(**link))
        rig.engine.add_link(self.HEARD, self.room.handle, audio_link(codecs=(OPUS_OUT, RED_OUT)))
        rig.engine.switch(self.SHOWN, self.VIDEO)
        rig.engine.switch(self.HEARD, self.AUDIO)
        self.camera = Source(self.teacher, 0x1111, sequence=65530)
        self.mic = Source(self.teacher, 0x3333, 111, 7)


class Layers:
    """A teacher with three layers of one camera, named by rid, each with a clock and picture ids of its own."""

    STREAMS = (30, 31, 32)

    def __init__(self, rig: Rig, **link: Any) -> None:
        self.rig, self.engine = rig, rig.engine
        self.teacher, self.room = rig.peer(), rig.peer()
        self.sources = []
        for place, stream in enumerate(self.STREAMS):
            config = video(rid="qhf"[place])
            rig.engine.add_stream(stream, self.teacher.handle, config)
            base = (1_000_000, 4_294_960_000, 77)[place]
            self.sources.append(Source(self.teacher, 0x100 + place, sequence=300 * place, timestamp=base))
        self.bases = [s.timestamp for s in self.sources]
        self.pictures = [5, 32766, 900]
        self.tl0 = [250, 3, 77]
        rig.engine.add_link(40, self.room.handle, video_link(**link))

    def delta(self, new: int, old: int) -> int:
        """What sender reports would say: added to ``new``'s timestamps gives ``old``'s clock."""
        return (self.bases[old] - self.bases[new]) & 0xFFFFFFFF

    def frame(
        self, layer: int, key: bool = False, packets: int = 1, at: int | None = None, body: bytes = b""
    ) -> list[bytes]:
        """Plain packets of the next picture; ``at``: its time in 90 kHz since the beginning."""
        source = self.sources[layer]
        self.pictures[layer] += 1
        self.tl0[layer] += 1
        if at is not None:
            source.timestamp = self.bases[layer] + at & 0xFFFFFFFF
        made = []
        for part in range(packets):
            payload = vp8(
                self.pictures[layer], key=key, start=part == 0, tl0=self.tl0[layer], body=bytes([layer, part]) + body
            )
            step = 3000 if part == 0 and at is None else 0
            ids = (4, b"1"), (10, b"qhf"[layer : layer + 1])
            made.append(source.packet(payload, *ids, step=step, marker=part == packets - 1))
        return made

    def send(self, layer: int, key: bool = False, packets: int = 1, at: int | None = None, body: bytes = b"") -> None:
        for packet in self.frame(layer, key, packets, at, body):
            self.teacher.send(packet)


def steps(values: Sequence[int], bits: int = 16) -> list[int]:
    """Differences between neighbours, signed."""
    half, whole = 1 << bits - 1, 1 << bits
    return [(b - a + half) % whole - half for a, b in pairwise(values)]
