"""What the ledger hears of a room's recording."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from media.parameters import TrackParameters
from media.record.sink import TrackSink
from signaling.effects import Record
from signaling.live import LiveRoom
from signaling.net import recording
from signaling.net.mediaspool import MediaSpool
from signaling.net.plane import Plane
from signaling.net.recording import RoomRecording
from tests.support.recording import H264, START, Camera, Microphone

pytestmark = pytest.mark.slow


class Room:
    """A recording on a simulated clock, with a plane that only holds the sinks."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = START
        self.sinks: dict[str, TrackSink | None] = {}
        self.facts: list[tuple[str, dict[str, Any]]] = []
        self.entries: list[dict[str, Any]] = []
        self._shares = 0
        monkeypatch.setattr(recording, "time", SimpleNamespace(monotonic=lambda: self.now))
        live = SimpleNamespace(lesson="lesson1", epoch=1, clock=SimpleNamespace(zero_at_ms=0, origin=lambda: START))
        plane = SimpleNamespace(record=self.sinks.__setitem__, request_key_frame=lambda _track, _now: None)
        self.recording = RoomRecording(
            cast(LiveRoom, live), cast(Plane, plane), cast(MediaSpool, SimpleNamespace(put=self._put)), self._note
        )

    async def _put(self, _key: str, _data: bytes, *, content_type: str, entry: dict[str, Any]) -> None:
        self.entries.append(entry)

    def _note(self, kind: str, data: dict[str, Any]) -> None:
        self.facts.append((kind, data))

    def gaps(self) -> list[str]:
        return [data["cause"] for kind, data in self.facts if kind == "RecordingGap"]

    async def send(self, name: str, seconds: float) -> None:
        """Published, sent, taken back; each time as another stream."""
        self._shares += 1
        made = Microphone if name.endswith(("mic", "audio")) else lambda ssrc: Camera(H264, ssrc=ssrc)
        source, track = made(ssrc=self._shares), f"t/pub{self._shares}/{name}"
        parameters = cast(TrackParameters, SimpleNamespace(codec=source.codec))
        self.recording.record(Record(track, cast(Any, name), parameters))
        sink = self.sinks[track]
        assert sink is not None
        until = self.now + seconds
        while self.now < until:
            for packet in source.packets(self.now):
                sink.on_rtp(packet, self.now)
            self.now = round(self.now + source.interval, 6)
            await self.recording.pump()
        self.recording.record(Record(track, cast(Any, name), None))


@pytest.mark.parametrize("name", ["screen", "screen-audio"])
async def test_a_screen_shared_again_has_lost_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    await room.send(name, 2)
    room.now += 30
    await room.send(name, 2)
    await room.recording.close()
    assert [1 for entry in room.entries if "fragment" in entry], "both were recorded"
    assert room.gaps() == []


@pytest.mark.parametrize("name", ["camera", "mic"])
async def test_a_teacher_who_comes_back_has_a_gap(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    await room.send(name, 2)
    room.now += 30
    await room.send(name, 2)
    await room.recording.close()
    assert room.gaps() == ["reconnect"]


async def test_what_the_node_itself_lost_is_a_gap_of_every_track(monkeypatch: pytest.MonkeyPatch) -> None:
    room = Room(monkeypatch)
    room.recording.missing_since(0, "node")
    room.now += 10
    await room.send("screen", 2)
    await room.send("mic", 2)
    await room.recording.close()
    assert room.gaps() == ["node"], "once"
