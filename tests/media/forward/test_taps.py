"""The recorder follows the best layer that is sent, and changes at key frames only."""

from __future__ import annotations

from media.wire import rtp
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
