"""Contract: video waits its turn on a thin line, sound and repairs overtake it, what comes too late is dropped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from media.engine import Detail, KeyFrameWanted, LinkSwitched, PeerCounters
from tests.media.engine_contract_forward import KEY, Contract
from tests.media.engine_contract_layers import layer_of, seamless
from tests.support.engine_rig import LINK_RTX, Layers, Lesson, Rig, steps, vp8


def frame(lesson: Lesson, size: int = 1000, packets: int = 1, key: bool = False) -> None:
    """A picture of ``packets`` packets in one go."""
    made = []
    for part in range(packets):
        payload = vp8(None, key=key, start=part == 0, body=bytes(size - 2))
        step = 3000 if part == 0 else 0
        made.append((lesson.teacher, lesson.camera.packet(payload, step=step, marker=part == packets - 1)))
    lesson.rig.burst(made)


def pumped(rig: Rig) -> Iterator[float]:
    """As the timer does: each time when the engine said, until nothing waits."""
    due = rig.engine.pump(rig.now)
    while due is not None:
        assert due > rig.now
        rig.now = due
        due = rig.engine.pump(rig.now)
        yield rig.now


def counters(rig: Rig, lesson: Lesson | Layers) -> PeerCounters:
    found = rig.engine.counters(lesson.room.handle)
    assert found is not None
    return found


class Pacing(Contract):
    def test_video_leaves_no_faster_than_told(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 1_000_000.0)
        frame(lesson, packets=40, key=True)  # 0.33 s of that line
        got = lesson.room.take()
        assert len(got) == 1
        arrivals = []
        for now in pumped(rig):
            arrivals += [now] * len(lesson.room.take())
        assert len(arrivals) == 39
        assert 0.31 < arrivals[-1] - 100.0 < 0.34
        assert all(b - a >= 0.00499 for a, b in pairwise(sorted(set(arrivals))))

    def test_a_fast_line_is_served_in_bursts(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 8_000_000.0)
        frame(lesson, packets=40, key=True)
        bursts = [len(lesson.room.take())]
        for _ in pumped(rig):
            bursts.append(len(lesson.room.take()))
        assert sum(bursts) == 40
        assert set(bursts[1:-1]) <= {4, 5}, "5 ms of 8 Mbit/s"

    def test_an_idle_line_saves_nothing_up(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 1_000_000.0)
        rig.wait(10.0)
        frame(lesson, packets=20, key=True)
        assert len(lesson.room.take()) <= 2

    def test_sound_overtakes(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 500_000.0)
        frame(lesson, packets=20, key=True)
        lesson.mic.send(b"opus")
        rig.run(0.05)
        got = lesson.room.take()
        assert [p.payload_type for p in got].index(63) == 1
        assert [p.wide for p in got] == list(range(1, len(got) + 1)), "numbered as they leave"

    def test_repairs_overtake(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        frame(lesson, key=True)
        (sent,) = lesson.room.take()
        rig.engine.pace(lesson.room.handle, 500_000.0)
        frame(lesson, packets=20)
        lesson.room.take()
        rig.engine.resend(Lesson.SHOWN, [sent.sequence], rig.now)
        rig.engine.flush()
        assert [p.ssrc for p in lesson.room.take()] == [LINK_RTX]

    def test_stamps_are_of_the_moment_of_leaving(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 100_000.0)
        frame(lesson, packets=2, key=True)
        rig.run(0.2)
        first, second = lesson.room.take()
        late = int.from_bytes(second.values[7], "big") - int.from_bytes(first.values[7], "big")
        assert 0.075 < late / 262144 < 0.095
        left = rig.engine.departures(lesson.room.handle)
        assert 0.075 < left[1][1] - left[0][1] < 0.095

    def test_queued_bytes_are_counted(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 1_000_000.0)
        frame(lesson, packets=20, key=True)
        queued = counters(rig, lesson).queued
        assert 19 * 1000 < queued < 20 * 1050
        rig.run(1.0)
        assert counters(rig, lesson).queued == 0
        assert len(lesson.room.take()) == 20

    def test_what_would_wait_too_long_is_dropped_up_to_a_key_frame(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 200_000.0)
        frame(lesson, key=True)
        rig.told(KeyFrameWanted)
        while not counters(rig, lesson).dropped:  # more comes in than goes out
            frame(lesson, packets=2)
            rig.run(0.03)
        frame(lesson, packets=2)
        assert rig.told(KeyFrameWanted) == [], "one that came now would have to wait too"
        rig.run(0.6)
        assert rig.told(KeyFrameWanted) == [KeyFrameWanted(Lesson.VIDEO)]
        before = lesson.room.take()
        frame(lesson)
        frame(lesson, key=True)
        frame(lesson)
        rig.run(0.5)
        got = lesson.room.take()
        assert [p.payload[1] for p in got] == [0, 1], "from the key frame on"
        assert set(steps([p.sequence for p in before + got])) == {1}, "no gap where packets were dropped"
        assert (got[0].timestamp - before[-1].timestamp) & 0xFFFFFFFF > 3000, "but time passed"

    def test_a_picture_that_began_goes_to_its_end(self, rig: Rig) -> None:
        """A key frame larger than half a second of the line is still worth more than half of one."""
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 200_000.0)
        frame(lesson, packets=30, key=True)  # 1.2 s
        frame(lesson)
        rig.run(2.0)
        got = lesson.room.take()
        assert len(got) == 30
        assert got[-1].marker
        assert counters(rig, lesson).dropped == 1

    def test_not_even_a_key_frame_may_wait_for_ever(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 50_000.0)
        frame(lesson, packets=100, key=True)
        rig.run(3.0, 0.02)
        assert 10 <= len(lesson.room.take()) <= 14, "two seconds of it"
        assert counters(rig, lesson).dropped == 1, "the rest is not asked about one by one"

    def test_a_still_has_more_patience(self, rig: Rig) -> None:
        """On a line for sound only a picture takes seconds, and is worth them."""
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 50_000.0)
        rig.engine.set_detail(Lesson.SHOWN, Detail.STILLS)
        frame(lesson, packets=15, key=True)  # 2.4 s
        frame(lesson)
        frame(lesson, packets=5, key=True)  # 0.8 s more
        rig.run(3.5, 0.02)
        got = lesson.room.take()
        assert [p.marker for p in got] == [False] * 14 + [True] + [False] * 4 + [True]
        assert set(steps([p.sequence for p in got])) == {1}
        assert counters(rig, lesson).dropped == 0

    def test_a_line_that_gets_thin_sheds_what_it_cannot_carry(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        rig.engine.pace(layers.room.handle, 4_000_000.0)
        layers.send(0, key=True, at=0)
        for i in range(60):
            layers.send(0, at=3000 * (i + 1), body=bytes(1000))
        waiting = counters(rig, layers).queued
        assert waiting > 50_000
        rig.engine.pace(layers.room.handle, 100_000.0)
        assert counters(rig, layers).queued < 8000
        rig.run(1.0)
        layers.send(0, at=3000 * 62)
        layers.send(0, key=True, at=3000 * 63)
        rig.run(0.1)
        got = layers.room.take()
        seamless(got)
        assert (got[-1].timestamp - got[0].timestamp) & 0xFFFFFFFF == 3000 * 63

    def test_a_layer_switch_waits_its_turn(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        rig.engine.pace(layers.room.handle, 400_000.0)
        layers.send(0, key=True, at=0)
        rig.told(LinkSwitched)
        for i in range(5):
            layers.send(0, at=3000 * (i + 1), body=bytes(1000))
        rig.engine.switch(40, 31, keep=True, delta=layers.delta(1, 0))
        layers.send(1, key=True, at=18000)
        layers.send(0, at=18000)
        layers.send(1, at=21000)
        assert rig.told(LinkSwitched) == [], "the old layer's packets still go out"
        shown = rig.engine.sending(40)
        assert shown is not None and not shown.started
        rig.run(0.3)
        assert rig.told(LinkSwitched) == [LinkSwitched(40, 31)]
        got = layers.room.take()
        assert [layer_of(p) for p in got] == [0] * 6 + [1, 1]
        seamless(got)
        assert set(steps([p.timestamp for p in got], 32)) == {3000}

    def test_a_switch_without_keep_drops_what_waits(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 100_000.0)
        frame(lesson, packets=5, key=True)
        rig.engine.switch(Lesson.SHOWN, None)
        rig.run(1.0)
        assert len(lesson.room.take()) == 1
        assert counters(rig, lesson).queued == 0

    def test_a_pause_drops_what_waits(self, rig: Rig) -> None:
        layers = Layers(rig)
        rig.engine.switch(40, 30)
        rig.engine.pace(layers.room.handle, 100_000.0)
        layers.send(0, key=True, at=0)
        for i in range(3):
            layers.send(0, at=3000 * (i + 1), body=bytes(1000))
        rig.engine.set_detail(40, Detail.NOTHING)
        rig.run(0.5)
        rig.engine.set_detail(40, Detail.ALL)
        layers.send(0, key=True, at=15000)
        got = layers.room.take()
        seamless(got)
        assert steps([p.timestamp for p in got], 32)[-1] >= 9000

    def test_without_a_pace_everything_leaves_at_once(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 100_000.0)
        frame(lesson, packets=20, key=True)
        rig.engine.pace(lesson.room.handle, None)
        assert len(lesson.room.take()) == 20
        frame(lesson, packets=20)
        got = lesson.room.take()
        assert len(got) == 20
        assert set(steps([p.sequence for p in got])) == {1}
        assert rig.engine.pump(rig.now) is None

    def test_service_lets_out_what_is_due(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 1_000_000.0)
        frame(lesson, packets=5, key=True)
        for _ in range(10):
            rig.wait(0.01)
            lesson.mic.send(b"opus")
        assert [p.payload_type for p in lesson.room.take()].count(120) == 5

    def test_whoever_leaves_takes_what_waits_along(self, rig: Rig) -> None:
        lesson = Lesson(rig)
        rig.engine.pace(lesson.room.handle, 100_000.0)
        frame(lesson, packets=20, key=True)
        rig.engine.remove_peer(lesson.room.handle)
        assert rig.engine.pump(rig.now + 1) is None
        other = rig.peer()
        rig.engine.pace(other.handle, 100_000.0)
        assert rig.engine.pump(rig.now + 2) is None
        lesson.camera.send(KEY)
        assert rig.engine.pump(rig.now + 3) is None
