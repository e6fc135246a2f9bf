"""The recorder follows the best layer that is sent, and changes at key frames only."""

from __future__ import annotations

from media.record.recorder import Recorder
from media.wire import rtp
from tests.support.media_hall import VP8
from tests.support.village import Village
from tests.support.weather import steady


class Sink:
    """What a recorder would get."""

    def __init__(self) -> None:
        self.packets: list[tuple[int, bool, float]] = []
        self.reports: list[int] = []

    def on_rtp(self, packet: bytes, arrival: float) -> None:
        header = rtp.parse(packet)
        body = packet[header.payload_at : header.payload_end]
        self.packets.append((header.ssrc, body[0] & 0x10 > 0 and not body[1] & 1, arrival))

    def on_sender_report(self, ssrc: int, ntp_seconds: float, rtp_timestamp: int, arrival: float) -> None:
        self.reports.append(ssrc)

    def ssrcs(self) -> list[int]:
        return list(dict.fromkeys(ssrc for ssrc, _, _ in self.packets))


def test_the_top_layer_then_the_next_then_the_top_again() -> None:
    village, sink = Village(steady(rate=6e6, delay=0.03)), Sink()
    village.sfu.record("camera", sink)
    village.run(3)
    top = next(e for e in village.encoders if e.rid == "f")
    assert sink.ssrcs()[-1] == top.ssrc
    village.encoders.remove(top)  # the teacher's own line got thin
    fell = village.now
    village.run(4)
    assert sink.packets[-1][0] == 0x1001
    first = next(p for p in sink.packets if p[0] == 0x1001 and p[2] > fell)
    assert first[1], "goes over at a key frame"
    assert first[2] - fell < 1.7
    top.wants_key, top.due = True, village.now
    village.encoders.append(top)
    village.run(3)
    assert sink.packets[-1][0] == top.ssrc
    again = next(p for p in sink.packets if p[0] == top.ssrc and p[2] > fell + 1)
    before = [p for p in sink.packets if p[0] == 0x1001][-1]
    assert again[1] and again[2] - before[2] < 0.1, "the lower one went on until then"
    assert set(sink.reports) >= {0x1001, top.ssrc}


def test_who_leaves_leaves_nothing_behind() -> None:
    village, sink = Village(steady(rate=6e6, delay=0.03)), Sink()
    village.sfu.record("camera", sink)
    village.run(1)
    village.sfu.record("camera", None)
    count = len(sink.packets)
    village.run(1)
    assert count and len(sink.packets) == count


def test_a_recording_goes_on_in_the_next_layer_with_an_init_of_its_own() -> None:
    """The manifest's discontinuity: where the size changes a new init segment begins, at a key frame."""
    village = Village(steady(rate=6e6, delay=0.03))
    recorder = Recorder("lesson", 1, 0)
    recorder.set_origin(village.now)
    village.sfu.record("camera", recorder.add_track("camera", "camera", VP8))

    def run(seconds: float) -> None:
        for _ in range(round(seconds / 0.1)):
            village.run(0.1)
            for item in recorder.take(village.now):
                recorder.saved(item.key)
            for _name in recorder.wants_key_frame(village.now):
                village.sfu.request_key_frame("camera", village.now)

    run(6)
    top = next(e for e in village.encoders if e.rid == "f")
    village.encoders.remove(top)
    run(6)
    top.wants_key, top.due = True, village.now
    village.encoders.append(top)
    run(6)
    (track,) = recorder.manifest()["tracks"]
    assert [init["width"] for init in track["inits"]] == [1280, 640, 1280]
    starts = {init["k"] for init in track["inits"]}
    firsts = [min(f["from_ms"] for f in track["fragments"] if f["init"] == k) for k in sorted(starts)]
    assert all(next(f for f in track["fragments"] if f["from_ms"] == at)["random_access"] for at in firsts)
    assert sum(gap["to_ms"] - gap["from_ms"] for gap in track["gaps"]) < 2000
