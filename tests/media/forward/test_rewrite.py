from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media.forward.rewrite import Rewriter


def send(rewriter: Rewriter, number: int, timestamp: int, now: float) -> tuple[int, int]:
    out = number + rewriter.offset
    stamp = (timestamp + rewriter.timestamp_offset) & 0xFFFFFFFF
    rewriter.highest, rewriter.last_timestamp, rewriter.last_at = out, stamp, now  # as a subscription books it
    return out, stamp


def test_a_switch_goes_on_where_the_old_source_ended() -> None:
    rewriter = Rewriter(90000, 1000, 5000)
    rewriter.switch(1, 70000, 123, 10.0)
    first = send(rewriter, 70000, 123, 10.0)
    last = send(rewriter, 70009, 123 + 9000, 10.1)
    assert first[1] == 5000 and last == (first[0] + 9, 14000)
    rewriter.switch(2, 99999, 4_000_000_000, 10.6)
    number, stamp = send(rewriter, 99999, 4_000_000_000, 10.6)
    assert number == last[0] + 1
    assert stamp == last[1] + 45000, "half a second passed"


def test_time_never_stands_still_at_a_switch() -> None:
    rewriter = Rewriter(90000, 0, 0)
    rewriter.switch(1, 70000, 0, 1.0)
    _, before = send(rewriter, 70000, 0, 1.0)
    rewriter.switch(2, 80000, 0, 1.0)
    assert send(rewriter, 80000, 0, 1.0)[1] - before == 3000


def test_a_nack_finds_its_source_over_switches() -> None:
    rewriter = Rewriter(90000, 65530, 0)
    rewriter.switch(1, 70000, 0, 1.0)
    outs = {send(rewriter, n, 0, 1.0)[0]: (1, n) for n in range(70000, 70010)}
    rewriter.switch(2, 90000, 0, 2.0)
    outs |= {send(rewriter, n, 0, 2.0)[0]: (2, n) for n in range(90000, 90010)}
    for out, (stream, number) in outs.items():
        found = rewriter.locate(out & 0xFFFF)
        assert found is not None
        assert (found[0], found[1].stream, found[0] - found[1].offset) == (out, stream, number)
    assert rewriter.locate((max(outs) + 1) & 0xFFFF) is None, "not sent yet"
    assert rewriter.locate((min(outs) - 1) & 0xFFFF) is None, "before the beginning"


RUN = st.tuples(st.integers(70_000, 10**6), st.integers(0, 0xFFFFFFFF), st.integers(1, 30))


@given(st.lists(RUN, min_size=1, max_size=20), st.integers(0, 0xFFFF))
def test_numbers_are_continuous_over_any_switches(runs: list[tuple[int, int, int]], start: int) -> None:
    rewriter, now, outs = Rewriter(90000, start, 0), 1.0, []
    for stream, (number, timestamp, length) in enumerate(runs):
        rewriter.switch(stream, number, timestamp, now)
        for i in range(length):
            outs.append(send(rewriter, number + i, timestamp + 3000 * i, now)[0])
            now += 0.033
    assert outs == list(range(outs[0], outs[0] + len(outs)))


def test_a_clock_from_reports_is_believed_and_one_that_cannot_be_is_not() -> None:
    rewriter = Rewriter(90000, 0, 0)
    rewriter.switch(1, 70000, 1000, 10.0)
    _, before = send(rewriter, 70000, 1000, 10.0)
    rewriter.switch(2, 100, 500_000, 10.3, clock=(4000 - 500_000) & 0xFFFFFFFF)
    assert send(rewriter, 100, 500_000, 10.3)[1] - before == 3000, "by the report, not the 300 ms of arrival"
    rewriter.switch(3, 100, 7, 10.4, clock=1_000_000)
    assert send(rewriter, 100, 7, 10.4)[1] - before == 3000 + 9000, "by arrival"


def test_two_pictures_of_one_moment_are_two_pictures() -> None:
    rewriter = Rewriter(90000, 0, 0)
    rewriter.switch(1, 70000, 0, 1.0)
    _, before = send(rewriter, 70000, 6000, 1.0)
    rewriter.switch(2, 100, 3000, 1.0, clock=0)  # a picture older than what was shown last
    assert rewriter.settled > 101
    assert rewriter.surplus(100, 3000) == 3001
    out, stamp = 100 + rewriter.offset, (3000 + 3001 + rewriter.timestamp_offset) & 0xFFFFFFFF
    assert stamp == before + 1
    rewriter.highest, rewriter.last_timestamp = out, stamp
    assert rewriter.newest == 3000
    assert rewriter.surplus(101, 6000) == 3001, "still not later than what was shown"
    rewriter.highest, rewriter.last_timestamp = out + 1, stamp + 3000
    assert rewriter.surplus(102, 9001 + 3000) == 0
    assert rewriter.settled == 102
    assert rewriter.surplus(101, 6000) == 3001, "repaired later: as its picture had it"
    found = rewriter.locate((out + 2) & 0xFFFF)
    assert found is None, "not sent yet"
    rewriter.highest = out + 2
    segments = [rewriter.locate((out + i) & 0xFFFF) for i in range(3)]
    assert [s[1].timestamp_offset if s else None for s in segments] == [
        rewriter.timestamp_offset + 3001 & 0xFFFFFFFF,
        rewriter.timestamp_offset + 3001 & 0xFFFFFFFF,
        rewriter.timestamp_offset,
    ]
