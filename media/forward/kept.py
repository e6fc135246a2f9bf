"""The last key frame of a camera that cannot be asked for one: who joins sees it at once, until the next comes.

Rule: nobody else sees a packet of it. It goes in by the engine's own door, as a stream of a peer that is nowhere, so
that numbers, pacing and repair are those of every other picture; a link shows it and goes over at the next key frame.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from media.engine import Detail, Engine, EngineEvent, Reception, StreamConfig
from media.errors import PeerError
from media.forward.keyframes import starts_key_frame
from media.forward.router import PublishedTrack, Slot
from media.forward.taps import Tappable
from media.parameters import Codec, Extensions
from media.record.sink import TrackSink
from media.transport.ice import Path
from media.transport.srtp import PROFILES, TRAILER, Arena, SrtpKeys, find_binding, open_session
from media.wire import rtp

MOST_BYTES = 768 * 1024  # a key frame of 1080p at the best quality is half of it
OLDEST = 30.0  # seconds; cameras make key frames every 1 to 16 s: older is no picture of now
_AGAIN = 1.0  # seconds until one slot may get it again
_PATH: Path = (0, ("0.0.0.0", 0))  # no port has this handle, no packet this sender
_LARGEST = 2048


@dataclass(slots=True)
class _Picture:
    """Payloads by 16-bit number, of one timestamp."""

    timestamp: int
    first: int
    parts: dict[int, bytes]
    last: int | None = None
    bytes: int = 0

    @property
    def whole(self) -> bool:
        return self.last is not None and bool(self.parts) and len(self.parts) == (self.last - self.first & 0xFFFF) + 1


class KeptPicture:
    """A ``TrackSink`` on the track's stream; ``behind`` is the recorder's, which hears the same."""

    def __init__(self, engine: Engine, mime: str) -> None:
        self._engine = engine
        self._mime = mime
        self._growing: _Picture | None = None
        self._whole: _Picture | None = None
        self._at = float("-inf")
        self._before: int | None = None  # newest number that is not of the growing picture
        self.behind: TrackSink | None = None

    def on_rtp(self, packet: bytes, arrival: float) -> None:
        self._keep(packet, arrival)
        if self.behind is not None:
            self.behind.on_rtp(packet, arrival)

    def on_sender_report(self, ssrc: int, ntp_seconds: float, rtp_timestamp: int, arrival: float) -> None:
        return None  # the recorder's come by ``LayerTap.report``

    def tap(self, stream: int, sink: TrackSink | None) -> None:
        """The recorder's place; ``stream`` has one tap, and that is this."""
        self.behind = sink

    def reception(self, stream: int) -> Reception | None:
        return self._engine.reception(stream)

    def payloads(self, now: float) -> list[bytes]:
        """In order; none when there is no picture, or none of now."""
        whole = self._whole
        if whole is None or now - self._at > OLDEST:
            return []
        return [whole.parts[whole.first + i & 0xFFFF] for i in range(len(whole.parts))]

    def _keep(self, packet: bytes, arrival: float) -> None:
        try:
            head = rtp.parse(packet)
        except PeerError:
            return
        payload = packet[head.payload_at : head.payload_end]
        starts = bool(payload) and starts_key_frame(self._mime, payload)
        growing = self._growing
        if starts and (growing is None or head.timestamp != growing.timestamp):
            growing = self._growing = _Picture(head.timestamp, head.sequence, {})
        if growing is None or head.timestamp != growing.timestamp:
            self._note_before(head.sequence)
        else:
            self._grow(growing, head, payload, starts)
        if growing is not None and growing.whole and self._before in (None, growing.first - 1 & 0xFFFF):
            self._whole, self._growing, self._at = growing, None, arrival
            self._before = growing.last

    def _grow(self, growing: _Picture, head: rtp.RtpHeader, payload: bytes, starts: bool) -> None:
        """Each slice may look like a start: the first is the one behind the picture before."""
        if head.sequence - growing.first & 0x8000:
            if not starts:
                self._note_before(head.sequence)
                return
            growing.first = head.sequence
        growing.bytes += len(payload)
        if growing.bytes > MOST_BYTES:
            growing.parts.clear()
            return
        growing.parts[head.sequence] = payload
        if head.marker:
            growing.last = head.sequence

    def _note_before(self, sequence: int) -> None:
        if self._before is None or not sequence - self._before & 0x8000:
            self._before = sequence


