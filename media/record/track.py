"""One recorded track: packets of whichever SSRC sends it now, in order, timed in the room, given to its fragmenter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from media.errors import PeerError
from media.parameters import Codec
from media.record.clock import PublisherClock, Slew, StreamClock
from media.record.depacketize import Depacketizer, Frame, depacketizer
from media.record.fragments import AudioFragmenter, VideoFragmenter
from media.record.jitter import JitterBuffer, Packet
from media.wire import rtp

VIDEO_HOLD_SECONDS = 0.5  # time for two rounds of NACK on a slow link
AUDIO_HOLD_SECONDS = 0.2  # nobody asks for lost sound again, this is reordering only
PAUSE_SECONDS = 1.0  # a camera that sends nothing for so long leaves a marked hole


@dataclass(slots=True)
class _Stream:
    ssrc: int
    clock: StreamClock
    jitter: JitterBuffer
    depacketizer: Depacketizer
    last_timestamp: int | None = None


class TrackRecorder:
    """A ``TrackSink``. ``still``: a screen that does not change sends nothing for minutes, and that is no hole."""

    def __init__(
        self,
        fragmenter: VideoFragmenter | AudioFragmenter,
        codec: Codec,
        publisher: PublisherClock,
        room_ms: Callable[[float], float],
        *,
        still: bool,
    ) -> None:
        self.fragmenter = fragmenter
        depacketizer(codec)  # a codec that has no container is refused now, not at its first packet
        self._codec, self._publisher, self._room_ms, self._still = codec, publisher, room_ms, still
        self._stream: _Stream | None = None
        self._slew = Slew()
        self._key_at: float | None = None
        self._arrived: list[tuple[bytes, float]] = []
        self.unreadable = 0

    @property
    def _audio(self) -> bool:
        return self._codec.mime.startswith("audio/")

    def change_codec(self, codec: Codec) -> None:
        """The publisher came back, perhaps with another codec; what the old one sent is written first."""
        self._catch_up()
        depacketizer(codec)
        if codec != self._codec:
            self.flush()
            self._codec, self._stream = codec, None

    def on_rtp(self, packet: bytes, arrival: float) -> None:
        """Only noted: recording waits for the next ``expire``, forwarding waits for nothing."""
        self._arrived.append((packet, arrival))

    def _catch_up(self) -> None:
        arrived, self._arrived = self._arrived, []
        for packet, arrival in arrived:
            self._take(packet, arrival)

    def _take(self, packet: bytes, arrival: float) -> None:
        try:
            header = rtp.parse(packet)
        except PeerError:
            self.unreadable += 1
            return
        stream = self._stream_of(header.ssrc)
        timestamp = stream.clock.extend(header.timestamp)
        stream.clock.on_packet(timestamp, arrival)
        sequence = stream.jitter.extend(header.sequence)
        payload = bytes(packet[header.payload_at : header.payload_end])
        self._play(stream, stream.jitter.push(Packet(sequence, timestamp, header.marker, payload, arrival)))

    def _stream_of(self, ssrc: int) -> _Stream:
        old = self._stream
        if old is not None and old.ssrc == ssrc:
            return old
        if old is not None:
            self._play(old, old.jitter.flush())
            if old.clock.offset is self._publisher.offset:
                self._publisher.renew()  # it may be another laptop with another clock
        hold = AUDIO_HOLD_SECONDS if self._audio else VIDEO_HOLD_SECONDS
        clock = StreamClock(self._codec.clock_rate, self._publisher)
        self._stream = _Stream(ssrc, clock, JitterBuffer(hold), depacketizer(self._codec))
        return self._stream

    def on_sender_report(self, ssrc: int, ntp_seconds: float, rtp_timestamp: int, arrival: float) -> None:
        self._catch_up()
        if self._stream is not None and self._stream.ssrc == ssrc:
            self._stream.clock.on_sender_report(ntp_seconds, rtp_timestamp, arrival)

    def _play(self, stream: _Stream, packets: list[Packet]) -> None:
        for packet in packets:
            for frame in stream.depacketizer.push(packet):
                self._place(stream, frame)

    def _place(self, stream: _Stream, frame: Frame) -> None:
        last, stream.last_timestamp = stream.last_timestamp, frame.timestamp
        elapsed = None if last is None else (frame.timestamp - last) / self._codec.clock_rate
        at = self._slew.place(stream.clock.seconds(frame.timestamp), elapsed)
        if frame.key:
            self._key_at = frame.arrival
        self.fragmenter.add(frame, self._at_ms(at), self._hole(frame, elapsed))

    def _at_ms(self, at: float) -> float:
        return max(self._room_ms(at), 0.0)

    def _hole(self, frame: Frame, elapsed: float | None) -> str | None:
        if elapsed is None:
            return "reconnect"
        if frame.after_loss:
            return "loss"
        return "pause" if elapsed > PAUSE_SECONDS and not self._still else None

    def expire(self, now: float) -> None:
        self._catch_up()
        if self._stream is not None:
            self._play(self._stream, self._stream.jitter.expire(now))
        self.fragmenter.expire(self._room_ms(now))

    def flush(self) -> None:
        self._catch_up()
        if self._stream is not None:
            self._play(self._stream, self._stream.jitter.flush())
        self.fragmenter.flush()

    def wants_key_frame(self, now: float, every: float) -> bool:
        if self._stream is None or isinstance(self.fragmenter, AudioFragmenter):
            return False
        if self.fragmenter.wants_key:
            return True
        return self._stream.depacketizer.needs_key or self._key_at is None or now - self._key_at >= every
