"""The recorder on a picture of several layers: takes the best that is sent, and goes over at a key frame.

Rule: until the better layer's key frame comes the other one goes on; a layer that stops is left after 0.7 s. The
recorder's track sees another SSRC begin and writes a new init segment where the size differs.
"""

from __future__ import annotations

from typing import Protocol

from media.engine import Reception
from media.errors import PeerError
from media.forward.clock import SenderClock
from media.forward.keyframes import starts_key_frame
from media.forward.layers import Layer
from media.record.sink import TrackSink
from media.wire import rtp

_STOPPED = 0.7  # seconds without a packet: a slow camera sends five in that time
_RUNS = 0.3


class Tappable(Protocol):
    """What it needs of an engine."""

    def tap(self, stream: int, sink: TrackSink | None) -> None: ...
    def reception(self, stream: int) -> Reception | None: ...


class LayerTap:
    """``follow`` ten times a second; ``layer`` is the one that key frames are asked of."""

    def __init__(self, engine: Tappable, layers: tuple[Layer, ...], mime: str, sink: TrackSink) -> None:
        self._engine = engine
        self._layers = layers
        self.mime = mime
        self.sink = sink
        self.current: Layer | None = None
        self.coming: Layer | None = None
        self._tapped: set[int] = set()

    @property
    def layer(self) -> Layer:
        return self.coming or self.current or self._layers[-1]

    def follow(self, now: float) -> Layer | None:
        """The layer whose key frame is wanted for going over to it, when that is new."""
        self._sweep()
        best = self._best(now)
        if best is None or (best is self.layer and best.stream in self._tapped):
            return None
        if best is self.current:
            self.coming = None  # the better one stopped before it began
            return None
        self.coming = best
        self._listen(best)
        return best

    def _best(self, now: float) -> Layer | None:
        """The highest that runs; a layer that is taken runs until it has been silent for a while."""
        for layer in reversed(self._layers):
            seen = self._engine.reception(layer.stream)
            if seen is None:
                continue
            if now - seen.last_arrival < (_STOPPED if layer in (self.current, self.coming) else _RUNS):
                return layer
        return None if self._tapped else self._layers[-1]

    def _listen(self, layer: Layer) -> None:
        if layer.stream not in self._tapped:
            self._tapped.add(layer.stream)
            self._engine.tap(layer.stream, _Ear(self, layer))

    def _sweep(self) -> None:
        """Takes taps off that are no longer needed; not from inside the engine's call, where it walks over them."""
        needed = {one.stream for one in (self.current, self.coming) if one is not None}
        for stream in self._tapped - needed:
            self._engine.tap(stream, None)
        self._tapped &= needed

    def close(self) -> None:
        for stream in self._tapped:
            self._engine.tap(stream, None)
        self._tapped.clear()

    def hear(self, layer: Layer, packet: bytes, arrival: float) -> None:
        """A packet of a tapped layer."""
        if layer is self.coming and (self.current is None or self._begins(packet)):
            self.current, self.coming = layer, None
            self.sink.on_rtp(packet, arrival)
            if layer.sr is not None:
                self.report(layer.sr)
        elif layer is self.current:
            self.sink.on_rtp(packet, arrival)

    def report(self, sr: SenderClock) -> None:
        self.sink.on_sender_report(sr.ssrc, sr.ntp_seconds, sr.rtp_timestamp, sr.arrival)

    def _begins(self, packet: bytes) -> bool:
        try:
            header = rtp.parse(packet)
        except PeerError:
            return False
        return starts_key_frame(self.mime, packet[header.payload_at : header.payload_end])


class _Ear:
    """A ``TrackSink`` on one layer."""

    def __init__(self, tap: LayerTap, layer: Layer) -> None:
        self._tap, self._layer = tap, layer

    def on_rtp(self, packet: bytes, arrival: float) -> None:
        self._tap.hear(self._layer, packet, arrival)

    def on_sender_report(self, ssrc: int, ntp_seconds: float, rtp_timestamp: int, arrival: float) -> None:
        return None  # they come by ``LayerTap.report``
