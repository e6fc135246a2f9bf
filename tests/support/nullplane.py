"""A media plane without packets: it agrees to everything and remembers what stands where."""

from __future__ import annotations

from media.parameters import (
    Fingerprint,
    IceCredentials,
    MediaEvent,
    SlotParameters,
    TrackParameters,
    TransportAnswer,
    TransportParameters,
    TransportStats,
)
from media.record.sink import TrackSink

ANSWER = TransportAnswer(IceCredentials("ours", "p" * 24), Fingerprint("sha-256", "AA:BB"), ())


class NullPlane:
    def __init__(self) -> None:
        self.routers: set[str] = set()
        self.transports: dict[str, str] = {}
        self.tracks: dict[str, str] = {}
        self.waiting: list[MediaEvent] = []

    def add_router(self, router: str) -> None:
        self.routers.add(router)

    def remove_router(self, router: str, now: float) -> None:
        self.routers.discard(router)

    def add_transport(
        self, router: str, transport: str, parameters: TransportParameters, now: float
    ) -> TransportAnswer:
        self.transports[transport] = router
        return ANSWER

    def restart_ice(self, transport: str, ice: IceCredentials, now: float) -> TransportAnswer:
        return ANSWER

    def remove_transport(self, transport: str, now: float) -> None:
        self.transports.pop(transport, None)

    def publish(self, transport: str, track: str, parameters: TrackParameters, now: float) -> None:
        self.tracks[track] = transport

    def unpublish(self, track: str, now: float) -> None:
        self.tracks.pop(track, None)

    def add_slot(self, transport: str, slot: SlotParameters) -> None:
        return None

    def route(self, transport: str, mid: str, track: str | None, now: float) -> None:
        return None

    def record(self, track: str, sink: TrackSink | None) -> None:
        return None

    def request_key_frame(self, track: str, now: float) -> None:
        return None

    def events(self) -> list[MediaEvent]:
        drained, self.waiting = self.waiting, []
        return drained

    def stats(self, router: str) -> list[TransportStats]:
        return []
