"""Sender reports to room time: minimum of the window, shared by a publisher's streams, never backwards."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from media.record.clock import PublisherClock, Slew, StreamClock, WindowedMinimum


def test_windowed_minimum_forgets_the_old() -> None:
    window = WindowedMinimum(10)
    assert window.value is None
    for at, value in ((0, 5.0), (1, 3.0), (2, 4.0)):
        window.add(at, value)
    assert window.value == 3.0
    window.add(11.5, 6.0)
    assert window.value == 4.0
    window.add(30, 9.0)
    assert window.value == 9.0


@given(st.lists(st.tuples(st.floats(0, 5), st.floats(-10, 10)), min_size=1, max_size=50))
def test_windowed_minimum_is_the_minimum_of_the_window(steps: list[tuple[float, float]]) -> None:
    window, at, seen = WindowedMinimum(10), 0.0, []
    for step, value in steps:
        at += step
        seen.append((at, value))
        window.add(at, value)
        assert window.value == min(v for t, v in seen if t >= at - 10)


def test_late_reports_do_not_move_time() -> None:
    rng = random.Random(3)
    stream = StreamClock(48_000, PublisherClock())
    stream.extend(1000)
    stream.on_packet(1000, 50.0)
    worst = 0.0
    for second in range(1, 60):
        now = 50.0 + second
        timestamp = stream.extend((1000 + second * 48_000) & 0xFFFFFFFF)
        stream.on_packet(timestamp, now + 0.02)
        delay = 0.02 if second % 5 == 0 else 0.02 + rng.random() * 0.3
        stream.on_sender_report(now + 3600, (1000 + second * 48_000) & 0xFFFFFFFF, now + delay)
        if second > 5:
            worst = max(worst, abs(stream.seconds(timestamp) - (now + 0.02)))
    assert worst < 0.001


def test_streams_of_one_publisher_agree_even_while_the_offset_is_wrong() -> None:
    publisher = PublisherClock()
    camera, mic = StreamClock(90_000, publisher), StreamClock(48_000, publisher)
    for stream in (camera, mic):
        stream.extend(0)
        stream.on_packet(0, 10.0)
    camera.on_sender_report(1010.0, 0, 10.4)  # 0.4 s late: the offset is too large by that
    mic.on_sender_report(1010.0, 0, 10.5)
    assert camera.seconds(90_000) == mic.seconds(48_000)


def test_timestamps_unwrap_both_ways() -> None:
    stream = StreamClock(90_000, PublisherClock())
    start = stream.extend(0xFFFFFF00)
    assert stream.extend(0x100) - start == 0x200
    assert stream.extend(0xFFFFFFF0) - start == 0xF0


@given(st.lists(st.tuples(st.floats(0, 0.2), st.floats(-1, 1)), min_size=2, max_size=100))
def test_slewed_time_never_runs_backwards(steps: list[tuple[float, float]]) -> None:
    slew, media, last = Slew(), 100.0, 0.0
    for elapsed, error in steps:
        media += elapsed
        placed = slew.place(media + error, elapsed)
        assert placed >= last
        last = placed


def test_slew_reaches_its_target_and_steps_over_pauses() -> None:
    slew = Slew()
    assert slew.place(10.0, None) == 10.0
    at = 10.0
    for _ in range(100):
        at += 0.02
        placed = slew.place(at + 0.05, 0.02)
    assert abs(placed - (at + 0.05)) < 0.001
    assert slew.place(at + 5.0, 0.02) == at + 5.0
    assert slew.place(at + 4.0, None) == at + 5.0