@dataclass(slots=True)
class _Still:
    """One track's picture as a stream of its own."""

    stream: int
    ssrc: int
    picture: KeptPicture
    sequence: int = 0
    served: dict[int, float] = field(default_factory=dict)  # link -> when


class Shelf:
    """Pictures of the tracks that are ``deaf``. ``handle`` gives the engine's handles; the facade takes the events that
    putting packets in led to."""

    def __init__(self, engine: Engine, handle: Callable[[], int]) -> None:
        self._engine = engine
        self._handle = handle
        self._peer: int | None = None
        self._ssrcs = itertools.count(1)
        self._spare: list[tuple[int, int]] = []  # SSRC and last number of who left: ciphers remember each SSRC for ever
        self._stills: dict[str, _Still] = {}
        profile = PROFILES[b"SRTP_AEAD_AES_128_GCM"]
        secret = os.urandom(profile.key_length + profile.salt_length)
        self._keys = SrtpKeys(profile, secret, secret)
        binding = find_binding()
        self._arena = Arena(_LARGEST + TRAILER, binding)
        self._srtp = open_session(self._keys, binding)
        self._events: list[EngineEvent] = []

    def add(self, track: PublishedTrack) -> int:
        """From now on its key frames are kept; the handle of the stream that they are shown by."""
        if self._peer is None:
            self._peer = self._handle()
            self._engine.add_peer(self._peer)
            self._engine.set_keys(self._peer, self._keys)
            self._engine.add_path(self._peer, _PATH)
        codec = track.parameters.codec
        ssrc, sequence = self._spare.pop() if self._spare else (next(self._ssrcs), 0)
        still = _Still(self._handle(), ssrc, KeptPicture(self._engine, codec.mime), sequence)
        config = StreamConfig("video", "", codec, Extensions(), (still.ssrc,))
        self._engine.add_stream(still.stream, self._peer, config)
        self._engine.tap(track.stream, still.picture)
        self._stills[track.name] = still
        return still.stream

    def remove(self, track: str) -> int | None:
        """The handle that ``add`` gave."""
        still = self._stills.pop(track, None)
        if still is None:
            return None
        self._engine.remove_stream(still.stream)
        self._spare.append((still.ssrc, still.sequence))
        return still.stream

    def tappable(self, track: str) -> Tappable:
        """Where the track's recorder taps."""
        still = self._stills.get(track)
        return still.picture if still is not None else self._engine

    def serve(self, track: PublishedTrack, slot: Slot, now: float) -> bool:
        """Shows the kept picture in a slot that waits for the track's next key frame."""
        still = self._stills.get(track.name)
        payloads = still.picture.payloads(now) if still is not None else []
        if still is None or not payloads or slot.detail is Detail.NOTHING:
            return False
        if now - still.served.get(slot.link, float("-inf")) < _AGAIN:
            return False
        still.served = {link: at for link, at in still.served.items() if now - at < _AGAIN} | {slot.link: now}
        self._engine.switch(slot.link, still.stream)
        self._put(still, payloads, track.parameters.codec, now)
        self._engine.flush()
        self._engine.switch(slot.link, track.stream, keep=True)
        return True

    def take_events(self) -> Iterator[EngineEvent]:
        """Until there are none: what is done about one may lead to more."""
        while self._events:
            yield self._events.pop(0)

    def _put(self, still: _Still, payloads: list[bytes], codec: Codec, now: float) -> None:
        stamp = round(now * codec.clock_rate)
        for place, payload in enumerate(payloads, 1):
            still.sequence += 1
            marker = place == len(payloads)
            packet = rtp.build(codec.payload_type, still.sequence, stamp, still.ssrc, payload, marker)
            if len(packet) > _LARGEST - TRAILER:
                return  # no datagram that came was so large
            self._arena.data[: len(packet)] = packet
            size = self._srtp.protect(self._arena, 0, len(packet))
            self._events += self._engine.receive(bytes(self._arena.data[:size]), _PATH, now)
